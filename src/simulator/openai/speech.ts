import { z } from 'zod'
import type { Frame } from '../protocol'
import { seedOf } from '../seed'
import { countTokens } from '../tokens'
import { postEndpoint } from './endpoint'
import { eventFrame } from './images'

/** Content type and bytes a second of sound. */
const FORMATS: Readonly<Record<string, readonly [type: string, bytes: number]>> = {
  mp3: ['audio/mpeg', 16_000],
  opus: ['audio/ogg', 6_000],
  aac: ['audio/aac', 8_000],
  flac: ['audio/flac', 24_000],
  wav: ['audio/wav', 48_000],
  pcm: ['audio/pcm', 48_000],
}

const CHARACTERS_A_SECOND = 15
const SAMPLES_A_SECOND = 24_000
const TOKENS_A_SECOND = 21

const requestSchema = z.looseObject({
  input: z.string().min(1).max(4096),
  voice: z.union([z.string(), z.looseObject({})]),
  response_format: z.enum(['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm']).nullish(),
  stream_format: z.enum(['sse', 'audio']).nullish(),
})

/** `POST /v1/audio/speech`: a hum as long as the text would take to say. WAV and PCM can be played. */
export const speechEndpoint = postEndpoint(requestSchema, (request, call) => {
  const { input, response_format: format, stream_format: framing } = request
  const seconds = input.length / CHARACTERS_A_SECOND
  const bytes = hum(format ?? 'mp3', seconds, seedOf(input))
  const [type] = FORMATS[format ?? 'mp3'] ?? ['application/octet-stream']
  if (framing !== 'sse') return { kind: 'file', bytes, type }
  const usage = call.quirks.usage === 'omitted' ? {} : { usage: usageOf(input, seconds) }
  return { kind: 'stream', frames: [...speechFrames(bytes, usage)] }
})

function* speechFrames(bytes: Uint8Array, usage: object): Generator<Frame> {
  const size = Math.max(1, Math.ceil(bytes.length / 4))
  for (let at = 0; at < bytes.length; at += size) {
    const audio = Buffer.from(bytes.subarray(at, at + size)).toString('base64')
    yield eventFrame('content', 'speech.audio.delta', { audio })
  }
  yield eventFrame('finish', 'speech.audio.done', usage)
}

function usageOf(input: string, seconds: number) {
  const [input_tokens, output_tokens] = [countTokens(input), Math.ceil(seconds * TOKENS_A_SECOND)]
  return { input_tokens, output_tokens, total_tokens: input_tokens + output_tokens }
}

function hum(format: string, seconds: number, seed: number): Uint8Array {
  const [, rate] = FORMATS[format] ?? ['', 16_000]
  const length = Math.max(2, Math.ceil((seconds * rate) / 2) * 2)
  const samples = Buffer.alloc(length)
  const step = 0.02 + (seed % 100) / 1_000
  for (let at = 0; at < length; at += 2)
    samples.writeInt16LE(Math.round(Math.sin((at / 2) * step) * 8_000), at)
  return format === 'wav' ? Buffer.concat([wavHeader(length), samples]) : samples
}

/** One channel of 16 bits: http://soundfile.sapp.org/doc/WaveFormat/ */
function wavHeader(length: number): Buffer {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + length, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(SAMPLES_A_SECOND, 24)
  header.writeUInt32LE(SAMPLES_A_SECOND * 2, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(length, 40)
  return header
}
