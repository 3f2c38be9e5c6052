import { GatewayError } from '../errors/gateway-error'
import type { Reservation } from '../ledger/governor'
import type { ResendReason } from '../providers/send'
import type { Plan, PlannedTarget } from '../routing/plan'
import type { Target } from '../routing/target'
import type { UpstreamAnswer } from './answer'
import { attempt, type AttemptContext, type AttemptRequest } from './attempt'
import type { Presence } from './client-call'

/** A refused HTTP/2 stream was never processed, so it may be sent again until one is taken. */
const MAX_REFUSED_STREAMS = 6

export type TurnRequest = AttemptRequest & {
  plan: Plan
  /** Holds what the target may cost. */
  reserve(planned: PlannedTarget): Reservation
}

/**
 * The only way to a model: tries the plan's targets until one answers, each within its limits. Throws the last
 * failure when none does, and what a limit of the caller refuses.
 */
export async function turn(context: AttemptContext, request: TurnRequest): Promise<UpstreamAnswer> {
  let failure: GatewayError | undefined
  for (const planned of request.plan.targets) {
    const { target } = planned
    const reservation = request.reserve(planned)
    if (reservation.kind === 'refused') throw reservation.error
    if (reservation.kind === 'skipped') {
      failure ??= reservation.error
      continue
    }
    request.record.target = target
    let again: Resending | undefined
    let resendOf: ResendReason | undefined
    do {
      const result = await attempt(context, request, planned, resendOf)
      if (result.ok) return result.answer
      failure = result.error
      again ??= new Resending(target)
      resendOf = again.allow(result.resend)
      if (resendOf === 'http2_refused') await again.pause(request.presence)
    } while (resendOf !== undefined)
  }
  throw failure ?? new GatewayError('internal_error', 'the plan of the request is empty')
}

/** How often one target is sent the same request again: where that is safe, or its owner allows it. */
class Resending {
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
  async pause(presence: Presence): Promise<void> {
    if (this.#refusedStreams > 1) await presence.sleep(2 ** this.#refusedStreams * Math.random())
  }
}
