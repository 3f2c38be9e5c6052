import { SseFramer } from '../../std/sse'
import type { ChatProtocol } from '../chat-protocol'
import { type CountCodec, createCountProtocol } from '../count-protocol'
import type { JsonObject } from '../json'
import { parseJsonAnswer } from '../json-answer'
import { renderAnthropicLimits } from '../rate-limits'
import { parseChatAnswer, renderChatAnswer } from './answer'
import { parseError, renderError, renderErrorFrame } from './errors'
import { MessageEventReader } from './event-reader'
import { MessageFrameReader } from './frames'
import { parseGeneration } from './generation-parse'
import { renderGeneration } from './generation-render'
import { asObject } from './own'
import { parseRequest, renderRequest } from './request'
import { MessageFrameWriter } from './writer'

const LIMITS = ['requests', 'tokens', 'input-tokens', 'output-tokens']
const ANSWER_HEADERS = [
  ...LIMITS.flatMap((limit) =>
    ['limit', 'remaining', 'reset'].map((fact) => `anthropic-ratelimit-${limit}-${fact}`)
  ),
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
]

/** POST /v1/messages: https://platform.claude.com/docs/en/api/messages */
export const anthropicMessages: ChatProtocol = {
  name: 'anthropic-messages',
  dialect: 'anthropic-messages',
  operation: 'generate',
  client: {
    parseRequest: (body) => parseRequest(body),
    requestHeaders: ['anthropic-version', 'anthropic-beta'],
    requestIdHeader: 'request-id',
    renderError,
    renderErrorFrame,
    renderLimits: renderAnthropicLimits,
    heartbeatFrame: new TextEncoder().encode('event: ping\ndata: {"type": "ping"}\n\n'),
    streamType: 'text/event-stream; charset=utf-8',
  },
  upstream: {
    path: ({ baseUrl }) => versioned(baseUrl, '/messages'),
    headers: (apiKey) => ({
      'anthropic-version': '2023-06-01',
      ...(apiKey !== undefined && { 'x-api-key': apiKey }),
    }),
    answerHeaders: ANSWER_HEADERS,
    streamType: 'text/event-stream',
    createFramer: () => new SseFramer(),
    renderRequest,
    parseAnswer(body) {
      const { usage, choices } = parseChatAnswer(parseJsonAnswer(body))
      return { usage, finishReasons: choices.map(({ finish }) => finish.native) }
    },
    createFrameReader: () => new MessageFrameReader(),
    parseError,
  },
  chat: {
    parseGeneration,
    renderGeneration,
    parseChatAnswer,
    renderChatAnswer,
    createEventReader: () => new MessageEventReader(),
    createFrameWriter: (context, losses) => new MessageFrameWriter(context, losses),
  },
}

/** A base URL that ends in a version has it already. */
function versioned(baseUrl: string, path: string): string {
  return /\/v\d+$/.test(baseUrl) ? path : `/v1${path}`
}

/** What counting takes; the rest of a request is refused. */
const COUNTED = ['model', 'messages', 'system', 'tools', 'tool_choice', 'thinking', 'output_config']

const counting: CountCodec = {
  name: 'anthropic-count',
  path: ({ baseUrl }) => versioned(baseUrl, '/messages/count_tokens'),
  renderRequest(generation, target, losses) {
    const body = renderGeneration(generation, target, losses)
    const counted: JsonObject = {}
    for (const name of COUNTED) if (body[name] !== undefined) counted[name] = body[name]
    return counted
  },
  parse(answer) {
    const count = asObject(answer)?.input_tokens
    return typeof count === 'number' ? count : undefined
  },
  render: (tokens) => ({ input_tokens: tokens }),
}

/** POST /v1/messages/count_tokens: https://platform.claude.com/docs/en/api/messages-count-tokens */
export const anthropicCount: ChatProtocol = createCountProtocol(anthropicMessages, counting)
