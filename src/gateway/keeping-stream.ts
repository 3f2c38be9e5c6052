import type { JsonObject } from '../protocols/json'
import { parseJsonObject } from '../protocols/json-object'
import { isRecord } from '../std/record'
import { SseFramer } from '../std/sse'
import type { AnswerStream, StreamedAnswer } from './answer'

/** A quote within a text is escaped, so that this is a value of its own: most often the event's type. */
const LAST = /"response\.(completed|incomplete)"/

/** Passes a stream on and keeps the response that its last event has, before the client learns that it was the last. */
export class KeepingStream implements AnswerStream {
  readonly #stream: AnswerStream
  readonly #keep: (response: JsonObject) => Promise<void>
  readonly #framer = new SseFramer()
  #response: JsonObject | undefined

  constructor({ stream, held }: StreamedAnswer, keep: (response: JsonObject) => Promise<void>) {
    this.#stream = stream
    this.#keep = keep
    for (const frames of held) this.#watch(frames)
  }

  get hasContent(): boolean {
    return this.#stream.hasContent
  }

  get isDone(): boolean {
    return this.#stream.isDone
  }

  get facts(): AnswerStream['facts'] {
    return this.#stream.facts
  }

  async next(): Promise<Uint8Array | undefined> {
    const frames = await this.#stream.next()
    if (frames) this.#watch(frames)
    if (this.#response) await this.keepLast()
    return frames
  }

  /** Keeps the response if its last event has been seen. */
  async keepLast(): Promise<void> {
    const response = this.#response
    this.#response = undefined
    if (response) await this.#keep(response)
  }

  cancel(): void {
    this.#stream.cancel()
  }

  #watch(frames: Uint8Array): void {
    for (const { data } of this.#framer.push(frames)) {
      if (data === undefined || !LAST.test(data)) continue
      const event = parseJsonObject(data)
      const isLast = event?.type === 'response.completed' || event?.type === 'response.incomplete'
      if (isLast && isRecord(event.response)) this.#response = event.response
    }
  }
}
