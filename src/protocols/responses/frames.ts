import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord, recordOf, stringOf } from '../../std/record'
import type { JsonObject, JsonValue } from '../json'
import type { AnswerFacts, FrameMeaning, FrameReader } from '../protocol'
import { SaidText } from '../said-text'
import { isFailure, toResponseError } from './errors'
import { asObject } from './responses-json'
import { withTier } from '../usage'
import { toUsage } from './usage'

const decoder = new TextDecoder()

/**
 * Reads the frames of a streamed response. It ends with an event that has the whole response; there is no
 * other end mark. https://platform.openai.com/docs/api-reference/responses-streaming
 */
export class ResponseFrameReader implements FrameReader {
  #facts: AnswerFacts = { usage: undefined, finishReasons: [] }
  /** The first event has it already. */
  #id: string | undefined
  #done = false
  readonly #said = new SaidText()

  read(data: string | undefined): FrameMeaning {
    if (data === undefined) return 'comment'
    // Not of the format, but some hosts of it have taken it over from chat.
    if (data === '[DONE]') return this.#done ? 'done' : 'preamble'
    const event = parseEvent(data)
    if (isFailure(event)) throw toResponseError(event)
    if (event.type === 'response.completed' || event.type === 'response.incomplete') {
      this.#facts = responseFacts(recordOf(event, 'response') ?? {})
      this.#done = true
      return 'done'
    }
    this.#id ??= stringOf(recordOf(event, 'response'), 'id')
    this.#said.add(event.delta)
    return isContent(event) ? 'content' : 'preamble'
  }

  isComplete(): boolean {
    return this.#done
  }

  facts(): AnswerFacts {
    return { ...this.#facts, id: this.#facts.id ?? this.#id, said: this.#said }
  }
}

/** The JSON of a frame. Throws `upstream_malformed`. */
export function parseEvent(data: string): JsonObject {
  let value: JsonValue | undefined
  try {
    value = JSON.parse(data)
  } catch {
    value = undefined
  }
  const event = asObject(value)
  if (event) return event
  throw new GatewayError(
    'upstream_malformed',
    `the provider sent a frame that is not JSON: ${excerpt(data, 120)}`
  )
}

const PREAMBLE: ReadonlySet<string> = new Set([
  'response.created',
  'response.queued',
  'response.in_progress',
  'keepalive',
])

/** Of items and parts that are opened, those that are to be filled by deltas say nothing yet. */
function isContent(event: JsonObject): boolean {
  const type = stringOf(event, 'type')
  if (type === undefined || PREAMBLE.has(type)) return false
  if (type === 'response.output_item.added') {
    const opened = stringOf(event.item, 'type')
    return opened !== 'message' && opened !== 'reasoning'
  }
  if (type === 'response.content_part.added') return false
  if (type === 'response.reasoning_summary_part.added') return false
  return !type.endsWith('.delta') || event.delta !== ''
}

/** What a whole response says of itself. */
function responseFacts(response: Record<string, unknown>): AnswerFacts {
  const reason = stringOf(recordOf(response, 'incomplete_details'), 'reason')
  const status = stringOf(response, 'status') ?? 'unknown'
  return {
    usage: withTier(toUsage(response.usage), stringOf(response, 'service_tier')),
    finishReasons: [reason ?? status],
    id: stringOf(response, 'id'),
  }
}

/** Reads a whole response; throws when it is none, or has failed. */
export function parseResponse(body: Uint8Array): AnswerFacts {
  const text = decoder.decode(body)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw malformed(text)
  }
  if (!isRecord(value)) throw malformed(text)
  if (isFailure(value)) throw toResponseError(value)
  if (!Array.isArray(value.output)) throw malformed(text)
  return responseFacts(value)
}

/** The error for a whole answer that is no response. */
export function malformed(text: string): GatewayError {
  return new GatewayError(
    'upstream_malformed',
    text.trim() === ''
      ? 'the provider answered 200 with an empty body'
      : `the provider answered 200 with what is not an answer: ${excerpt(text, 200)}`
  )
}
