import { GatewayError } from '../../errors/gateway-error'
import { stringOf } from '../../std/record'
import type { EventReader } from '../chat-protocol'
import type { MediaPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { StreamEvent } from '../stream-event'
import { madeCallId, parseCreatedAt, parseFinish } from './answer'
import { parseLine } from './frames'
import { parseCall, parseImages } from './generation-parse'
import { parseLogprobs } from './logprobs'
import { asList, asObject } from './own'
import { parseUsage } from './usage'

/** Reads the lines of a streamed answer. Calls come whole; texts and thoughts piece by piece. */
export class OllamaEventReader implements EventReader {
  #parts = 0
  #open: { index: number; type: 'text' | 'reasoning' } | undefined
  #calls = 0
  #prefix: string | undefined
  #hasEnded = false

  read(data: string): StreamEvent[] {
    const line = parseLine(data)
    if (this.#hasEnded) return []
    const events: StreamEvent[] = []
    if (this.#prefix === undefined) {
      this.#prefix = madeCallId(line)
      const model = stringOf(line, 'model')
      events.push({ type: 'start', model, createdAt: parseCreatedAt(line) })
    }
    const message = asObject(line.message) ?? {}
    this.#say('reasoning', stringOf(message, 'thinking'), events)
    this.#say('text', stringOf(message, 'content'), events)
    for (const image of parseImages(message)) this.#image(image, events)
    for (const call of asList(message.tool_calls)) this.#call(call, events)
    const tokens = parseLogprobs(line)
    if (tokens.length > 0) events.push({ type: 'logprobs', choice: 0, tokens })
    if (line.done === true) this.#end(line, events)
    return events
  }

  end(): StreamEvent[] {
    if (this.#hasEnded) return []
    throw new GatewayError(
      'upstream_broken',
      'the provider ended its stream before the answer was finished'
    )
  }

  #say(type: 'text' | 'reasoning', text: string | undefined, events: StreamEvent[]): void {
    if (!text) return
    if (this.#open?.type !== type) {
      this.#close(events)
      const index = this.#parts++
      this.#open = { index, type }
      events.push({ type: 'part_start', choice: 0, index, part: { type, text: '' } })
    }
    events.push({ type: 'delta', choice: 0, index: this.#open.index, text })
  }

  #image(part: MediaPart, events: StreamEvent[]): void {
    this.#close(events)
    const index = this.#parts++
    events.push({ type: 'part_start', choice: 0, index, part })
    events.push({ type: 'part_end', choice: 0, index })
  }

  #call(json: JsonValue, events: StreamEvent[]): void {
    this.#close(events)
    const index = this.#parts++
    const { source: _, ...part } = parseCall(json, `${this.#prefix}_${this.#calls++}`)
    const opened = { ...part, arguments: '' }
    events.push({ type: 'part_start', choice: 0, index, part: opened })
    events.push({ type: 'delta', choice: 0, index, text: part.arguments })
    events.push({ type: 'part_end', choice: 0, index })
  }

  #close(events: StreamEvent[]): void {
    if (this.#open) events.push({ type: 'part_end', choice: 0, index: this.#open.index })
    this.#open = undefined
  }

  #end(line: JsonObject, events: StreamEvent[]): void {
    this.#close(events)
    this.#hasEnded = true
    const usage = parseUsage(line)
    if (usage) events.push({ type: 'usage', usage })
    events.push({ type: 'finish', choice: 0, finish: parseFinish(line, this.#calls > 0) })
    events.push({ type: 'end' })
  }
}
