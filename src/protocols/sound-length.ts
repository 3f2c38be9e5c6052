import type { FormContent } from './form'

/** How long a file of sound is, in seconds, rounded up. */
export type SoundLength = {
  /** The most that it can be. */
  readonly most: number
  /** What it is taken to be where nobody says more; the same where its head tells it. */
  readonly likely: number
}

/** The fewest bytes that a second of speech takes: 8 kbit/s, what Opus needs for it at least (RFC 6716, 2.1.1). */
const LEAST_BYTES_A_SECOND = 1_000

/** What it usually takes: 64 kbit/s. */
const USUAL_BYTES_A_SECOND = 8_000

/** By the head of a WAV or FLAC file, else by how many bytes it has. */
export function measureSound(content: Pick<FormContent, 'length' | 'beginning'>): SoundLength {
  const { length } = content
  const beginning = content.beginning()
  const head = Buffer.from(beginning.buffer, beginning.byteOffset, beginning.length)
  const told = wavSeconds(head, length) ?? flacSeconds(head)
  if (told !== undefined) return { most: told, likely: told }
  return {
    most: Math.ceil(length / LEAST_BYTES_A_SECOND),
    likely: Math.ceil(length / USUAL_BYTES_A_SECOND),
  }
}

/**
 * http://soundfile.sapp.org/doc/WaveFormat/: `fmt ` has the rate, `data` the samples. What is written as it is recorded
 * has a length of nothing, or the most there is, so that a length counts only as far as there are bytes.
 */
function wavSeconds(head: Buffer, length: number): number | undefined {
  if (head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 8, 12) !== 'WAVE')
    return undefined
  let bytesASecond = 0
  for (let at = 12; at + 8 <= head.length;) {
    const name = head.toString('latin1', at, at + 4)
    const size = head.readUInt32LE(at + 4)
    const from = at + 8
    if (name === 'fmt ' && from + 16 <= head.length) bytesASecond = rateOf(head, from)
    if (name === 'data') {
      const there = length - from
      const samples = size > 0 && size < there ? size : there
      return bytesASecond > 0 && there > 0 ? Math.ceil(samples / bytesASecond) : undefined
    }
    at = from + size + (size % 2)
  }
  return undefined
}

const PCM = new Set([1, 3, 0xfffe])

/** Whoever decodes samples goes by their rate and size, whatever the rate of bytes is said to be. */
function rateOf(head: Buffer, from: number): number {
  const isPcm = PCM.has(head.readUInt16LE(from))
  const samplesASecond = head.readUInt32LE(from + 4)
  return isPcm ? samplesASecond * head.readUInt16LE(from + 12) : head.readUInt32LE(from + 8)
}

/** https://www.rfc-editor.org/rfc/rfc9639#section-8.2: 20 bits of rate, 3 and 5 of others, 36 bits of samples. */
function flacSeconds(head: Buffer): number | undefined {
  if (head.length < 26 || head.toString('latin1', 0, 4) !== 'fLaC') return undefined
  const rate = head.readUIntBE(18, 3) >> 4
  const samples = ((head[21] ?? 0) & 15) * 2 ** 32 + head.readUInt32BE(22)
  return rate > 0 && samples > 0 ? Math.ceil(samples / rate) : undefined
}
