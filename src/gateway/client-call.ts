import { GatewayError } from '../errors/gateway-error'

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
  /** Aborts when the client has left. */
  signal: AbortSignal
  /** Lifts the server's idle timeout while an answer is awaited; `false` puts it back. */
  keepOpen(open: boolean): void
}

/** The client has left, wherever its request is: whoever waits on its behalf is told here. */
export class Presence {
  readonly #signal: AbortSignal
  #listener: ((reason: GatewayError) => void) | undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', () => this.#tell())
  }

  get hasLeft(): boolean {
    return this.#signal.aborted
  }

  /** Sets who is told; at once when the client has left already. `undefined` stops listening. */
  onLeave(listener: ((reason: GatewayError) => void) | undefined): void {
    this.#listener = listener
    if (listener && this.#signal.aborted) this.#tell()
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
