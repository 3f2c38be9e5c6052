import { describe, expect, test } from 'bun:test'
import type { SseFrame } from '../../std/sse'
import { EventStreamEncoder, EventStreamFramer } from './event-stream'

const encoder = new EventStreamEncoder()

const MESSAGES = [
  encoder.event('messageStart', { role: 'assistant' }),
  encoder.event('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'grüß dich 👋' } }),
  encoder.exception('throttlingException', { message: 'slow down' }),
]

function cut(bytes: Uint8Array, size: number, framer = new EventStreamFramer()): SseFrame[] {
  const frames: SseFrame[] = []
  for (let at = 0; at < bytes.length; at += size)
    frames.push(...framer.push(bytes.subarray(at, at + size)))
  return frames
}

const CUTS = [1, 7, 64, 100_000]

describe('a binary event stream', () => {
  test.each(CUTS)('cut every %d bytes gives its messages as they came', (size) => {
    const framer = new EventStreamFramer()
    const frames = cut(Buffer.concat(MESSAGES), size, framer)
    expect(frames.map(({ event, data }) => [event, data])).toEqual([
      ['messageStart', '{"role":"assistant"}'],
      ['contentBlockDelta', '{"contentBlockIndex":0,"delta":{"text":"grüß dich 👋"}}'],
      ['exception:throttlingException', '{"message":"slow down"}'],
    ])
    frames.forEach(({ bytes }, index) =>
      expect(bytes).toEqual(MESSAGES[index] ?? new Uint8Array(0))
    )
    expect(framer.pendingBytes).toBe(0)
  })

  test('holds back a message that is not whole, and says how much', () => {
    const framer = new EventStreamFramer()
    const [first = new Uint8Array(0)] = MESSAGES
    expect(framer.push(first.subarray(0, 5))).toEqual([])
    expect(framer.pendingBytes).toBe(5)
    expect(framer.push(first.subarray(5, 40))).toEqual([])
    expect(framer.pendingBytes).toBe(40)
    expect(framer.rest()).toBeUndefined()
    expect(framer.push(first.subarray(40))).toHaveLength(1)
    expect(framer.pendingBytes).toBe(0)
  })

  test('a message too large for one read grows in pieces', () => {
    const text = 'x'.repeat(100_000)
    const message = encoder.event('contentBlockDelta', { delta: { text } })
    const frames = cut(Buffer.concat([message, message]), 4_096)
    expect(frames.map(({ data }) => data?.length)).toEqual([100_021, 100_021])
  })

  test.each([
    ['a length', 0],
    ['the length of the headers', 7],
    ['the checksum of the lengths', 9],
    ['a header', 20],
    ['the payload', 100],
    ['the checksum', -1],
  ])('is refused where %s is damaged', (_what, at) => {
    for (const size of CUTS) {
      const damaged = Uint8Array.from(Buffer.concat(MESSAGES.slice(0, 1)))
      const index = at < 0 ? damaged.length + at : at
      damaged[index] = (damaged[index] ?? 0) ^ 0x40
      expect(() => cut(damaged, size)).toThrow(
        expect.objectContaining({ code: 'upstream_malformed' })
      )
    }
  })

  test.each([
    ['shorter than its own headers', 20, 90],
    ['shorter than a message can be', 8, 0],
    ['longer than any message', 0x7fffffff, 0],
    ['more headers than any message', 0x00200000, 0x00100000],
  ])('a message that claims to be %s is refused at its prelude', (_what, length, headerBytes) => {
    const prelude = Buffer.alloc(12)
    prelude.writeUInt32BE(length, 0)
    prelude.writeUInt32BE(headerBytes, 4)
    prelude.writeUInt32BE(Bun.hash.crc32(prelude.subarray(0, 8)), 8)
    expect(() => new EventStreamFramer().push(prelude)).toThrow(
      expect.objectContaining({ code: 'upstream_malformed' })
    )
  })

  test('text that is no event stream is refused', () => {
    const html = new TextEncoder().encode('<html><body>502 Bad Gateway</body></html>')
    expect(() => new EventStreamFramer().push(html)).toThrow(
      expect.objectContaining({ code: 'upstream_malformed' })
    )
  })
})
