import { GatewayError } from '../errors/gateway-error'
import type { Ticker, Watch } from '../std/ticker'

/** What the pipeline needs of the client's side of a request; `http/` makes one from a `Request`. */
export type ClientCall = {
  /** The virtual key as presented, from whichever header carries it. */
  token: string | undefined
  clientRequestId: string | undefined
  /** Headers that may go upstream as they are; `undefined` for none. */
  passedHeaders: Readonly<Record<string, string>> | undefined
  /**
   * Reads the body, calling `hold` with each number of bytes before they are kept. Throws
   * `request_too_large`, `request_timeout`, and what `hold` throws.
   */
  readBody(hold: (bytes: number) => void): Promise<Uint8Array>
  /** Aborts when the client has left; made at the first call. */
  signal(): AbortSignal
  /** Lifts the server's idle timeout while an answer is awaited; `false` puts it back. */
  keepOpen(open: boolean): void
}

/** Most answers are there before it pays to look whether anybody still waits for them. */
const LOOK_AFTER_MS = 200

/**
 * Whether the client is still there, wherever its request is: whoever waits on its behalf is told here. The
 * signal is looked at only when the wait has lasted for some ticks, so leaving is noticed within half a
 * second: Bun makes the signal at the first look, at a tenth of what a short request costs.
 */
export class Presence implements Watch {
  readonly #call: ClientCall
  readonly #ticker: Ticker
  readonly #startedAt: number
  #isWatched = false
  #listener: ((reason: GatewayError) => void) | undefined

  constructor(call: ClientCall, ticker: Ticker, startedAt: number) {
    this.#call = call
    this.#ticker = ticker
    this.#startedAt = startedAt
  }

  get hasLeft(): boolean {
    return this.#call.signal().aborted
  }

  /** From here on the deadlines are the upstream's: the server must not cut a client that waits. */
  await(): void {
    this.#ticker.add(this)
  }

  /** The answer is complete, or nobody waits for it. */
  end(): void {
    this.#ticker.remove(this)
    this.#listener = undefined
    if (this.#isWatched) this.#call.keepOpen(false)
  }

  tick(nowMs: number): void {
    if (this.#isWatched || nowMs - this.#startedAt < LOOK_AFTER_MS) return
    this.#isWatched = true
    this.#call.keepOpen(true)
    const signal = this.#call.signal()
    if (signal.aborted) this.#tell()
    else signal.addEventListener('abort', () => this.#tell())
  }

  /** Sets who is told; at once when the client is known to have left. `undefined` stops listening. */
  onLeave(listener: ((reason: GatewayError) => void) | undefined): void {
    this.#listener = listener
    if (listener && this.#isWatched && this.hasLeft) this.#tell()
  }

  /** Waits `ms`; throws `client_closed` when the client leaves meanwhile. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.onLeave(undefined)
        resolve()
      }, ms)
      this.onLeave((reason) => {
        clearTimeout(timer)
        reject(reason)
      })
    })
  }

  #tell(): void {
    this.#listener?.(clientClosed())
  }
}

export function clientClosed(): GatewayError {
  return new GatewayError('client_closed', 'the client closed the connection')
}
