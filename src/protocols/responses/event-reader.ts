import { GatewayError } from '../../errors/gateway-error'
import type { EventReader } from '../chat-protocol'
import type { JsonObject } from '../json'
import type { StreamEvent } from '../stream-event'
import { parseHead } from './answer-parse'
import { isFailure, toResponseError } from './errors'
import { parseFinish } from './finish'
import { parseEvent } from './frames'
import { ItemReader } from './item-reader'
import { PartSink } from './part-sink'
import { asList, asObject } from './responses-json'
import { toUsage } from './usage'

/**
 * Reads the events of a streamed response into neutral ones. `read` throws `upstream_malformed` for what is no
 * event and `upstream_refused` for an error in one; `end` throws `upstream_broken` when no event has told of the
 * end. Items are known by their index: their ids change from event to event on some hosts.
 * https://platform.openai.com/docs/api-reference/responses-streaming
 */
export class ResponseEventReader implements EventReader {
  readonly #sink = new PartSink()
  readonly #items = new Map<number, ItemReader>()
  #hasStarted = false
  #hasEnded = false

  read(data: string): StreamEvent[] {
    if (this.#hasEnded || data === '[DONE]') return []
    const event = parseEvent(data)
    if (isFailure(event)) throw toResponseError(event)
    const { type } = event
    const response = asObject(event.response)
    if (response && !this.#hasStarted) this.#start(response)
    if (type === 'response.completed' || type === 'response.incomplete') this.#end(response ?? {})
    else if (typeof type === 'string' && typeof event.output_index === 'number')
      this.#readItem(event.output_index, type, event)
    return this.#sink.take()
  }

  end(): StreamEvent[] {
    if (this.#hasEnded) return []
    throw new GatewayError(
      'upstream_broken',
      "the provider's stream ended before its answer was whole"
    )
  }

  #start(response: JsonObject): void {
    this.#hasStarted = true
    this.#sink.push({ type: 'start', ...parseHead(response) })
  }

  #readItem(index: number, type: string, event: JsonObject): void {
    if (!this.#hasStarted) this.#start({})
    let reader = this.#items.get(index)
    if (reader === undefined) {
      reader = new ItemReader(this.#sink)
      this.#items.set(index, reader)
    }
    reader.read(type, event)
  }

  #end(response: JsonObject): void {
    if (!this.#hasStarted) this.#start(response)
    // Hosts that do not tell of their items have them here alone.
    if (this.#items.size === 0)
      for (const item of asList(response.output)) new ItemReader(this.#sink).finish(asObject(item))
    for (const reader of this.#items.values()) reader.finish(undefined)
    const usage = toUsage(response.usage)
    if (usage) this.#sink.push({ type: 'usage', usage })
    const finish = parseFinish(response, this.#sink.started)
    this.#sink.push({ type: 'finish', choice: 0, finish }, { type: 'end' })
    this.#hasEnded = true
  }
}
