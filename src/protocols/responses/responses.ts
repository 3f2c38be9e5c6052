import { AFFINITY_HINTS } from '../affinity-hints'
import { SseFramer } from '../../std/sse'
import type { ChatProtocol } from '../chat-protocol'
import { parseError, renderError } from '../openai/errors'
import { ANSWER_HEADERS } from '../openai/answer-headers'
import { renderOpenaiLimits } from '../rate-limits'
import { renderRequest } from '../openai/request'
import { parseChatAnswer } from './answer-parse'
import { renderChatAnswer } from './answer-render'
import { renderErrorFrame } from './errors'
import { ResponseEventReader } from './event-reader'
import { ResponseFrameWriter } from './frame-writer'
import { parseResponse, ResponseFrameReader } from './frames'
import { parseGeneration, renderGeneration } from './generation'
import { parseRequest } from './request'

export { responsesInputTokens } from './input-tokens'

/** POST /v1/responses: https://platform.openai.com/docs/api-reference/responses */
export const openaiResponses: ChatProtocol = {
  name: 'openai-responses',
  dialect: 'openai-responses',
  operation: 'generate',
  client: {
    parseRequest,
    renderError,
    renderErrorFrame,
    renderLimits: renderOpenaiLimits,
    requestHeaders: [
      'openai-beta',
      'idempotency-key',
      'http-referer',
      'x-title',
      ...AFFINITY_HINTS,
    ],
    heartbeatFrame: new TextEncoder().encode(': keep-alive\n\n'),
    streamType: 'text/event-stream; charset=utf-8',
  },
  upstream: {
    path: () => '/responses',
    headers: (apiKey) => (apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    answerHeaders: ANSWER_HEADERS,
    streamType: 'text/event-stream',
    createFramer: () => new SseFramer(),
    // Usage is in every stream of the format: nothing is asked for.
    renderRequest: (envelope, { model }) => renderRequest(envelope, { model, askForUsage: false }),
    parseAnswer: parseResponse,
    createFrameReader: () => new ResponseFrameReader(),
    parseError,
  },
  chat: {
    parseGeneration,
    renderGeneration,
    parseChatAnswer,
    renderChatAnswer,
    createEventReader: () => new ResponseEventReader(),
    createFrameWriter: (context, losses) => new ResponseFrameWriter(context, losses),
  },
}
