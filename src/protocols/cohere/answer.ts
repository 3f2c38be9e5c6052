import type { Answer } from '../answer'
import type { AnswerContext } from '../chat-protocol'
import type { Part } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { finishOf } from './finish'
import { ownObject } from './own'
import { renderUsage } from './usage'

/** Writes an answer of POST /v2/chat; of several choices the first. https://docs.cohere.com/v2/reference/chat */
export function renderChatAnswer(
  answer: Answer,
  context: AnswerContext,
  losses: Losses
): JsonObject {
  const own = ownObject(answer.source)
  if (own) return own
  const [first, ...others] = answer.choices
  others.forEach((_, index) => losses.drop(`choices.${index + 1}`))
  if (first?.logprobs) losses.drop('choices.0.logprobs')
  return {
    id: answer.id ?? context.requestId,
    finish_reason: finishOf(first),
    message: renderMessage(first?.parts ?? [], losses),
    usage: renderUsage(answer.usage),
  }
}

function renderMessage(parts: readonly Part[], losses: Losses): JsonObject {
  const calls = parts.flatMap((part) => (part.type === 'tool_call' ? [renderCall(part)] : []))
  const content: JsonObject[] = []
  let plan = ''
  parts.forEach((part, index) => {
    if (part.type === 'reasoning' && part.text !== '')
      content.push({ type: 'thinking', thinking: part.text })
    else if (part.type === 'text' || part.type === 'refusal') {
      if (part.type === 'text' && part.citations?.length) losses.drop(`content.${index}.citations`)
      // What is said before calls is a plan.
      if (calls.length > 0) plan += part.text
      else content.push({ type: 'text', text: part.text })
    } else if (part.type === 'media' || part.type === 'native') losses.drop(`content.${index}`)
  })
  return {
    role: 'assistant',
    ...(content.length > 0 && { content }),
    ...(plan !== '' && { tool_plan: plan }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

/** A call as an entry of `tool_calls`. */
export function renderCall(part: Extract<Part, { type: 'tool_call' }>): JsonObject {
  return {
    id: part.id,
    type: 'function',
    function: { name: part.name, arguments: part.arguments },
  }
}
