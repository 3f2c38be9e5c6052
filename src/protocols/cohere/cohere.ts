import { SseFramer } from '../../std/sse'
import type { ChatProtocol } from '../chat-protocol'
import { parseJsonAnswer } from '../json-answer'
import { renderRequest } from '../openai/request'
import { renderChatAnswer } from './answer'
import { parseChatAnswer } from './answer-parse'
import { parseError, renderError, renderErrorFrame } from './errors'
import { CohereEventReader } from './event-reader'
import { CohereFrameReader } from './frames'
import { parseGeneration } from './generation-parse'
import { renderGeneration } from './generation-render'
import { parseRequest } from './request'
import { CohereFrameWriter } from './writer'

const ANSWER_HEADERS = [
  'retry-after',
  'x-api-warning',
  'x-endpoint-monthly-call-limit',
  'x-trial-endpoint-call-limit',
  'x-trial-endpoint-call-remaining',
]

/** POST /v2/chat: https://docs.cohere.com/v2/reference/chat */
export const cohereChat: ChatProtocol = {
  name: 'cohere-chat',
  dialect: 'cohere-chat',
  operation: 'generate',
  client: {
    parseRequest: (body) => parseRequest(body),
    requestHeaders: ['x-client-name'],
    renderError,
    renderErrorFrame,
    heartbeatFrame: new TextEncoder().encode(': keep-alive\n\n'),
    streamType: 'text/event-stream; charset=utf-8',
  },
  upstream: {
    // A base URL that ends in a version has it already.
    path: ({ baseUrl }) => (/\/v\d+$/.test(baseUrl) ? '/chat' : '/v2/chat'),
    headers: (apiKey) => ({
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    }),
    answerHeaders: ANSWER_HEADERS,
    streamType: 'text/event-stream',
    createFramer: () => new SseFramer(),
    renderRequest,
    parseAnswer(body) {
      const { usage, choices } = parseChatAnswer(parseJsonAnswer(body))
      return { usage, finishReasons: choices.map(({ finish }) => finish.native) }
    },
    createFrameReader: () => new CohereFrameReader(),
    parseError,
  },
  chat: {
    parseGeneration,
    renderGeneration,
    parseChatAnswer,
    renderChatAnswer,
    createEventReader: () => new CohereEventReader(),
    createFrameWriter: (context, losses) => new CohereFrameWriter(context, losses),
  },
}
