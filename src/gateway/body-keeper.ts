import { describeForm, type Form } from '../protocols/form'
import type { BodiesRecord } from '../telemetry/records'
import { captureBody } from '../telemetry/redact'

/** Keeps the beginning of a request's two bodies for the log: capped as they pass, redacted at the end. */
export class BodyKeeper {
  readonly #request: Uint8Array
  readonly #maxBytes: number
  readonly #answer: Uint8Array[] = []
  #answerBytes = 0

  /** `maxBytes` of each body are kept. */
  constructor(request: Uint8Array | Form, maxBytes: number) {
    this.#request = request instanceof Uint8Array ? request : describeForm(request)
    this.#maxBytes = maxBytes
  }

  append(bytes: Uint8Array): void {
    // One byte more than is kept, so that what was cut is known to be cut.
    const room = this.#maxBytes + 1 - this.#answerBytes
    if (room <= 0) return
    const kept = bytes.slice(0, room)
    this.#answer.push(kept)
    this.#answerBytes += kept.length
  }

  toRecord(requestId: string): BodiesRecord {
    const request = captureBody(this.#request, this.#maxBytes)
    const answer = captureBody(Buffer.concat(this.#answer), this.#maxBytes)
    return {
      kind: 'bodies',
      requestId,
      request: request.text,
      answer: answer.text,
      requestTruncated: request.truncated,
      answerTruncated: answer.truncated,
    }
  }
}
