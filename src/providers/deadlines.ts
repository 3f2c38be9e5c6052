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

/** What can be ended early: ended already, it takes no notice. */
export type Abortable = { abort(reason: GatewayError): void }

/**
 * The deadlines of one attempt, and the one way to end it early: whatever is due, or the client leaving, aborts what is
 * attached and `signal`, with a `GatewayError` as its reason. Comments of the upstream move no deadline.
 */
export class Deadlines implements Watch {
  #controller: AbortController | undefined
  #reason: GatewayError | undefined
  #attached: Abortable | undefined
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

  /** For what takes signals alone. Each costs about 8 µs, so none is made where `attach` serves. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#reason) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  /** Why the attempt was ended early, once it is. */
  get reason(): GatewayError | undefined {
    return this.#reason
  }

  /** Ended with the attempt, in the place of what was attached before. */
  attach(attached: Abortable): void {
    this.#attached = attached
    if (this.#reason) attached.abort(this.#reason)
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
    if (this.#reason) return
    this.#reason = reason
    this.#controller?.abort(reason)
    this.#attached?.abort(reason)
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
