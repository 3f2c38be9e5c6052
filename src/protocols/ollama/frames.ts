import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { recordOf, stringOf } from '../../std/record'
import type { JsonObject, JsonValue } from '../json'
import type { AnswerFacts, FrameMeaning, FrameReader } from '../protocol'
import { SaidText } from '../said-text'
import { toAnswerError } from './errors'
import { asList, asObject } from './own'
import { parseUsage } from './usage'

/** One line's object. Throws `upstream_malformed`, and `upstream_refused` for an error in it. */
export function parseLine(data: string): JsonObject {
  let value: JsonValue | undefined
  try {
    value = JSON.parse(data)
  } catch {
    value = undefined
  }
  const line = asObject(value)
  if (line === undefined)
    throw new GatewayError(
      'upstream_malformed',
      `the provider sent a line that is not a JSON object: ${excerpt(data, 120)}`
    )
  const error = toAnswerError(line, data)
  if (error) throw error
  return line
}

/** Follows the lines of a stream that passes as it is. https://docs.ollama.com/api/streaming */
export class OllamaFrameReader implements FrameReader {
  readonly #said = new SaidText()
  readonly #facts: AnswerFacts = { usage: undefined, finishReasons: [], said: this.#said }
  #isDone = false

  read(data: string | undefined): FrameMeaning {
    if (data === undefined) return 'comment'
    const line = parseLine(data)
    const message = recordOf(line, 'message')
    this.#said.add(message?.content)
    this.#said.add(message?.thinking)
    const calls = asList(asObject(line.message)?.tool_calls)
    if (calls.length > 0) this.#said.add(JSON.stringify(calls))
    if (line.done === true) {
      this.#isDone = true
      this.#facts.usage = parseUsage(line)
      this.#facts.finishReasons[0] = stringOf(line, 'done_reason') ?? 'unknown'
      return 'done'
    }
    const images = asList(asObject(line.message)?.images)
    const hasText = Boolean(message?.content) || Boolean(message?.thinking)
    return hasText || calls.length > 0 || images.length > 0 ? 'content' : 'preamble'
  }

  isComplete(): boolean {
    return this.#isDone
  }

  facts(): AnswerFacts {
    return this.#facts
  }
}
