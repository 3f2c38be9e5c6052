import type { ChatProtocol } from '../chat-protocol'
import { convertsFrom } from '../embed/formats'
import { openaiEmbedCodec } from '../embed/openai-codec'
import type { Protocol } from '../protocol'
import { parseEmbeddings } from './answer'
import { openaiChatHalves } from './chat-halves'
import { createOpenaiProtocol } from './openai-protocol'

/** POST /v1/chat/completions: https://platform.openai.com/docs/api-reference/chat */
export const openaiChat: ChatProtocol = {
  ...createOpenaiProtocol({
    name: 'openai-chat',
    operation: 'generate',
    path: '/chat/completions',
  }),
  dialect: 'openai-chat',
  chat: openaiChatHalves,
}

/** POST /v1/completions, the legacy one: https://platform.openai.com/docs/api-reference/completions */
export const openaiCompletions: Protocol = createOpenaiProtocol({
  name: 'openai-completions',
  operation: 'generate',
  path: '/completions',
})

/** POST /v1/embeddings: https://platform.openai.com/docs/api-reference/embeddings */
export const openaiEmbeddings: Protocol = createOpenaiProtocol({
  name: 'openai-embeddings',
  operation: 'embed',
  path: '/embeddings',
  parseAnswer: parseEmbeddings,
  convert: convertsFrom(openaiEmbedCodec),
})
