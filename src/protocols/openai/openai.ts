import type { Operation } from '../envelope'
import type { Protocol } from '../protocol'
import { parseCompletion, parseEmbeddings } from './answer'
import { parseError, renderError, renderErrorFrame } from './errors'
import { CompletionFrameReader } from './frames'
import { parseRequest, renderRequest } from './request'

/** POST /v1/chat/completions: https://platform.openai.com/docs/api-reference/chat */
export const openaiChat: Protocol = createProtocol('openai-chat', 'generate', '/chat/completions')

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
      parseRequest: (body) => parseRequest(operation, body),
      renderError,
      renderErrorFrame,
      heartbeatFrame: new TextEncoder().encode(': keep-alive\n\n'),
    },
    upstream: {
      path,
      renderRequest,
      parseAnswer: operation === 'embed' ? parseEmbeddings : parseCompletion,
      createFrameReader: (envelope, changes) => new CompletionFrameReader(envelope, changes),
      parseError,
    },
  }
}
