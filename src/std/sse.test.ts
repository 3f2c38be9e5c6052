import { describe, expect, test } from 'bun:test'

import { type SseFrame, SseFramer } from './sse'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

function cut(text: string, sizeBytes: number): SseFrame[] {
  const bytes = encoder.encode(text)
  const framer = new SseFramer()
  const frames: SseFrame[] = []
  for (let at = 0; at < bytes.length; at += sizeBytes)
    frames.push(...framer.push(bytes.subarray(at, at + sizeBytes)))
  const rest = framer.rest()
  if (rest) frames.push(rest)
  return frames
}

const STREAMS = {
  lf: 'data: {"a":1}\n\n: ping\n\nevent: x\ndata: two\ndata:  lines\n\ndata: é𝄞\n\ndata: [DONE]\n\n',
  crlf: 'data: {"a":1}\r\n\r\n: ping\r\n\r\nevent: x\r\ndata: two\r\ndata:  lines\r\n\r\ndata: é𝄞\r\n\r\ndata: [DONE]\r\n\r\n',
  cr: 'data: {"a":1}\r\r: ping\r\revent: x\rdata: two\rdata:  lines\r\rdata: é𝄞\r\rdata: [DONE]\r\r',
  'bom and blank lines':
    '\ufeffdata: {"a":1}\n\n\n\n: ping\n\nevent: x\ndata: two\ndata:  lines\n\n\ndata: é𝄞\n\ndata: [DONE]\n\n',
}

describe('SseFramer', () => {
  for (const [name, text] of Object.entries(STREAMS)) {
    test.each([1, 2, 7, 64, 100_000])(`reads ${name} in %i-byte slices`, (sizeBytes) => {
      const frames = cut(text, sizeBytes)
      expect(frames.filter((frame) => frame.data !== undefined).map((frame) => frame.data)).toEqual(
        ['{"a":1}', 'two\n lines', 'é𝄞', '[DONE]']
      )
      expect(frames.find((frame) => frame.data?.startsWith('two'))?.event).toBe('x')
      expect(Buffer.concat(frames.map((frame) => frame.bytes)).toString()).toBe(text)
    })
  }

  test('gives a frame as soon as its blank line is there, and counts what it holds back', () => {
    const framer = new SseFramer()
    expect(framer.push(encoder.encode('data: 1\n'))).toEqual([])
    expect(framer.pendingBytes).toBe(8)
    expect(framer.push(encoder.encode('\ndata')).map((frame) => frame.data)).toEqual(['1'])
    expect(framer.pendingBytes).toBe(4)
    expect(framer.rest()?.data).toBe('')
  })

  test('frames stay valid after later pushes', () => {
    const framer = new SseFramer()
    framer.push(encoder.encode('data: o'))
    const [first] = framer.push(encoder.encode('ne\n\ndata: tw'))
    framer.push(encoder.encode('o\n\nxxxxxxxxxxxxxxxxxxxxxxxx'))
    expect(decoder.decode(first?.bytes)).toBe('data: one\n\n')
  })
})
