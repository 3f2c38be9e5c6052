import { measureSound } from '../../protocols/sound-length'
import { stringOf } from '../../std/record'
import type { Answer, Call, Endpoint } from '../protocol'
import { fingerprint } from '../seed'
import { refuse } from './endpoint'
import { eventFrame } from './images'

const TOKENS_A_SECOND = 10

/** `POST /v1/audio/transcriptions` and `/translations`: what was heard is the file's name, size and fingerprint. */
export const listeningEndpoint: Endpoint = {
  method: 'POST',
  model: (_, body) => stringOf(body, 'model') ?? '',
  answer(call) {
    const [file] = call.form?.files ?? []
    if (call.model === '') return refuse('you must provide a model parameter', 'model')
    if (file === undefined) return refuse('No file was sent.', 'file')
    const sha = fingerprint(Buffer.from(file.bytes).toString('base64'))
    const text = `I heard ${file.name} with ${file.bytes.length} bytes, ${sha}.`
    const { bytes } = file
    const { likely: seconds } = measureSound({ length: bytes.length, beginning: () => bytes })
    return answerWith(text, seconds, call)
  },
}

function answerWith(text: string, seconds: number, call: Call): Answer {
  const format = stringOf(call.body, 'response_format') ?? 'json'
  const isCounted = call.quirks.usage !== 'omitted'
  const usage = isCounted ? { usage: usageOf(call.model, text, seconds) } : {}
  if (stringOf(call.body, 'stream') === 'true') {
    const words = text.split(/(?<= )/)
    const deltas = words.map((delta) => eventFrame('content', 'transcript.text.delta', { delta }))
    const done = eventFrame('finish', 'transcript.text.done', { text, ...usage })
    return { kind: 'stream', frames: [...deltas, done] }
  }
  const plain = (written: string, type: string): Answer => ({
    ...{ kind: 'file', bytes: Buffer.from(written), type },
  })
  switch (format) {
    case 'text':
      return plain(`${text}\n`, 'text/plain; charset=utf-8')
    case 'srt':
      return plain(`1\n00:00:00,000 --> 00:00:01,000\n${text}\n`, 'application/x-subrip')
    case 'vtt':
      return plain(`WEBVTT\n\n00:00.000 --> 00:01.000\n${text}\n`, 'text/vtt; charset=utf-8')
    case 'verbose_json': {
      const told = { task: 'transcribe', language: 'english', duration: seconds, text }
      return whole({ ...told, segments: [], ...usage })
    }
    default:
      return whole({ text, ...usage })
  }
}

const whole = (body: object): Answer => ({ kind: 'whole', text: JSON.stringify(body), tokens: 1 })

function usageOf(model: string, text: string, seconds: number) {
  if (!model.startsWith('gpt-')) return { type: 'duration', seconds }
  const [audio, output] = [seconds * TOKENS_A_SECOND, Math.ceil(text.length / 4)]
  return {
    type: 'tokens',
    input_tokens: audio,
    input_token_details: { text_tokens: 0, audio_tokens: audio },
    output_tokens: output,
    total_tokens: audio + output,
  }
}
