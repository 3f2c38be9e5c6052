import type { Answer, Choice, FinishReason } from '../answer'
import type { AnswerContext } from '../chat-protocol'
import type { Part } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import type { Usage } from '../usage'

const REASONS: Readonly<Partial<Record<FinishReason, string>>> = {
  stop: 'COMPLETE',
  stop_sequence: 'STOP_SEQUENCE',
  length: 'MAX_TOKENS',
  context_window: 'MAX_TOKENS',
  tool_calls: 'TOOL_CALL',
  content_filter: 'ERROR_TOXIC',
  refusal: 'COMPLETE',
}

/** Cohere's word for an end; one that has none is told as its provider spelled it. */
export function finishOf(choice: Choice | undefined): string {
  const finish = choice?.finish
  return (finish && REASONS[finish.reason]) ?? (finish?.native || 'COMPLETE')
}

/** What is billed leaves nothing out here: providers differ in what they do not bill. */
export function renderUsage(usage: Usage | undefined): JsonObject {
  const counts = {
    input_tokens: usage?.inputTokens ?? 0,
    output_tokens: usage?.outputTokens ?? 0,
  }
  return {
    billed_units: counts,
    tokens: counts,
    ...(usage?.cacheReadTokens !== undefined && { cached_tokens: usage.cacheReadTokens }),
  }
}

/** Writes an answer of POST /v2/chat; of several choices the first. */
export function renderChatAnswer(
  answer: Answer,
  context: AnswerContext,
  losses: Losses
): JsonObject {
  const [first, ...others] = answer.choices
  others.forEach((_, index) => losses.drop(`choices.${index + 1}`))
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

export function renderCall(part: Extract<Part, { type: 'tool_call' }>): JsonObject {
  return {
    id: part.id,
    type: 'function',
    function: { name: part.name, arguments: part.arguments },
  }
}
