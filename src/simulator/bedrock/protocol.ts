import { bedrockConverse, bedrockInvoke } from '../../protocols/bedrock/bedrock'
import { bedrockEmbedCodec } from '../../protocols/embed/bedrock-codec'
import { EventStreamEncoder } from '../../protocols/bedrock/event-stream'
import type { JsonObject, JsonValue } from '../../protocols/json'
import { isRecord, stringOf } from '../../std/record'
import { CLAUDE_STYLE, partOfMessageEvent } from '../anthropic/claude'
import { embedEndpoint } from '../codec-endpoint'
import { decodeName } from '../model-names'
import { promptTokens } from '../prompt-tokens'
import type { Endpoint, Failure, FramePart, SimulatedProtocol } from '../protocol'
import { readingEndpoint, scriptedEndpoint, type ScriptedFormat } from '../scripted-endpoint'
import { parseObject, type WireEvent } from '../wire-event'
import { damagedMessage, splitChunks, splitMessages } from './messages'

const STYLE = { ...CLAUDE_STYLE, callPrefix: 'tooluse_sim_' }

const CONVERSE: ScriptedFormat = {
  chat: bedrockConverse,
  style: STYLE,
  partOf: partOfConverseEvent,
  split: splitMessages,
}

const INVOKE: ScriptedFormat = {
  chat: bedrockInvoke,
  style: CLAUDE_STYLE,
  partOf: partOfMessageEvent,
  split: splitChunks,
}

/** `/model/{id}/{method}`; the id may be an ARN, its slashes encoded or not. */
const METHOD_PATH = /^\/model\/(.+)\/([a-z-]+)$/

/**
 * Amazon Bedrock's runtime: Converse, InvokeModel for Anthropic's models, both with their binary streams, and
 * CountTokens. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html
 */
export const bedrockProtocol: SimulatedProtocol = {
  endpoint({ pathname }) {
    const [, name, method] = METHOD_PATH.exec(pathname) ?? []
    if (name === undefined) return undefined
    const model = decodeName(name)
    switch (method) {
      case 'converse':
      case 'converse-stream':
        return scriptedEndpoint(CONVERSE, { model, stream: method === 'converse-stream' })
      case 'invoke':
        if (/embed/.test(model)) return embedEndpoint(bedrockEmbedCodec, model)
        return scriptedEndpoint(INVOKE, { model, stream: false })
      case 'invoke-with-response-stream':
        return scriptedEndpoint(INVOKE, { model, stream: true })
      case 'count-tokens':
        return countEndpoint(model)
      default:
        return undefined
    }
  },

  headers: (requestNumber) => ({
    'x-amzn-requestid': `00000000-0000-4000-8000-${String(requestNumber).padStart(12, '0')}`,
  }),
  renderError: ({ message }) => JSON.stringify({ message }),
  errorHeaders: (failure) => ({ 'x-amzn-errortype': errorType(failure) }),
  renderErrorFrame(failure) {
    const type = errorType(failure)
    const name = `${type.charAt(0).toLowerCase()}${type.slice(1)}`
    return new EventStreamEncoder().exception(name, { message: failure.message })
  },
  streamType: 'application/vnd.amazon.eventstream',
  brokenFrame: damagedMessage(),
  keepAlive: '',
}

function partOfConverseEvent({ name }: WireEvent): FramePart {
  switch (name) {
    case 'contentBlockDelta':
      return 'content'
    case 'messageStop':
      return 'finish'
    // Behind the finish stands what it took, and nothing else.
    case 'metadata':
      return 'end'
    default:
      return 'start'
  }
}

/** CountTokens, of a conversation or of the body that an invocation would have. */
function countEndpoint(model: string): Endpoint {
  return {
    method: 'POST',
    model: () => model,
    answer(call) {
      const input = memberOf(call.body, 'input')
      const invoked = memberOf(input, 'invokeModel')
      const format = invoked === undefined ? CONVERSE : INVOKE
      const body =
        invoked === undefined ? memberOf(input, 'converse') : decodeBody(stringOf(invoked, 'body'))
      const counting = readingEndpoint(format, { model, stream: false }, (generation) => {
        const text = JSON.stringify({ inputTokens: promptTokens(generation) })
        return { kind: 'whole', text, tokens: 0 }
      })
      return counting.answer({ ...call, body })
    },
  }
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isRecord(value) ? value[name] : undefined
}

function decodeBody(base64: string | undefined): JsonObject | undefined {
  return parseObject(Buffer.from(base64 ?? '', 'base64').toString())
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'ValidationException',
  401: 'UnrecognizedClientException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  429: 'ThrottlingException',
  500: 'InternalServerException',
  503: 'ServiceUnavailableException',
}

function errorType({ status }: Failure): string {
  return ERROR_TYPES[status] ?? (status < 500 ? 'ValidationException' : 'InternalServerException')
}
