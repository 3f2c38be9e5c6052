import { describe, expect, test } from 'bun:test'
import { NdjsonFramer } from './ndjson'

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** Every frame of a stream in pieces of `size` bytes, each piece's memory used anew. */
function cut(text: string, size: number) {
  const framer = new NdjsonFramer()
  const all = bytesOf(text)
  const piece = new Uint8Array(size)
  const frames: { data: string | undefined; text: string }[] = []
  for (let at = 0; at < all.length; at += size) {
    const length = Math.min(size, all.length - at)
    piece.set(all.subarray(at, at + length))
    for (const { data, bytes } of framer.push(piece.subarray(0, length)))
      frames.push({ data, text: new TextDecoder().decode(bytes) })
    piece.fill(0x78)
  }
  return { frames, framer }
}

describe('lines', () => {
  const text = '{"a":"🌌"}\n\n{"b":"\\n"}\r\n \n{"c":3}\n'
  test.each([1, 2, 7, 64])('are whole, with their bytes, cut every %d bytes', (size) => {
    const { frames, framer } = cut(text, size)
    expect(frames.map(({ data }) => data)).toEqual([
      '{"a":"🌌"}',
      undefined,
      '{"b":"\\n"}',
      undefined,
      '{"c":3}',
    ])
    expect(frames.map((frame) => frame.text).join('')).toBe(text)
    expect([framer.pendingBytes, framer.rest()]).toEqual([0, undefined])
  })

  test('of one chunk all come at once', () => {
    expect(new NdjsonFramer().push(bytesOf('1\n2\n3\n')).map(({ data }) => data)).toEqual([
      '1',
      '2',
      '3',
    ])
  })
})

test('what is held back counts until its line is whole', () => {
  const framer = new NdjsonFramer()
  const counts = ['{"a"', ':1', '}\n{', '"b":2}'].map((piece) => {
    framer.push(bytesOf(piece))
    return framer.pendingBytes
  })
  expect(counts).toEqual([4, 6, 1, 7])
})

test('a line is its own: later ones leave its bytes alone', () => {
  const framer = new NdjsonFramer()
  framer.push(bytesOf('{"a"'))
  const [first] = framer.push(bytesOf(':1}\n{"long":'))
  framer.push(bytesOf('"second line"}\n'))
  expect(new TextDecoder().decode(first?.bytes)).toBe('{"a":1}\n')
})

test('a last line may stand without its end', () => {
  const framer = new NdjsonFramer()
  expect(framer.push(bytesOf('{"a":1}\n{"done":true}'))).toHaveLength(1)
  expect(framer.rest()).toMatchObject({ data: '{"done":true}', event: undefined })
  expect([framer.rest(), framer.pendingBytes]).toEqual([undefined, 0])
})
