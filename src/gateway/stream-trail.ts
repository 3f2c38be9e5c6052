import type { EventReader, FrameWriter } from '../protocols/chat-protocol'
import type { AnswerFacts, FrameMeaning, FrameReader } from '../protocols/protocol'
import type { StreamEvent } from '../protocols/stream-event'

/** More text than that is not remembered: such an answer is not gone on with. */
const MAX_TEXT_CHARACTERS = 1024 * 1024
/** Pieces joined so far are made one string then, or each would keep its own memory. */
const PIECES = 64

/**
 * What a client has been told of an answer so far, and who writes on where it stops: the writer of its frames, which
 * knows ids, numbers and open blocks. It is a writer itself, that takes note of what it writes.
 */
export class StreamTrail implements FrameWriter {
  readonly #writer: FrameWriter
  readonly #open = new Map<number, 'text' | 'reasoning'>()
  #text = ''
  #pieces = 0
  #nextIndex = 0
  #isPlain = true

  constructor(writer: FrameWriter) {
    this.#writer = writer
  }

  /** One text so far, and not at its end: no call of a tool, no thoughts that broke off and so are not signed. */
  get mayGoOn(): boolean {
    if (!this.#isPlain) return false
    for (const kind of this.#open.values()) if (kind === 'reasoning') return false
    return true
  }

  get text(): string {
    return this.#text
  }

  /** The index of the text that goes on; `undefined` where none is open. */
  get openText(): number | undefined {
    for (const [index, kind] of this.#open) if (kind === 'text') return index
    return undefined
  }

  /** The first index that no part has. */
  get nextIndex(): number {
    return this.#nextIndex
  }

  write(events: readonly StreamEvent[]): Uint8Array {
    if (this.#isPlain) for (const event of events) this.#note(event)
    return this.#writer.write(events)
  }

  follow(data: string): void {
    this.#writer.follow?.(data)
  }

  /** What comes next is not understood. */
  giveUp(): void {
    this.#isPlain = false
    this.#text = ''
  }

  #note(event: StreamEvent): void {
    if (event.type === 'part_start') {
      const { part, index } = event
      if (event.choice > 0 || (part.type !== 'text' && part.type !== 'reasoning'))
        return this.giveUp()
      this.#open.set(index, part.type)
      this.#nextIndex = Math.max(this.#nextIndex, index + 1)
      if (part.type === 'text') this.#add(part.text)
    } else if (event.type === 'delta') {
      if (this.#open.get(event.index) === 'text') this.#add(event.text)
    } else if (event.type === 'part_end') this.#open.delete(event.index)
    else if (event.type === 'finish' || event.type === 'logprobs') this.giveUp()
  }

  #add(piece: string): void {
    this.#text += piece
    if (this.#text.length > MAX_TEXT_CHARACTERS) return this.giveUp()
    // A joined string is written out when a letter of it is looked at.
    if (++this.#pieces % PIECES === 0) this.#text.charCodeAt(0)
  }
}

/** Lets the frames of the client's own format pass as they are, and has a trail take note of what they say. */
export class GatheringReader implements FrameReader {
  readonly #frames: FrameReader
  readonly #events: EventReader
  readonly #trail: StreamTrail
  #isLost = false

  constructor(frames: FrameReader, events: EventReader, trail: StreamTrail) {
    this.#frames = frames
    this.#events = events
    this.#trail = trail
    const { output, finish } = frames
    if (output) this.output = () => output.call(frames)
    if (finish) this.finish = () => finish.call(frames)
  }

  output?: () => Uint8Array
  finish?: () => Uint8Array

  read(data: string | undefined, event: string | undefined): FrameMeaning {
    const meaning = this.#frames.read(data, event)
    if (data !== undefined && !this.#isLost) this.#gather(data, event)
    return meaning
  }

  isComplete(): boolean {
    return this.#frames.isComplete()
  }

  facts(): AnswerFacts {
    return this.#frames.facts()
  }

  /** What passes is not to break for what is not understood of it. */
  #gather(data: string, event: string | undefined): void {
    try {
      this.#trail.write(this.#events.read(data, event))
      this.#trail.follow(data)
    } catch {
      this.#isLost = true
      this.#trail.giveUp()
    }
  }
}
