import type { ChatProtocol } from '../protocols/chat-protocol'
import { estimateTokens } from '../protocols/estimate-tokens'
import type { Generation } from '../protocols/generation'
import { Losses } from '../protocols/losses'
import { NO_USAGE } from '../protocols/usage'
import type { WholeAnswer } from './answer'

/** The answer to a count of tokens that no upstream was asked for, marked as an estimate. */
export function estimateCount(
  client: ChatProtocol,
  generation: Generation
): { answer: WholeAnswer; losses: Losses } {
  const losses = new Losses()
  losses.estimate('input_tokens')
  const inputTokens = estimateTokens(generation)
  const context = { requestId: '', createdAt: 0, model: generation.model, request: generation }
  const usage = { ...NO_USAGE, inputTokens }
  const rendered = client.chat.renderChatAnswer({ choices: [], usage }, context, losses)
  const body = new TextEncoder().encode(JSON.stringify(rendered))
  const facts = { usage: undefined, finishReasons: [] }
  return { answer: { kind: 'whole', status: 200, headers: {}, body, facts }, losses }
}
