import type { ResendReason } from '../providers/send'
import type { Target } from '../routing/target'
import type { Attendance } from './client-call'

/** A refused HTTP/2 stream was never processed, so it may be sent again until one is taken. */
const MAX_REFUSED_STREAMS = 6

/** How often one target is sent the same request again: where that is safe, or its owner allows it. */
export class Resending {
  readonly #target: Target
  #refusedStreams = 0
  #wasReset = false
  #wasUnknown = false

  constructor(target: Target) {
    this.#target = target
  }

  /** The reason given back is the one that is allowed. */
  allow(resend: ResendReason | undefined): ResendReason | undefined {
    if (resend === 'http2_refused')
      return ++this.#refusedStreams <= MAX_REFUSED_STREAMS ? resend : undefined
    if (resend === 'credential_refused') {
      if (this.#wasUnknown) return undefined
      this.#wasUnknown = true
      return resend
    }
    if (resend === undefined || this.#wasReset) return undefined
    this.#wasReset = true
    return this.#target.provider.configuration.retryOnReset ? resend : undefined
  }

  /** At once the first time; then the connection gets a moment to finish what it has. */
  async pause(presence: Attendance): Promise<void> {
    if (this.#refusedStreams > 1) await presence.sleep(2 ** this.#refusedStreams * Math.random())
  }
}
