import type { GatewayError } from '../../errors/gateway-error'
import type { HealthCall } from './health-call'

export type WaitingCallOptions = {
  /** When the wait ends without success, on the monotonic clock. */
  dueAtMs: number
  /** Gives the place in the queue up; whether it was still held. */
  leave(): boolean
  /** Looks whether somebody can set out now. */
  look(nowMs: number): void
  /** What to say when the wait was too long. */
  toError(): GatewayError
}

/**
 * A request that waits for its turn at a target. It has no timer: whoever holds it ticks it some times a second, as
 * deadlines are, and aborts it when the client leaves.
 */
export class WaitingCall {
  /** The request is under way from the moment it may go. Rejects when it waited too long, or with what it was aborted. */
  readonly granted: Promise<HealthCall>
  readonly #options: WaitingCallOptions
  readonly #resolve: (call: HealthCall) => void
  readonly #reject: (reason: GatewayError) => void

  constructor(options: WaitingCallOptions) {
    const { promise, resolve, reject } = Promise.withResolvers<HealthCall>()
    this.granted = promise
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
  }

  /** For the queue, which has taken it out. */
  grant(call: HealthCall): void {
    this.#resolve(call)
  }

  tick(nowMs: number): void {
    const { dueAtMs, leave, look, toError } = this.#options
    look(nowMs)
    if (nowMs >= dueAtMs && leave()) this.#reject(toError())
  }

  abort(reason: GatewayError): void {
    if (this.#options.leave()) this.#reject(reason)
  }
}
