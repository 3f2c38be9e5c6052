import { GatewayError } from '../errors/gateway-error'
import type { Watch } from '../std/ticker'
import { type Lane, leaveLane } from './connection-lanes'

export type DeadlineSettings = {
  connectMs: number
  firstByteMs: number
  betweenFramesMs: number
  totalMs: number
}

type Phase = 'connect' | 'firstByte' | 'betweenFrames' | 'body' | 'total'

/**
 * The deadlines of one attempt, and the one way to end it early: whatever is due, or the client leaving,
 * aborts `signal` with a `GatewayError` as its reason. Comments of the upstream move no deadline.
 */
export class Deadlines implements Watch {
  readonly #controller = new AbortController()
  readonly #provider: string
  readonly #settings: DeadlineSettings
  readonly #totalDueAtMs: number
  #firstByteDueAtMs: number
  #phase: Phase = 'firstByte'
  #dueAtMs: number
  #lane: Lane | undefined

  /** `startedAtMs`: when the request began, on the monotonic clock; the whole request counts from there. */
  constructor(
    provider: string,
    settings: DeadlineSettings,
    startedAtMs: number,
    isConnecting: boolean
  ) {
    this.#provider = provider
    this.#settings = settings
    this.#totalDueAtMs = startedAtMs + settings.totalMs
    const nowMs = performance.now()
    this.#firstByteDueAtMs = nowMs + settings.firstByteMs
    this.#dueAtMs = this.#firstByteDueAtMs
    if (!isConnecting || settings.connectMs >= settings.firstByteMs) return
    this.#phase = 'connect'
    this.#dueAtMs = nowMs + settings.connectMs
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Connecting has a deadline of its own, and has not been seen to succeed. */
  get isConnecting(): boolean {
    return this.#phase === 'connect'
  }

  /** The connection stands: what is awaited now is the first byte, whose time has been running. */
  connected(): void {
    if (this.#phase !== 'connect') return
    this.#phase = 'firstByte'
    this.#dueAtMs = this.#firstByteDueAtMs
  }

  /** A piece of the request was taken: the first byte of the answer is awaited from the last one on. */
  sending(): void {
    this.#phase = 'firstByte'
    this.#firstByteDueAtMs = performance.now() + this.#settings.firstByteMs
    this.#dueAtMs = this.#firstByteDueAtMs
  }

  /** A frame has come, and the next is waited for from now on. */
  awaitFrame(nowMs: number): void {
    this.#phase = 'betweenFrames'
    this.#dueAtMs = nowMs + this.#settings.betweenFramesMs
  }

  /** The head of a whole answer came, or a piece of it: the next may take as long as a first byte, or a frame. */
  awaitBody(): void {
    this.#phase = 'body'
    this.#dueAtMs = performance.now() + this.#bodyMs
  }

  tick(nowMs: number): void {
    if (nowMs >= this.#totalDueAtMs) this.#expire('total', this.#settings.totalMs)
    else if (nowMs < this.#dueAtMs) return
    else if (this.#phase === 'body') this.#expire('body', this.#bodyMs)
    else this.#expire(this.#phase, this.#settings[`${this.#phase}Ms`])
  }

  get #bodyMs(): number {
    return Math.max(this.#settings.firstByteMs, this.#settings.betweenFramesMs)
  }

  /** The attempt has a place in a lane from now on. */
  occupy(lane: Lane): void {
    this.#lane = lane
  }

  /** It needs its connection no more. */
  vacate(): void {
    if (this.#lane === undefined) return
    leaveLane(this.#lane)
    this.#lane = undefined
  }

  abort(reason: GatewayError): void {
    this.vacate()
    this.#controller.abort(reason)
  }

  #expire(phase: Phase, limitMs: number): void {
    const what = {
      connect: `could not be connected to within ${limitMs} ms`,
      firstByte: `sent nothing within ${limitMs} ms`,
      body: `sent no more of its answer within ${limitMs} ms`,
      betweenFrames: `sent no further frame within ${limitMs} ms`,
      total: `did not finish within ${limitMs} ms of the request's start`,
    }[phase]
    this.abort(new GatewayError('upstream_timeout', `the provider '${this.#provider}' ${what}`))
  }
}
