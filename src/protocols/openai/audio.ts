import { stringOf } from '../../std/record'
import type { Envelope, RequestUnits } from '../envelope'
import { type Form, renderForm } from '../form'
import type { AnswerFacts, Protocol, RequestRoute } from '../protocol'
import { NO_USAGE, type Usage } from '../usage'
import { wavSeconds } from '../wav'
import { MediaFrameReader } from './media-frames'
import { createOpenaiProtocol } from './openai-protocol'
import { invalid } from './request'
import { toMediaUsage } from './usage'

/** The fewest bytes that a second of speech takes: 8 kbit/s, what Opus needs for it at least (RFC 6716, 2.1.1). */
const LEAST_BYTES_A_SECOND = 1_000

/** What it usually takes where nobody says more: 64 kbit/s. */
const USUAL_BYTES_A_SECOND = 8_000

/** More than a second of sound takes: https://platform.openai.com/docs/guides/realtime-costs */
const MOST_TOKENS_A_SECOND = 20

/** POST /v1/audio/transcriptions: https://platform.openai.com/docs/api-reference/audio/createTranscription */
export const openaiTranscriptions = createListening(
  'openai-transcriptions',
  '/audio/transcriptions'
)

/** POST /v1/audio/translations: https://platform.openai.com/docs/api-reference/audio/createTranslation */
export const openaiTranslations = createListening('openai-translations', '/audio/translations')

function createListening(name: string, path: string): Protocol {
  return createOpenaiProtocol({
    name,
    operation: 'transcribe',
    path,
    answers: 'text',
    parseRequest() {
      throw invalid('file', 'must be part of a multipart/form-data body')
    },
    parseForm,
    renderForm: (form, { model }) => renderForm(form, { model, fallbacks: undefined }),
    parseAnswer: parseTranscript,
    createFrameReader: () => new MediaFrameReader(({ usage }) => toMediaUsage(usage)),
  })
}

function parseForm(form: Form, route: RequestRoute): Envelope {
  const model = route.model ?? form.field('model')
  if (!model) throw invalid('model', 'must be a field of the form, e.g. "openai/whisper-1"')
  const [file] = form.files
  if (file === undefined) throw invalid('file', 'must be a file of the form')
  const seconds = wavSeconds(file.content.beginning())
  const most = seconds ?? Math.ceil(file.content.length / LEAST_BYTES_A_SECOND)
  return {
    operation: 'transcribe',
    model,
    stream: form.field('stream') === 'true',
    includesUsage: true,
    choices: 1,
    outputLimit: undefined,
    inputTokens: most * MOST_TOKENS_A_SECOND + Buffer.byteLength(form.field('prompt') ?? ''),
    units: { seconds: most },
    estimate: { seconds: seconds ?? Math.ceil(file.content.length / USUAL_BYTES_A_SECOND) },
    form,
    body: NO_BODY,
    modelSpan: undefined,
    streamOptionsSpan: undefined,
    closeAt: 0,
  }
}

const NO_BODY = new Uint8Array()

/** JSON in two of the formats, the text itself in the others. */
function parseTranscript(body: Uint8Array): AnswerFacts {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(body))
  } catch {
    return { usage: undefined, finishReasons: [] }
  }
  return { usage: usageOf(value), finishReasons: [] }
}

/** Where tokens were not counted, the length of the sound is what is billed: https://platform.openai.com/docs/pricing */
function usageOf(value: unknown): Usage | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const told = 'usage' in value ? toMediaUsage(value.usage) : undefined
  if (told !== undefined) return told
  const duration = 'duration' in value ? value.duration : undefined
  const seconds = typeof duration === 'number' ? duration : Number(stringOf(value, 'duration'))
  return Number.isFinite(seconds) ? { ...NO_USAGE, seconds: Math.ceil(seconds) } : undefined
}

/** Usage by the units that a request itself came to, where its answer says nothing. */
export function usageByUnits({ seconds, characters }: RequestUnits): Usage {
  return {
    ...NO_USAGE,
    ...(seconds !== undefined && { seconds }),
    ...(characters !== undefined && { characters }),
  }
}
