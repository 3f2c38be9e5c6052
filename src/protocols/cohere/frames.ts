import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { recordOf, stringOf } from '../../std/record'
import type { JsonObject, JsonValue } from '../json'
import type { AnswerFacts, FrameMeaning, FrameReader } from '../protocol'
import { SaidText } from '../said-text'
import { toErrorInAnswer } from './errors'
import { parseFinish } from './finish'
import { asObject } from './own'
import { parseUsage } from './usage'

/** What some hosts end a stream with, behind its last event. */
const END_MARK = '[DONE]'

/**
 * The data of one event; `undefined` for an end mark. Throws `upstream_malformed`, and `upstream_refused` for an
 * error. https://docs.cohere.com/v2/docs/streaming
 */
export function parseEvent(data: string): JsonObject | undefined {
  if (data === END_MARK) return undefined
  let json: JsonValue | undefined
  try {
    json = JSON.parse(data)
  } catch {
    json = undefined
  }
  const value = asObject(json)
  const error = toErrorInAnswer(value)
  if (error) throw error
  if (value === undefined || typeof value.type !== 'string')
    throw new GatewayError(
      'upstream_malformed',
      `the provider sent a frame that is no event: ${excerpt(data, 120)}`
    )
  return value
}

/**
 * Follows the frames of a stream that passes as it is. https://docs.cohere.com/v2/docs/streaming
 */
export class CohereFrameReader implements FrameReader {
  readonly #said = new SaidText()
  readonly #facts: AnswerFacts = { usage: undefined, finishReasons: [], said: this.#said }
  #isDone = false

  read(data: string | undefined): FrameMeaning {
    if (data === undefined) return 'comment'
    const event = parseEvent(data)
    // An end mark alone is none: without the last event the answer has no end.
    if (event === undefined) return this.#isDone ? 'done' : 'preamble'
    if (event.type === 'message-end') return this.#end(event)
    return this.#hear(event) ? 'content' : 'preamble'
  }

  isComplete(): boolean {
    return this.#isDone
  }

  facts(): AnswerFacts {
    return this.#facts
  }

  #end(event: JsonObject): FrameMeaning {
    const delta = recordOf(event, 'delta')
    this.#facts.usage = parseUsage(delta?.usage)
    const finish = parseFinish(stringOf(delta, 'finish_reason') ?? '', stringOf(delta, 'error'))
    this.#facts.finishReasons[0] = finish.native
    this.#isDone = true
    return 'done'
  }

  /** Notes what the model says; false where that is nothing yet. */
  #hear(event: JsonObject): boolean {
    const message = recordOf(recordOf(event, 'delta'), 'message')
    const content = recordOf(message, 'content')
    const call = recordOf(recordOf(message, 'tool_calls'), 'function')
    const pieces = [content?.text, content?.thinking, message?.tool_plan]
    for (const piece of [...pieces, call?.name, call?.arguments]) this.#said.add(piece)
    if (event.type === 'message-start' || event.type === 'debug') return false
    if (event.type === 'content-start' || event.type === 'tool-plan-delta')
      return pieces.some((piece) => typeof piece === 'string' && piece !== '')
    return true
  }
}
