import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { recordOf } from '../../std/record'
import type { EventReader } from '../chat-protocol'
import type { Citation } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { StreamEvent } from '../stream-event'
import { parseHead, parseSources } from './chat-answer-parse'
import { ChoiceReader } from './chat-choice-reader'
import { asList, asObject } from './chat-json'
import { toErrorInAnswer } from './errors'
import { toUsage } from './usage'

/**
 * Reads the frames of a streamed chat completion into neutral events. `read` throws `upstream_malformed`
 * for what is no frame and `upstream_refused` for an error in one; `end` throws `upstream_broken` when a
 * choice has no finish. A missing `[DONE]` is none: some hosts never send it. Finishes are told at the end,
 * since hosts put sources, filter results and usage behind them.
 * https://platform.openai.com/docs/api-reference/chat-streaming
 */
export class ChatEventReader implements EventReader {
  readonly #choices = new Map<number, ChoiceReader>()
  #answerId: string | undefined
  #sources: Citation[] = []
  #hasStarted = false
  #hasEnded = false

  read(data: string): StreamEvent[] {
    if (this.#hasEnded) return []
    if (data.trim() === '[DONE]') return this.end()
    const chunk = parseChunk(data)
    if (chunk.error) throw toErrorInAnswer(chunk, data)
    const events: StreamEvent[] = []
    // Azure begins with a frame of filter results, vLLM ends with one whose choices are null.
    const choices = asList(chunk.choices)
    const usage = toUsage(chunk.usage) ?? toUsage(recordOf(chunk.x_groq, 'usage'))
    if (!this.#hasStarted && (choices.length > 0 || usage)) this.#start(chunk, events)
    if (chunk.citations || chunk.search_results) this.#sources = parseSources(chunk)
    for (const choice of choices) this.#readChoice(choice, events)
    if (usage) events.push({ type: 'usage', usage })
    return events
  }

  end(): StreamEvent[] {
    if (this.#hasEnded) return []
    const events: StreamEvent[] = []
    for (const [, choice] of [...this.#choices].sort(([a], [b]) => a - b))
      events.push(...choice.end(this.#sources))
    const finished = events.filter(({ type }) => type === 'finish').length
    if (finished === 0 || finished < this.#choices.size)
      throw new GatewayError(
        'upstream_broken',
        "the provider's stream ended before its answer was whole"
      )
    this.#hasEnded = true
    events.push({ type: 'end' })
    return events
  }

  #start(chunk: JsonObject, events: StreamEvent[]): void {
    const head = parseHead(chunk)
    this.#hasStarted = true
    this.#answerId = head.id
    events.push({ type: 'start', ...head })
  }

  #readChoice(json: JsonValue, events: StreamEvent[]): void {
    const choice = asObject(json)
    if (choice === undefined) return
    const index = choice.index ?? 0
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= MAX_CHOICES)
      throw malformed(JSON.stringify(json))
    let reader = this.#choices.get(index)
    if (reader === undefined) {
      reader = new ChoiceReader(index)
      this.#choices.set(index, reader)
    }
    events.push(...reader.read(choice, this.#answerId))
  }
}

/** More than any host gives; bounds what a broken upstream can make us hold. */
const MAX_CHOICES = 1024

function parseChunk(data: string): JsonObject {
  let value: JsonValue
  try {
    value = JSON.parse(data)
  } catch {
    throw malformed(data)
  }
  const chunk = asObject(value)
  if (chunk === undefined) throw malformed(data)
  return chunk
}

function malformed(data: string): GatewayError {
  return new GatewayError(
    'upstream_malformed',
    `the provider sent a frame that is no part of an answer: ${excerpt(data, 120)}`
  )
}
