import { GatewayError } from '../errors/gateway-error'
import type { AnswerFacts } from '../protocols/protocol'
import type { Deadlines } from '../providers/deadlines'
import { type BegunBody, toBodyError } from '../providers/read-body'
import { endOfJsonValue } from '../std/json-walk'
import type { AnswerStream } from './answer'

/** What a large answer may have in all. */
export const MAX_LARGE_BYTES = 1024 * 1024 * 1024

/** So much of its beginning and its end is looked at for what it used. */
const EDGE_BYTES = 16 * 1024

/** Where formats say what was used: they do so beside what is large. */
const USAGE_KEYS = ['usage', 'usageMetadata', 'meta'] as const

/** What makes an answer one, in any format: how a stand-in begins that says only what was used. */
const EVERY_ANSWER = '{"choices":[{}],"data":[],"embeddings":[],"embedding":[],"results":[]'

const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const SPACE = 0x20

export type LargeAnswerOptions = {
  /** What was read before the head left, and the rest to come. */
  body: BegunBody
  deadlines: Deadlines
  /** Reads an answer's facts, of one that has only what it used. */
  parse(body: Uint8Array): AnswerFacts
  /** It is no JSON, and nothing in it says what was used. */
  isFile: boolean
}

/**
 * A whole answer too large to be held: it goes on as it comes, at its client's pace. One that breaks off, or is no
 * whole object at its end, throws: its client must see a broken connection, never an end.
 */
export class LargeAnswer implements AnswerStream {
  readonly hasContent = true
  readonly #body: BegunBody
  readonly #deadlines: Deadlines
  readonly #parse: (body: Uint8Array) => AnswerFacts
  readonly #beginning: Uint8Array
  #end: Uint8Array
  #length: number
  readonly #isFile: boolean
  #isDone = false

  constructor({ body, deadlines, parse, isFile }: LargeAnswerOptions) {
    this.#body = body
    this.#deadlines = deadlines
    this.#parse = parse
    this.#isFile = isFile
    this.#beginning = body.begun.slice(0, EDGE_BYTES)
    this.#end = body.begun.slice(-EDGE_BYTES)
    this.#length = body.begun.length
  }

  get isDone(): boolean {
    return this.#isDone
  }

  /** What it used, as far as its beginning or its end say it. */
  get facts(): AnswerFacts {
    if (this.#isFile) return this.#parse(this.#end)
    return (
      this.#factsIn(this.#end) ??
      this.#factsIn(this.#beginning) ?? { usage: undefined, finishReasons: [] }
    )
  }

  async next(): Promise<Uint8Array | undefined> {
    let chunk: Uint8Array | undefined
    try {
      chunk = (await this.#body.reader.read()).value
    } catch (cause) {
      throw toBodyError(this.#deadlines, cause)
    }
    if (chunk === undefined) {
      this.#isDone = true
      if (!this.#isFile) this.#assertWhole()
      return undefined
    }
    this.#length += chunk.length
    if (this.#length > MAX_LARGE_BYTES) throw tooLarge()
    this.#keepEnd(chunk)
    this.#deadlines.awaitBody()
    return chunk
  }

  cancel(): void {
    this.#body.reader.cancel().catch(() => {})
  }

  #keepEnd(chunk: Uint8Array): void {
    this.#end =
      chunk.length >= EDGE_BYTES
        ? chunk.slice(-EDGE_BYTES)
        : Buffer.concat([this.#end, chunk]).subarray(-EDGE_BYTES)
  }

  #assertWhole(): void {
    const last = this.#end.findLast((byte) => byte > SPACE)
    const first = this.#beginning.find((byte) => byte > SPACE)
    if (first !== OPEN_BRACE || last === CLOSE_BRACE) return
    throw new GatewayError(
      'upstream_broken',
      'the provider ended its answer before it was finished'
    )
  }

  /** A quote in a text is escaped, so that a key is a key; the last one stands outermost. */
  #factsIn(bytes: Uint8Array): AnswerFacts | undefined {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    for (const key of USAGE_KEYS) {
      const keyAt = text.lastIndexOf(`"${key}"`)
      const colonAt = keyAt < 0 ? -1 : text.indexOf(COLON, keyAt + key.length + 2)
      const start = colonAt < 0 ? -1 : text.indexOf(OPEN_BRACE, colonAt)
      if (start < 0) continue
      const value = text.toString('utf8', start, endOfJsonValue(text, start))
      try {
        // Why it ended stands somewhere in its midst.
        const { usage } = this.#parse(Buffer.from(`${EVERY_ANSWER},"${key}":${value}}`))
        if (usage !== undefined) return { usage, finishReasons: [] }
      } catch {
        // It is nothing that this format says so.
      }
    }
    return undefined
  }
}

function tooLarge(): GatewayError {
  return new GatewayError(
    'upstream_too_large',
    `the provider's answer is larger than ${MAX_LARGE_BYTES} bytes`
  )
}
