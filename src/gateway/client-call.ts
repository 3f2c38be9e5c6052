import { GatewayError } from '../errors/gateway-error'
import type { Form } from '../protocols/form'
import type { RequestRoute } from '../protocols/protocol'
import type { Ticker, Watch } from '../std/ticker'

/** What the pipeline needs of the client's side of a request; `http/` makes one from a `Request`. */
export type ClientCall = {
  /** The virtual key as presented, from whichever header carries it. */
  token: string | undefined
  clientRequestId: string | undefined
  /** What the path says of the request. */
  route: RequestRoute
  /** A target that can't be told everything shall be refused (`x-tg-require: strict`). */
  isStrict: boolean
  /** Headers that may go upstream of the same format as they are; `undefined` for none. */
  passedHeaders: Readonly<Record<string, string>> | undefined
  /** A header's value; `null` where there is none. */
  header(name: string): string | null
  /** Whom the request is for, as its headers say. */
  labels(): RequestLabels
  /**
   * Reads the body, telling `holder` each number of bytes before they are kept. Rejects with
   * `request_too_large`, `request_timeout`, and what `hold` throws.
   */
  readBody(holder: BodyHolder): Promise<Uint8Array>
  /** How the client reaches the gateway: scheme, host and port. */
  origin(): string
  /** The body is multipart/form-data. */
  readonly isForm: boolean
  /** Reads such a body; rejects as `readBody`, and with `invalid_request` and `disk_full`. To be disposed of. */
  readForm(holder: BodyHolder): Promise<ReadForm>
  /** The caller's own credential headers, never the virtual key, for providers that are configured to take them. */
  credentials(): Record<string, string>
  /** Aborts when the client has left; made at the first call. */
  signal(): AbortSignal
  /** Lifts the server's idle timeout while an answer is awaited; `false` puts it back. */
  keepOpen(open: boolean): void
}

/** Whom and what a request is for: its headers `x-tg-user`, `x-tg-session` and `x-tg-tags`. */
export type RequestLabels = {
  readonly user: string | undefined
  readonly session: string | undefined
  readonly tags: readonly string[]
}

/** A form that was read, and what must be let go of when its request is done. */
export type ReadForm = { readonly form: Form; dispose(): void }

/** Counts the bytes of a body; may refuse them by throwing. */
export type BodyHolder = { hold(bytes: number): void }

/** Something that waits on the client's behalf: looked at now and then, and ended when it leaves. */
export type Waiting = Watch & { abort(reason: GatewayError): void }

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
  #waiting: Waiting | undefined

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
    this.#waiting = undefined
    if (this.#isWatched) this.#call.keepOpen(false)
  }

  tick(nowMs: number): void {
    this.#waiting?.tick(nowMs)
    if (this.#isWatched || nowMs - this.#startedAt < LOOK_AFTER_MS) return
    this.#isWatched = true
    this.#call.keepOpen(true)
    const signal = this.#call.signal()
    if (signal.aborted) this.#tell()
    else signal.addEventListener('abort', () => this.#tell())
  }

  /** Who waits now; told at once when the client is known to have left. `undefined` for nobody. */
  attend(waiting: Waiting | undefined): void {
    this.#waiting = waiting
    if (waiting && this.#isWatched && this.hasLeft) this.#tell()
  }

  /** Waits `ms`; throws `client_closed` when the client leaves meanwhile. */
  sleep(ms: number): Promise<void> {
    return sleepAttended(this, ms)
  }

  #tell(): void {
    this.#waiting?.abort(clientClosed())
  }
}

/** Who is told of what waits on a client's behalf, and of its leaving. */
export type Attendance = Pick<Presence, 'attend' | 'sleep'>

/** Waits `ms`; throws what the wait is aborted with. */
export function sleepAttended(attendance: Pick<Attendance, 'attend'>, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      attendance.attend(undefined)
      resolve()
    }, ms)
    attendance.attend({
      tick() {},
      abort(reason) {
        clearTimeout(timer)
        reject(reason)
      },
    })
  })
}

export function clientClosed(): GatewayError {
  return new GatewayError('client_closed', 'the client closed the connection')
}
