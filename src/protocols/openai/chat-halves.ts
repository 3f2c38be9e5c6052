import type { ChatHalves } from '../chat-protocol'
import { parseChatAnswer } from './chat-answer-parse'
import { renderChatAnswer } from './chat-answer-render'
import { ChatEventReader } from './chat-events'
import { parseGeneration } from './chat-request-parse'
import { renderGeneration } from './chat-request-render'
import { ChatFrameWriter } from './chat-writer'

/**
 * OpenAI's Chat Completions to and from the neutral model, with the extensions of the hosts that speak it.
 * https://platform.openai.com/docs/api-reference/chat
 */
export const openaiChatHalves: ChatHalves = {
  parseGeneration,
  renderGeneration,
  parseChatAnswer,
  renderChatAnswer,
  createEventReader: () => new ChatEventReader(),
  createFrameWriter: (context, losses) => new ChatFrameWriter(context, losses),
}
