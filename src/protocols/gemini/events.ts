import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { stringOf } from '../../std/record'
import type { Finish } from '../answer'
import type { EventReader } from '../chat-protocol'
import type { JsonObject, JsonValue } from '../json'
import type { StreamEvent } from '../stream-event'
import { indexOf, parseHead } from './answer-parse'
import { CandidateReader } from './candidate-reader'
import { parseBlock } from './finish'
import { MAX_CANDIDATES, parseChunk } from './frames'
import { asList, asObject } from './members'
import { toUsage } from './usage'

/**
 * Reads the frames of streamGenerateContent into neutral events. `read` throws `upstream_malformed` for what is no
 * frame, and `upstream_refused` for an error in one or a candidate that failed; `end` throws `upstream_broken` when a
 * candidate has no finish. There is no end mark, so finishes are told at the end: usage and sources may stand behind
 * them. https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
export class GeminiEventReader implements EventReader {
  readonly #candidates = new Map<number, CandidateReader>()
  #answerId: string | undefined
  #blocked: Finish | undefined
  #hasStarted = false
  #hasEnded = false

  read(data: string): StreamEvent[] {
    if (this.#hasEnded) return []
    const chunk = parseChunk(data)
    const events: StreamEvent[] = []
    if (!this.#hasStarted) this.#start(chunk, events)
    const blockReason = stringOf(chunk.promptFeedback, 'blockReason')
    if (blockReason !== undefined)
      this.#blocked = parseBlock(blockReason, stringOf(chunk.promptFeedback, 'blockReasonMessage'))
    for (const candidate of asList(chunk.candidates)) this.#readCandidate(candidate, events)
    const usage = toUsage(chunk.usageMetadata)
    if (usage) events.push({ type: 'usage', usage })
    return events
  }

  end(): StreamEvent[] {
    if (this.#hasEnded) return []
    const events: StreamEvent[] = []
    for (const [, candidate] of [...this.#candidates].sort(([a], [b]) => a - b))
      events.push(...candidate.end())
    if (this.#candidates.size === 0 && this.#blocked)
      events.push({ type: 'finish', choice: 0, finish: this.#blocked })
    const finished = events.filter(({ type }) => type === 'finish').length
    if (finished === 0 || finished < this.#candidates.size)
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

  #readCandidate(json: JsonValue, events: StreamEvent[]): void {
    const candidate = asObject(json)
    if (candidate === undefined) return
    const index = indexOf(candidate) ?? 0
    if (!Number.isInteger(index) || index < 0 || index >= MAX_CANDIDATES)
      throw new GatewayError(
        'upstream_malformed',
        `the provider sent a candidate with an index that is none: ${excerpt(JSON.stringify(json), 120)}`
      )
    let reader = this.#candidates.get(index)
    if (reader === undefined) {
      reader = new CandidateReader(index)
      this.#candidates.set(index, reader)
    }
    events.push(...reader.read(candidate, this.#answerId))
  }
}
