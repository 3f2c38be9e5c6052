import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { recordOf, stringOf } from '../../std/record'
import type { JsonObject, JsonValue } from '../json'
import type { AnswerFacts, FrameMeaning, FrameReader } from '../protocol'
import { SaidText } from '../said-text'
import { mergeUsage } from '../usage'
import { toStreamError } from './errors'
import { asObject } from './own'
import { parseUsage } from './usage'

/** The data of one event; throws `upstream_malformed`, and `upstream_refused` for an error event. */
export function parseEvent(data: string): JsonObject {
  let json: JsonValue | undefined
  try {
    json = JSON.parse(data)
  } catch {
    json = undefined
  }
  const value = asObject(json)
  if (value === undefined || typeof value.type !== 'string')
    throw new GatewayError(
      'upstream_malformed',
      `the provider sent a frame that is no event: ${excerpt(data, 120)}`
    )
  if (value.type === 'error') throw toStreamError(value, data)
  return value
}

/**
 * Follows the frames of a stream that passes as it is.
 * https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export class MessageFrameReader implements FrameReader {
  readonly #said = new SaidText()
  readonly #facts: AnswerFacts = { usage: undefined, finishReasons: [], said: this.#said }
  #isDone = false

  read(data: string | undefined): FrameMeaning {
    if (data === undefined) return 'comment'
    const event = parseEvent(data)
    this.#note(event)
    if (event.type === 'message_stop') {
      this.#isDone = true
      return 'done'
    }
    if (event.type === 'ping') return 'heartbeat'
    if (event.type === 'message_start') return 'preamble'
    return isEmptyStart(event) ? 'preamble' : 'content'
  }

  isComplete(): boolean {
    return this.#isDone
  }

  facts(): AnswerFacts {
    return this.#facts
  }

  #note(event: Record<string, unknown>): void {
    const said = event.type === 'message_start' ? recordOf(event, 'message') : event
    const usage = parseUsage(said?.usage)
    if (usage) this.#facts.usage = mergeUsage(this.#facts.usage, usage)
    const delta = recordOf(event, 'delta')
    if (delta) this.#said.add(delta.text ?? delta.thinking ?? delta.partial_json)
    const reason = stringOf(delta, 'stop_reason')
    if (reason !== undefined) this.#facts.finishReasons[0] = reason
  }
}

function isEmptyStart(event: Record<string, unknown>): boolean {
  if (event.type !== 'content_block_start') return false
  const block = recordOf(event, 'content_block')
  return (block?.type === 'text' && !block.text) || block?.type === 'thinking'
}
