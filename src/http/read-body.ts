import { GatewayError } from '../errors/gateway-error'
import type { BodyHolder, ReadForm } from '../gateway/client-call'
import type { FormSettings } from './read-form'
import type { Ticker, Watch } from '../std/ticker'

const BODY_DEADLINE_MS = 60_000

/** Reads request bodies, each within a deadline (a minute) and within the size the server allows. */
export class BodyReads implements Watch {
  readonly #maxBytes: () => number
  readonly #forms: FormSettings
  readonly #deadlineMs: number
  readonly #waiting = new Set<{ dueAtMs: number; reject: (error: GatewayError) => void }>()

  constructor(
    ticker: Ticker,
    maxBytes: () => number,
    forms: FormSettings,
    deadlineMs: number = BODY_DEADLINE_MS
  ) {
    this.#maxBytes = maxBytes
    this.#forms = forms
    this.#deadlineMs = deadlineMs
    ticker.add(this)
  }

  /** The same of a form, whose files need not fit into memory. */
  readForm(request: Request, holder: BodyHolder): Promise<ReadForm> {
    const reading: typeof import('./read-form') = require('./read-form')
    return reading.readForm(request, holder, this.#forms)
  }

  /** `holder` is told of bytes before they are kept. */
  read(request: Request, holder: BodyHolder): Promise<Uint8Array> {
    const declared = request.headers.get('content-length')
    if (declared === null) return this.#withDeadline(this.#readCounted(request, holder))
    const length = Number(declared)
    if (length > this.#maxBytes()) throw this.#tooLarge()
    holder.hold(length)
    return this.#withDeadline(request.bytes())
  }

  tick(nowMs: number): void {
    for (const waiting of this.#waiting)
      if (nowMs >= waiting.dueAtMs) waiting.reject(timedOut(this.#deadlineMs))
  }

  #withDeadline(body: Promise<Uint8Array>): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const waiting = { dueAtMs: performance.now() + this.#deadlineMs, reject }
      this.#waiting.add(waiting)
      body.then(
        (bytes) => {
          this.#waiting.delete(waiting)
          return resolve(bytes)
        },
        (error: unknown) => {
          this.#waiting.delete(waiting)
          reject(toReadError(error))
        }
      )
    })
  }

  async #readCounted(request: Request, holder: BodyHolder): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of request.body ?? []) {
      length += chunk.length
      if (length > this.#maxBytes()) throw this.#tooLarge()
      holder.hold(chunk.length)
      chunks.push(chunk)
    }
    const [first] = chunks
    return chunks.length === 1 && first ? first : Buffer.concat(chunks, length)
  }

  #tooLarge(): GatewayError {
    const limit = this.#maxBytes()
    return new GatewayError(
      'request_too_large',
      `the body is larger than ${limit} bytes, the most this gateway takes (server.max_body)`
    )
  }
}

function timedOut(deadlineMs: number): GatewayError {
  return new GatewayError(
    'request_timeout',
    `the body did not arrive within ${deadlineMs / 1000} s`
  )
}

/** A body breaks off when its client leaves. */
function toReadError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  return new GatewayError(
    'client_closed',
    'the client closed the connection before its body ended',
    {
      cause: error,
    }
  )
}
