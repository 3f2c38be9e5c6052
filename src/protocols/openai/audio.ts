import { countOf, isRecord } from '../../std/record'
import type { Envelope } from '../envelope'
import { type Form, renderForm } from '../form'
import type { AnswerFacts, Protocol, RequestRoute } from '../protocol'
import { NO_USAGE, type Usage } from '../usage'
import { SaidText } from '../said-text'
import { measureSound } from '../sound-length'
import { MediaFrameReader } from './media-frames'
import { readFormModel, readFormStream } from './form-fields'
import { createOpenaiProtocol } from './openai-protocol'
import { invalid } from './request'
import { toMediaUsage } from './usage'

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
  const model = readFormModel(form, route)
  const [file, another] = form.files
  if (file === undefined || another) throw invalid('file', 'must be the one file of the form')
  const { most, likely } = measureSound(file.content)
  return {
    operation: 'transcribe',
    model,
    stream: readFormStream(form),
    includesUsage: true,
    choices: 1,
    outputLimit: undefined,
    inputTokens: most * MOST_TOKENS_A_SECOND + Buffer.byteLength(form.field('prompt') ?? ''),
    units: { seconds: most },
    estimate: { seconds: likely },
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
  const text = new TextDecoder().decode(body)
  const value = parseObject(text)
  const said = new SaidText()
  said.add(value === undefined ? text : value.text)
  return { usage: usageOf(value), finishReasons: [], said }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Where tokens were not counted, the length of the sound is what is billed: https://platform.openai.com/docs/pricing */
function usageOf(value: Record<string, unknown> | undefined): Usage | undefined {
  if (value === undefined) return undefined
  const told = toMediaUsage(value.usage)
  if (told !== undefined) return told
  // Mistral's: https://docs.mistral.ai/capabilities/audio_transcription/
  const heard = countOf(value.usage, 'prompt_audio_seconds')
  const seconds = heard ?? Number(value.duration ?? NaN)
  return Number.isFinite(seconds) ? { ...NO_USAGE, seconds: Math.ceil(seconds) } : undefined
}

/**
 * About how many tokens so much sound comes to: ten a second, what a minute of gpt-4o-transcribe costs by its rate of
 * tokens. https://platform.openai.com/docs/pricing
 */
export function toHeardTokens(seconds: number): number {
  return Math.ceil(seconds * 10)
}
