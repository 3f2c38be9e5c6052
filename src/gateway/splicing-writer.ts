import type { FrameWriter } from '../protocols/chat-protocol'
import { OverlapTrimmer } from '../protocols/overlap-trimmer'
import type { StreamEvent } from '../protocols/stream-event'
import { addUsage, mergeUsage, type Usage } from '../protocols/usage'
import type { StreamTrail } from './stream-trail'

type IndexedEvent = Extract<StreamEvent, { index: number }>

const NOTHING = new Uint8Array(0)

/**
 * Writes the events of an answer behind those of the one that it goes on with: its text into the text that is open,
 * without what it repeats, other parts behind it, its thoughts not at all. The client is told the usage of both. Nothing
 * is written before it says something, so that an answer that fails until then leaves no trace.
 */
export class SplicingWriter implements FrameWriter {
  readonly #trail: StreamTrail
  readonly #usageBefore: Usage | undefined
  readonly #trimmer: OverlapTrimmer
  /** The client's index of each part; `undefined` for one that it is not told of. */
  readonly #indexes = new Map<number, number | undefined>()
  readonly #pending: StreamEvent[] = []
  /** The part, by the answer's own index, that goes on with the open text. */
  #joined: number | undefined
  #openText: number | undefined
  #usage: Usage | undefined
  #hasSpoken = false

  constructor(trail: StreamTrail, usageBefore: Usage | undefined) {
    this.#trail = trail
    this.#usageBefore = usageBefore
    this.#openText = trail.openText
    this.#trimmer = new OverlapTrimmer(trail.text)
  }

  write(events: readonly StreamEvent[]): Uint8Array {
    if (!this.#hasSpoken) {
      this.#pending.push(...events)
      this.#hasSpoken = events.some(saysSomething)
      if (!this.#hasSpoken) return NOTHING
    }
    const told = this.#pending.length > 0 ? this.#pending.splice(0) : events
    const frames: Uint8Array[] = []
    for (const event of told) {
      const spliced = this.#splice(event)
      if (spliced.length > 0) frames.push(this.#trail.write(spliced))
    }
    return Buffer.concat(frames)
  }

  #splice(event: StreamEvent): StreamEvent[] {
    switch (event.type) {
      case 'start':
      case 'logprobs':
        return []
      case 'usage':
        this.#usage = mergeUsage(this.#usage, event.usage)
        return [{ type: 'usage', usage: addUsage(this.#usageBefore, this.#usage) }]
      case 'finish':
        return event.choice === 0 ? [...this.#closeText(), event] : []
      case 'end':
        return [event]
      case 'part_start':
        return event.choice === 0 ? this.#start(event) : []
      case 'delta':
      case 'signature':
      case 'citation':
      case 'part_facts':
      case 'part_end':
        return event.choice === 0 ? this.#goOn(event) : []
    }
  }

  #start(event: Extract<StreamEvent, { type: 'part_start' }>): StreamEvent[] {
    const { part, index } = event
    if (part.type === 'reasoning') {
      this.#indexes.set(index, undefined)
      return []
    }
    if (part.type !== 'text' || this.#joined !== undefined) {
      const closing = this.#closeText()
      const at = this.#trail.nextIndex
      this.#indexes.set(index, at)
      return [...closing, { ...event, index: at }]
    }
    this.#joined = index
    const at = this.#openText ?? this.#trail.nextIndex
    this.#indexes.set(index, at)
    const text = this.#trimmer.push(part.text)
    const isNew = this.#openText === undefined
    this.#openText = at
    if (isNew) return [{ ...event, index: at, part: { type: 'text', text } }]
    return text === '' ? [] : [{ type: 'delta', choice: 0, index: at, text }]
  }

  #goOn(event: Exclude<IndexedEvent, { type: 'part_start' }>): StreamEvent[] {
    const index = this.#indexes.get(event.index)
    if (index === undefined) return []
    if (event.index !== this.#joined) return [{ ...event, index }]
    if (event.type === 'part_end') return this.#closeText()
    if (event.type !== 'delta') return [{ ...event, index }]
    const text = this.#trimmer.push(event.text)
    return text === '' ? [] : [{ ...event, index, text }]
  }

  /** What was held of the text, and its end; nothing where it has ended. */
  #closeText(): StreamEvent[] {
    const index = this.#openText
    if (index === undefined) return []
    this.#openText = undefined
    const text = this.#trimmer.flush()
    const end = { type: 'part_end', choice: 0, index } as const
    return text === '' ? [end] : [{ type: 'delta', choice: 0, index, text }, end]
  }
}

function saysSomething(event: StreamEvent): boolean {
  if (event.type === 'delta') return event.text !== ''
  if (event.type === 'part_start') return !('text' in event.part) || event.part.text !== ''
  return event.type === 'finish'
}
