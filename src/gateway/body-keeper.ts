import type { BodiesRecord } from '../telemetry/records'
import { redact } from '../telemetry/redact'

const decoder = new TextDecoder()

/** Keeps the beginning of a request's two bodies for the log: capped as they pass, redacted at the end. */
export class BodyKeeper {
  readonly #request: Uint8Array
  readonly #requestTruncated: boolean
  readonly #maxBytes: number
  #answer: Uint8Array[] = []
  #answerBytes = 0
  #answerTruncated = false

  /** `maxBytes` of each body are kept. */
  constructor(request: Uint8Array, maxBytes: number) {
    this.#request = request.subarray(0, maxBytes)
    this.#requestTruncated = request.length > maxBytes
    this.#maxBytes = maxBytes
  }

  append(bytes: Uint8Array): void {
    const room = this.#maxBytes - this.#answerBytes
    if (bytes.length > room) this.#answerTruncated = true
    if (room <= 0) return
    const kept = bytes.subarray(0, room)
    this.#answer.push(kept)
    this.#answerBytes += kept.length
  }

  toRecord(requestId: string): BodiesRecord {
    return {
      kind: 'bodies',
      requestId,
      request: redact(decoder.decode(this.#request)),
      answer: redact(decoder.decode(Buffer.concat(this.#answer))),
      requestTruncated: this.#requestTruncated,
      answerTruncated: this.#answerTruncated,
    }
  }
}
