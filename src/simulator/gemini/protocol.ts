import type { JsonObject, JsonValue } from '../../protocols/json'
import { geminiBatchEmbedCodec, geminiEmbedCodec } from '../../protocols/embed/gemini-codec'
import { gemini } from '../../protocols/gemini/gemini'
import { isRecord } from '../../std/record'
import { embedEndpoint } from '../codec-endpoint'
import { decodeName } from '../model-names'
import { promptTokens } from '../prompt-tokens'
import type { Asked, Endpoint, Failure, SimulatedProtocol } from '../protocol'
import { readingEndpoint, scriptedEndpoint, type ScriptedFormat } from '../scripted-endpoint'
import { arrayFrames } from './array'
import { modelsEndpoint } from './models'
import { findGeminiBatches } from './batches'
import { predictEndpoint } from './predict'
import { missingSignature } from './signatures'

const FORMAT: ScriptedFormat = {
  chat: gemini,
  style: {
    maker: 'google',
    idPrefix: 'sim-',
    callPrefix: 'sim',
    signs: 'what-follows',
  },
  // A chunk with the finish reason has usage too, and is the last: this format has no end mark.
  partOf: ({ raw }) =>
    typeof raw === 'string' && raw.includes('"finishReason":') ? 'finish' : 'content',
  refuse: missingSignature,
}

/** `/v1beta/models/{model}:{method}`; a model's name may have slashes and colons in it. */
const METHOD_PATH = /^\/v1(?:beta)?\/models\/(.+):([A-Za-z]+)$/

/**
 * Google's Gemini: answers, whole and as Server-Sent Events, counts of tokens, and models.
 * https://ai.google.dev/api/generate-content
 */
export const geminiProtocol: SimulatedProtocol = {
  endpoint(asked) {
    const batches = findGeminiBatches(asked, (model) =>
      scriptedEndpoint(FORMAT, { model, stream: false })
    )
    if (batches) return batches
    if (asked.pathname === '/v1beta/models') return modelsEndpoint
    if (asked.pathname === '/v1/models' && asked.headers.has('x-goog-api-key'))
      return modelsEndpoint
    const { model = '', method } = methodOf(asked)
    if (method === 'generateContent') return scriptedEndpoint(FORMAT, { model, stream: false })
    if (method === 'countTokens') return countEndpoint(model)
    if (method === 'embedContent') return embedEndpoint(geminiEmbedCodec, model)
    if (method === 'batchEmbedContents') return embedEndpoint(geminiBatchEmbedCodec, model)
    if (method === 'predict') return predictEndpoint(model)
    const streams = method === 'streamGenerateContent' && asked.query.get('alt') === 'sse'
    return streams ? scriptedEndpoint(FORMAT, { model, stream: true }) : undefined
  },

  headers: (_, processingMs) => ({
    'server-timing': `gfet4t7; dur=${processingMs}`,
    'x-content-type-options': 'nosniff',
  }),
  renderError: (failure) => JSON.stringify(errorBody(failure), undefined, 2),
  renderErrorFrame: (failure) => `data: ${JSON.stringify(errorBody(failure))}\r\n\r\n`,
  streamType: 'text/event-stream',
  brokenFrame: 'data: {"candidates":[{"content":\r\n\r\n',
  keepAlive: ': keep-alive\n\n',
}

/** The same streams as one JSON array, an element a chunk: what comes where `alt=sse` is not asked for. */
export const geminiArrayProtocol: SimulatedProtocol = {
  ...geminiProtocol,
  endpoint(asked) {
    const { model = '', method } = methodOf(asked)
    if (method !== 'streamGenerateContent' || asked.query.get('alt') === 'sse') return undefined
    const events = scriptedEndpoint(FORMAT, { model, stream: true })
    return {
      ...events,
      answer(call) {
        const answer = events.answer(call)
        if (answer.kind !== 'stream') return answer
        const { frames } = answer
        return { kind: 'stream', frames: { [Symbol.iterator]: () => arrayFrames(frames) } }
      },
    }
  },
  renderErrorFrame: (failure, isFirst) =>
    `${isFirst ? '[' : ',\r\n'}${JSON.stringify(errorBody(failure))}]`,
  streamType: 'application/json; charset=UTF-8',
  brokenFrame: ',\r\n{"candidates":[{"content":',
  keepAlive: '\n',
}

function methodOf({ pathname }: Asked): { model?: string; method?: string } {
  const [, name, method] = METHOD_PATH.exec(pathname) ?? []
  return name === undefined || method === undefined ? {} : { model: decodeName(name), method }
}

/** `:countTokens`, of contents alone or of a whole request. */
function countEndpoint(model: string): Endpoint {
  const counting = readingEndpoint(FORMAT, { model }, (generation) => {
    const totalTokens = promptTokens(generation)
    const details = [{ modality: 'TEXT', tokenCount: totalTokens }]
    const text = JSON.stringify({ totalTokens, promptTokensDetails: details })
    return { kind: 'whole', text, tokens: 0 }
  })
  return {
    ...counting,
    answer: (call) => counting.answer({ ...call, body: countedRequest(call.body) }),
  }
}

function countedRequest(body: JsonValue | undefined): JsonValue | undefined {
  const request = isRecord(body) ? body['generateContentRequest'] : undefined
  return isRecord(request) ? request : body
}

const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
}

function errorBody({ status, message }: Failure): JsonObject {
  const error: JsonObject = { code: status, message, status: STATUS_NAMES[status] ?? 'UNKNOWN' }
  if (status === 429)
    error['details'] = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1s' }]
  return { error }
}
