import { AFFINITY_HINTS } from '../affinity-hints'
import { SseFramer } from '../../std/sse'
import type { ChatProtocol } from '../chat-protocol'
import type { Operation } from '../envelope'
import type { Protocol } from '../protocol'
import { renderOpenaiLimits } from '../rate-limits'
import { parseCompletion, parseEmbeddings } from './answer'
import { ANSWER_HEADERS } from './answer-headers'
import { openaiChatHalves } from './chat-halves'
import { parseError, renderError, renderErrorFrame } from './errors'
import { CompletionFrameReader } from './frames'
import { parseRequest, renderRequest } from './request'

/** POST /v1/chat/completions: https://platform.openai.com/docs/api-reference/chat */
export const openaiChat: ChatProtocol = {
  ...createProtocol('openai-chat', 'generate', '/chat/completions'),
  dialect: 'openai-chat',
  chat: openaiChatHalves,
}

/** POST /v1/completions, the legacy one: https://platform.openai.com/docs/api-reference/completions */
export const openaiCompletions: Protocol = createProtocol(
  'openai-completions',
  'generate',
  '/completions'
)

/** POST /v1/embeddings: https://platform.openai.com/docs/api-reference/embeddings */
export const openaiEmbeddings: Protocol = createProtocol(
  'openai-embeddings',
  'embed',
  '/embeddings'
)

/** OpenAI's endpoints share their request, error and stream shapes; they differ in what an answer holds. */
function createProtocol(name: string, operation: Operation, path: string): Protocol {
  return {
    name,
    operation,
    client: {
      parseRequest: (body, route) => parseRequest(operation, body, route),
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
      path: () => path,
      headers: (apiKey) => (apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      answerHeaders: ANSWER_HEADERS,
      streamType: 'text/event-stream',
      createFramer: () => new SseFramer(),
      renderRequest,
      parseAnswer: operation === 'embed' ? parseEmbeddings : parseCompletion,
      createFrameReader: (envelope, changes) => new CompletionFrameReader(envelope, changes),
      parseError,
    },
  }
}
