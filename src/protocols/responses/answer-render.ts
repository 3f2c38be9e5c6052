import type { Answer, Choice, Finish, TokenLogprob } from '../answer'
import type { AnswerContext } from '../chat-protocol'
import type { Part } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import type { Usage } from '../usage'
import type { ResponseHead } from './answer-parse'
import { renderFinish } from './finish'
import { groupParts } from './items'
import { partPath, renderOutputItem, wantsSummary } from './output'
import { asObject, ownObject } from './responses-json'
import { renderUsage } from './usage'

/**
 * Writes an answer as a response. The format has one choice: others are reported as dropped. An answer that came
 * in this format keeps its members and their order. https://platform.openai.com/docs/api-reference/responses/object
 */
export function renderChatAnswer(
  answer: Answer,
  context: AnswerContext,
  losses: Losses
): JsonObject {
  const [choice, ...others] = answer.choices
  others.forEach((_, index) => losses.drop(`choices.${index + 1}`))
  const output = choice === undefined ? [] : renderOutput(choice, context, losses)
  const own = ownObject(answer.source)
  if (own) return { ...own, output }
  const finish = choice?.finish ?? { reason: 'unknown', native: '' }
  return finishResponse(
    renderHead(answer, context),
    { output, finish, usage: answer.usage },
    losses
  )
}

/** The parts of a choice as items. */
function renderOutput(
  choice: Choice,
  { requestId, request }: AnswerContext,
  losses: Losses
): JsonObject[] {
  const output: JsonObject[] = []
  const logprobs = assignLogprobs(choice, losses)
  for (const rendering of groupParts(choice.parts)) {
    if (rendering.type === 'item') {
      output.push(rendering.item)
      continue
    }
    const { part, index } = rendering
    const at = { requestId, index: output.length, path: partPath(index) }
    const place = { ...at, losses, summarizes: wantsSummary(request) }
    const item = renderOutputItem(part, place, logprobs.get(part) ?? [])
    if (item) output.push(item)
  }
  return output
}

/** The format has log probabilities with each text: tokens go to the texts in order, as far as they reach. */
function assignLogprobs(
  { parts, logprobs = [] }: Choice,
  losses: Losses
): Map<Part, TokenLogprob[]> {
  const assigned = new Map<Part, TokenLogprob[]>()
  const texts = parts.filter((part) => part.type === 'text')
  if (texts.length === 0 && logprobs.length > 0) losses.drop('choices.0.logprobs')
  let at = 0
  for (const text of texts) {
    const tokens: TokenLogprob[] = []
    const isLast = text === texts.at(-1)
    for (let length = 0; at < logprobs.length && (isLast || length < text.text.length); at++) {
      const token = logprobs[at]
      if (token === undefined) break
      tokens.push(token)
      length += token.token.length
    }
    assigned.set(text, tokens)
  }
  return assigned
}

/**
 * Everything of a response that is known when it begins. What the client asked for is told back to it, as the
 * format has it.
 */
export function renderHead(head: ResponseHead, context: AnswerContext): JsonObject {
  const asked = ownObject(context.request.source) ?? {}
  const told = (name: string, otherwise: JsonValue): JsonValue => asked[name] ?? otherwise
  return {
    // Another format's ids are not always one of a kind.
    id: head.id?.startsWith('resp_') ? head.id : `resp_${context.requestId}`,
    object: 'response',
    created_at: head.createdAt ?? context.createdAt,
    status: 'in_progress',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: told('instructions', null),
    max_output_tokens: told('max_output_tokens', null),
    max_tool_calls: told('max_tool_calls', null),
    model: head.model ?? context.model,
    output: [],
    parallel_tool_calls: told('parallel_tool_calls', true),
    previous_response_id: context.request.previousId ?? told('previous_response_id', null),
    prompt_cache_key: told('prompt_cache_key', null),
    reasoning: { effort: null, summary: null, ...asObject(asked.reasoning) },
    safety_identifier: told('safety_identifier', null),
    service_tier: head.serviceTier ?? told('service_tier', null),
    store: told('store', true),
    temperature: told('temperature', null),
    text: { format: { type: 'text' }, ...asObject(asked.text) },
    tool_choice: told('tool_choice', 'auto'),
    tools: told('tools', []),
    top_logprobs: told('top_logprobs', 0),
    top_p: told('top_p', null),
    truncation: told('truncation', 'disabled'),
    usage: null,
    user: told('user', null),
    metadata: told('metadata', {}),
  }
}

/** The head with all that is known at the end. */
export function finishResponse(
  head: JsonObject,
  { output, finish, usage }: { output: JsonObject[]; finish: Finish; usage: Usage | undefined },
  losses: Losses
): JsonObject {
  return {
    ...head,
    ...renderFinish(finish, losses),
    output,
    usage: renderUsage(usage, losses),
  }
}
