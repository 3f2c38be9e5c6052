import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord, recordOf, stringOf } from '../../std/record'
import type { JsonObject } from '../json'
import type { AnswerFacts, FrameMeaning, FrameReader } from '../protocol'
import { SaidText } from '../said-text'
import type { Usage } from '../usage'
import { asObject, parseJson } from './converse-json'
import { toFrameError } from './errors'
import { toUsage } from './usage'

/** What ConverseStream says: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html */
const EVENTS: ReadonlySet<string> = new Set([
  'messageStart',
  'contentBlockStart',
  'contentBlockDelta',
  'contentBlockStop',
  'messageStop',
  'metadata',
])

/** An event's type and members. */
export type ConverseEvent = { type: string; json: JsonObject }

/**
 * One event of ConverseStream. On the wire its type is in the header; some tools record the members inside an object
 * that is named after it. Throws `upstream_refused` for an exception and `upstream_malformed` for what is no event.
 */
export function readConverseEvent(data: string, event: string | undefined): ConverseEvent {
  const error = toFrameError(data, event)
  if (error) throw error
  const json = asObject(parseJson(data))
  if (json === undefined)
    throw new GatewayError(
      'upstream_malformed',
      `the provider sent a frame that is not JSON: ${excerpt(data, 120)}`
    )
  const [name = ''] = Object.keys(json)
  const inner = EVENTS.has(name) && (event === undefined || event === name) ? json[name] : undefined
  if (isRecord(inner)) return { type: name, json: inner }
  return { type: event ?? '', json }
}

/** Follows the frames of a ConverseStream answer that goes on as it is. */
export class ConverseFrameReader implements FrameReader {
  readonly #finishReasons: string[] = []
  #usage: Usage | undefined
  readonly #said = new SaidText()
  #hasMetadata = false

  read(data: string | undefined, event: string | undefined): FrameMeaning {
    if (data === undefined) return 'comment'
    const { type, json } = readConverseEvent(data, event)
    if (type === 'messageStop') return this.#stop(stringOf(json, 'stopReason') ?? 'unknown')
    if (type === 'metadata') {
      this.#hasMetadata = true
      this.#usage = toUsage(json.usage) ?? this.#usage
      return this.isComplete() ? 'done' : 'preamble'
    }
    if (type === 'contentBlockDelta') this.#hear(recordOf(json, 'delta'))
    return isContent(type, json) ? 'content' : 'preamble'
  }

  /** The counts come behind the last word, and a stream that was cut before them is still a whole answer. */
  isComplete(): boolean {
    return this.#finishReasons.length > 0
  }

  facts(): AnswerFacts {
    return { usage: this.#usage, finishReasons: [...this.#finishReasons], said: this.#said }
  }

  #hear(delta: Record<string, unknown> | undefined): void {
    this.#said.add(delta?.text)
    this.#said.add(recordOf(delta, 'toolUse')?.input)
    this.#said.add(recordOf(delta, 'reasoningContent')?.text)
  }

  #stop(reason: string): FrameMeaning {
    this.#finishReasons[0] = reason
    return this.#hasMetadata ? 'done' : 'content'
  }
}

/** Deltas with something in them, and the starts of blocks that bring a name along. */
function isContent(type: string, json: JsonObject): boolean {
  if (type === 'contentBlockStart') return Object.keys(asObject(json.start) ?? {}).length > 0
  if (type === 'contentBlockDelta') return isSubstance(json.delta)
  return false
}

function isSubstance(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false
  if (Array.isArray(value)) return value.some(isSubstance)
  return isRecord(value) ? Object.values(value).some(isSubstance) : true
}
