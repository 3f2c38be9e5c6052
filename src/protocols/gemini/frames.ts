import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord, recordOf, stringOf } from '../../std/record'
import type { JsonObject, JsonValue } from '../json'
import type { AnswerFacts, FrameMeaning, FrameReader } from '../protocol'
import { SaidText } from '../said-text'
import { mergeUsage, type Usage } from '../usage'
import { toErrorInAnswer } from './errors'
import { asObject } from './members'
import { toUsage } from './usage'

/** More than any host gives; bounds what a broken upstream can make us hold. */
export const MAX_CANDIDATES = 1024

/**
 * Reads the frames of streamGenerateContent. There is no end mark: a stream is complete when every candidate that was
 * seen has its finish reason, or the prompt was blocked. https://ai.google.dev/api/generate-content
 */
export class GeminiFrameReader implements FrameReader {
  readonly #finishReasons: string[] = []
  readonly #seen = new Set<number>()
  #finished = 0
  #blockReason: string | undefined
  #usage: Usage | undefined
  readonly #said = new SaidText()

  read(data: string | undefined): FrameMeaning {
    if (data === undefined) return 'comment'
    const chunk = parseChunk(data)
    const usage = toUsage(chunk.usageMetadata)
    if (usage) this.#usage = mergeUsage(this.#usage, usage)
    const blocked = stringOf(chunk.promptFeedback, 'blockReason')
    if (blocked !== undefined) this.#blockReason = blocked
    let meaning: FrameMeaning = blocked === undefined ? 'preamble' : 'content'
    if (Array.isArray(chunk.candidates))
      for (const candidate of chunk.candidates)
        if (this.#readCandidate(candidate)) meaning = 'content'
    return meaning
  }

  isComplete(): boolean {
    if (this.#seen.size === 0) return this.#blockReason !== undefined
    return this.#finished >= this.#seen.size
  }

  facts(): AnswerFacts {
    if (this.#seen.size === 0 && this.#blockReason !== undefined)
      return { usage: this.#usage, finishReasons: [this.#blockReason] }
    const finishReasons = Array.from(this.#finishReasons, (reason) => reason ?? 'unknown')
    return { usage: this.#usage, finishReasons, said: this.#said }
  }

  #hear(parts: unknown): void {
    if (!Array.isArray(parts)) return
    for (const part of parts) {
      this.#said.add(stringOf(part, 'text'))
      const call = recordOf(part, 'functionCall')
      if (call) this.#said.add(JSON.stringify(call))
    }
  }

  /** Notes what a candidate says of itself; true when it holds content or a finish reason. */
  #readCandidate(candidate: unknown): boolean {
    if (!isRecord(candidate)) return false
    const index = typeof candidate.index === 'number' ? candidate.index : 0
    if (!Number.isInteger(index) || index < 0 || index >= MAX_CANDIDATES) return false
    this.#seen.add(index)
    this.#hear(recordOf(candidate, 'content')?.parts)
    const reason = stringOf(candidate, 'finishReason') || undefined
    if (reason !== undefined) {
      if (this.#finishReasons[index] === undefined) this.#finished++
      this.#finishReasons[index] = reason
    }
    return reason !== undefined || hasContent(recordOf(candidate, 'content'))
  }
}

/** A frame's object. Throws `upstream_malformed` for what is none, and `upstream_refused` for an error in it. */
export function parseChunk(data: string): JsonObject {
  let value: JsonValue
  try {
    value = JSON.parse(data)
  } catch {
    value = null
  }
  const chunk = asObject(value)
  if (chunk === undefined)
    throw new GatewayError(
      'upstream_malformed',
      `the provider sent a frame that is not a JSON object: ${excerpt(data, 120)}`
    )
  if (chunk.error) throw toErrorInAnswer(chunk, data)
  return chunk
}

/** Everything in a part is content, but for an empty text alone. */
function hasContent(content: Record<string, unknown> | undefined): boolean {
  if (!Array.isArray(content?.parts)) return false
  return content.parts.some((part) => {
    if (!isRecord(part)) return false
    for (const name in part) if (name !== 'thought' && part[name] !== '') return true
    return false
  })
}
