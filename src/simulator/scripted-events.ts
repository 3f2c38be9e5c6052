import type { Answer } from '../protocols/answer'
import type { Part } from '../protocols/generation'
import type { StreamEvent } from '../protocols/stream-event'
import { inTurns } from './in-turns'
import { CREATED_SECONDS } from './created'
import type { ScriptedAnswer, ScriptedChoice, ScriptedPart } from './scripted-answer'

/** Events that are written together, and the tokens they are paced by. */
export type EventStep = { events: StreamEvent[]; tokens: number }

/** The whole answer in the neutral model. */
export function scriptedWhole({ id, model, choices, usage }: ScriptedAnswer): Answer {
  return {
    id,
    model,
    createdAt: CREATED_SECONDS,
    usage,
    choices: choices.map(({ parts, finish }) => ({
      finish,
      parts: parts.map(({ part, pieces }) => filled(part, [...pieces].join(''))),
    })),
  }
}

/** The answer as the neutral events of a stream, one step for each token. */
export function* scriptedSteps(answer: ScriptedAnswer): Generator<EventStep> {
  const { id, model, choices, usage } = answer
  const head: StreamEvent = { type: 'start', id, model, createdAt: CREATED_SECONDS }
  // Providers that say at the start how long the prompt is say it again, with all else, at the end.
  const prompt = { ...usage, outputTokens: undefined, reasoningTokens: undefined }
  yield { events: [head, { type: 'usage', usage: prompt }], tokens: 0 }
  for (const { item } of inTurns(choices.map(choiceSteps))) yield item
  for (const [choice, { finish }] of choices.entries())
    yield { events: [{ type: 'finish', choice, finish }], tokens: 0 }
  yield { events: [{ type: 'usage', usage }], tokens: 0 }
  yield { events: [{ type: 'end' }], tokens: 0 }
}

function* choiceSteps({ parts }: ScriptedChoice, choice: number): Generator<EventStep> {
  for (const [index, scripted] of parts.entries()) yield* partSteps(scripted, choice, index)
}

function* partSteps(
  { part, pieces }: ScriptedPart,
  choice: number,
  index: number
): Generator<EventStep> {
  const { signature, ...unsigned } = part
  // A call's name is a token of its own.
  const tokens = part.type === 'tool_call' ? 1 : 0
  const opening = part.type === 'tool_call' ? part : unsigned
  yield { events: [{ type: 'part_start', choice, index, part: { ...opening } }], tokens }
  for (const text of pieces) yield { events: [{ type: 'delta', choice, index, text }], tokens: 1 }
  const events: StreamEvent[] = [{ type: 'part_end', choice, index }]
  // What is said is signed when it has been said; a call is with its name.
  if (signature && part.type !== 'tool_call')
    events.unshift({ type: 'signature', choice, index, signature })
  yield { events, tokens: 0 }
}

function filled(part: ScriptedPart['part'], text: string): Part {
  return part.type === 'tool_call' ? { ...part, arguments: text } : { ...part, text }
}
