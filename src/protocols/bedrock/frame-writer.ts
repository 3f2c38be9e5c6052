import type { Finish } from '../answer'
import type { FrameWriter } from '../chat-protocol'
import type { Part } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { mergeUsage, type Usage } from '../usage'
import { type ChoiceEvent, BlockWriter } from './block-writer'
import { renderFields, renderMetrics, renderTier } from './chat-answer'
import { defined } from './converse-json'
import { EventStreamEncoder } from './event-stream'
import { renderStopReason } from './finish'
import { renderUsage } from './usage'

/** A part on its way, and what of it waits for the one before it to end. */
type WaitingPart = { index: number; part: Part; events: ChoiceEvent[]; hasEnded: boolean }

const EMPTY = new Uint8Array(0)

/**
 * Writes neutral events as ConverseStream. Its blocks may stand in one another by their numbers, but clients that keep
 * one block at a time are many: so a part's blocks begin when those of the part before have ended.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
 */
export class ConverseFrameWriter implements FrameWriter {
  readonly #encoder = new EventStreamEncoder()
  readonly #losses: Losses
  readonly #waiting: WaitingPart[] = []
  readonly #writer: BlockWriter
  #frames: Uint8Array[] = []
  #hasStarted = false
  #finish: Finish | undefined
  #usage: Usage | undefined
  #serviceTier: string | undefined

  constructor(losses: Losses) {
    this.#losses = losses
    this.#writer = new BlockWriter((type, json) => this.#emit(type, json), losses)
  }

  write(events: readonly StreamEvent[]): Uint8Array {
    for (const event of events) this.#write(event)
    const frames = this.#frames
    this.#frames = []
    const [first] = frames
    if (first === undefined) return EMPTY
    return frames.length === 1 ? first : Buffer.concat(frames)
  }

  #emit(type: string, json: JsonObject): void {
    if (!this.#hasStarted) {
      this.#hasStarted = true
      this.#frames.push(this.#encoder.event('messageStart', { role: 'assistant' }))
    }
    this.#frames.push(this.#encoder.event(type, json))
  }

  #write(event: StreamEvent): void {
    if (event.type === 'start') this.#serviceTier = event.serviceTier
    else if (event.type === 'usage') this.#usage = mergeUsage(this.#usage, event.usage)
    else if (event.type === 'end') this.#end()
    else if (event.choice > 0) this.#losses.drop(`choices.${event.choice}`)
    else if (event.type === 'logprobs') this.#losses.drop('logprobs')
    else if (event.type === 'finish') this.#finish = event.finish
    else this.#take(event)
  }

  #take(event: ChoiceEvent): void {
    const { index } = event
    if (event.type === 'part_start')
      this.#waiting.push({ index, part: event.part, events: [], hasEnded: false })
    const waiting = this.#waiting.find((known) => known.index === index)
    if (waiting === undefined) return
    waiting.events.push(event)
    if (event.type === 'part_end') waiting.hasEnded = true
    this.#flush()
  }

  /** The first part goes on as its events come; those behind it when it has ended. */
  #flush(): void {
    for (;;) {
      const [first] = this.#waiting
      if (first === undefined) return
      for (const event of first.events.splice(0)) this.#writer.write(event)
      if (!first.hasEnded) return
      this.#waiting.shift()
    }
  }

  #end(): void {
    for (const waiting of this.#waiting) waiting.hasEnded = true
    this.#flush()
    const finish = this.#finish ?? { reason: 'unknown', native: '' }
    const stop = {
      stopReason: renderStopReason(finish, this.#losses),
      additionalModelResponseFields: renderFields(finish),
    }
    this.#emit('messageStop', defined(stop))
    const metadata = {
      usage: this.#usage && renderUsage(this.#usage, this.#losses),
      metrics: renderMetrics(this.#losses),
      serviceTier: renderTier(this.#serviceTier),
    }
    this.#emit('metadata', defined(metadata))
  }
}
