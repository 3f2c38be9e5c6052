import { inTurns } from '../in-turns'
import type { Frame } from '../protocol'
import type { ChatAnswer, ChatChoice } from './chat-choice'
import { DONE_FRAME, sseFrame } from './endpoint'

/** A piece of a choice's message; `tokens` is what it is paced by. */
type Delta = { delta: unknown; tokens: number }

/** A chat answer as frames: a start for each choice, pieces in turns, ends, usage if asked for. */
export function* chatFrames(answer: ChatAnswer, includeUsage: boolean): Generator<Frame> {
  const { choices, head, usage, usageQuirk } = answer
  const givesUsage = includeUsage && usageQuirk !== 'omitted'
  // Where usage is asked for, the provider puts a null into every chunk but the last.
  const noUsageYet = givesUsage ? { usage: null } : {}

  function chunk(chunkChoices: unknown[] | null) {
    return {
      id: head.id,
      object: 'chat.completion.chunk',
      created: head.created,
      model: head.model,
      service_tier: 'default',
      system_fingerprint: 'fp_simulator',
      choices: chunkChoices,
    }
  }
  function choiceChunk(index: number, delta: unknown, finishReason: string | null) {
    const choice = { index, delta, logprobs: null, finish_reason: finishReason }
    return { ...chunk([choice]), ...noUsageYet }
  }

  for (const [index, choice] of choices.entries()) {
    const content = choice.kind === 'text' ? '' : null
    const delta = { role: 'assistant', content, refusal: null }
    yield sseFrame('start', choiceChunk(index, delta, null))
  }
  for (const { index, item } of inTurns(choices.map(deltasOf)))
    yield sseFrame('content', choiceChunk(index, item.delta, null), item.tokens)
  for (const [index, choice] of choices.entries()) {
    const finishReason = choice.kind === 'text' ? choice.finishReason : 'tool_calls'
    yield sseFrame('finish', choiceChunk(index, {}, finishReason))
  }
  if (givesUsage)
    yield sseFrame('usage', { ...chunk(usageQuirk === 'null-choices' ? null : []), usage })
  yield DONE_FRAME
}

function* deltasOf(choice: ChatChoice): Generator<Delta> {
  for (const reasoning_content of choice.thoughts) yield { delta: { reasoning_content }, tokens: 1 }
  if (choice.kind === 'text') {
    for (const content of choice.pieces) yield { delta: { content }, tokens: 1 }
    return
  }
  for (const [index, { id, name, argumentPieces }] of choice.calls.entries()) {
    const opening = { index, id, type: 'function', function: { name, arguments: '' } }
    yield { delta: { tool_calls: [opening] }, tokens: 1 }
    for (const piece of argumentPieces)
      yield { delta: { tool_calls: [{ index, function: { arguments: piece } }] }, tokens: 1 }
  }
}
