import type { Answer, Choice } from './answer'
import type { Part } from './generation'
import type { StreamEvent } from './stream-event'
import { mergeUsage } from './usage'

type OpenChoice = { parts: Map<number, Part>; choice: Choice }

/** The answer that a stream of neutral events comes to, as an SDK's stream helper would put it together. */
export function accumulate(events: Iterable<StreamEvent>): Answer {
  const answer: Answer = { choices: [] }
  const choices = new Map<number, OpenChoice>()
  for (const event of events) {
    if (event.type === 'start') {
      const { id, model, createdAt, serviceTier } = event
      Object.assign(answer, { id, model, createdAt, serviceTier })
    } else if (event.type === 'usage') answer.usage = mergeUsage(answer.usage, event.usage)
    else if (event.type !== 'end') apply(openChoice(choices, event.choice), event)
  }
  answer.choices = inOrder(choices).map(({ parts, choice }) => {
    choice.parts = inOrder(parts)
    return choice
  })
  return answer
}

function inOrder<T>(byIndex: ReadonlyMap<number, T>): T[] {
  return [...byIndex].sort(([a], [b]) => a - b).map(([, value]) => value)
}

function openChoice(choices: Map<number, OpenChoice>, index: number): OpenChoice {
  const known = choices.get(index)
  if (known) return known
  const opened: OpenChoice = {
    parts: new Map(),
    choice: { parts: [], finish: { reason: 'unknown', native: '' } },
  }
  choices.set(index, opened)
  return opened
}

type ChoiceEvent = Extract<StreamEvent, { choice: number }>

function apply({ parts, choice }: OpenChoice, event: ChoiceEvent): void {
  if (event.type === 'finish') choice.finish = event.finish
  else if (event.type === 'logprobs') (choice.logprobs ??= []).push(...event.tokens)
  else if (event.type === 'part_start') parts.set(event.index, copyOf(event.part))
  else {
    const part = parts.get(event.index)
    if (part) grow(part, event)
  }
}

/** What grows here must not grow in the event. */
function copyOf(part: Part): Part {
  return part.type === 'text' && part.citations
    ? { ...part, citations: [...part.citations] }
    : { ...part }
}

function grow(part: Part, event: ChoiceEvent): void {
  if (event.type === 'delta') append(part, event.text)
  else if (event.type === 'signature') Object.assign(part, { signature: event.signature })
  else if (event.type === 'part_facts') Object.assign(part, event.facts)
  else if (event.type === 'citation' && part.type === 'text')
    (part.citations ??= []).push(event.citation)
}

function append(part: Part, text: string): void {
  if (part.type === 'text' || part.type === 'reasoning' || part.type === 'refusal')
    part.text += text
  else if (part.type === 'tool_call') part.arguments += text
  else if (part.type === 'media' && 'base64' in part.data)
    part.data = { base64: part.data.base64 + text }
}
