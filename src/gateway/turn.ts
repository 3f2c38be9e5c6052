import { GatewayError } from '../errors/gateway-error'
import type { ResendReason } from '../providers/send'
import type { Target } from '../routing/target'
import type { UpstreamAnswer } from './answer'
import { attempt, type AttemptContext, type AttemptRequest } from './attempt'

/** A refused HTTP/2 stream was never processed, so it may be sent again until one is taken. */
const MAX_REFUSED_STREAMS = 6

export type TurnRequest = Omit<AttemptRequest, 'target' | 'resendOf'> & {
  /** The targets in order; never empty. */
  plan: readonly Target[]
}

/**
 * The only way to a model: tries the plan's targets until one answers. Throws the last failure when none
 * does.
 */
export async function turn(context: AttemptContext, request: TurnRequest): Promise<UpstreamAnswer> {
  let failure: GatewayError | undefined
  for (const target of request.plan) {
    request.record.provider = target.provider.name
    request.record.servedModel = target.name
    const result = await attemptTarget(context, request, target)
    if (result instanceof GatewayError) failure = result
    else return result
  }
  throw failure ?? new GatewayError('internal_error', 'the plan of the request is empty')
}

/** Attempts one target, and again where that is safe or the provider's owner allows it. */
async function attemptTarget(
  context: AttemptContext,
  request: TurnRequest,
  target: Target
): Promise<UpstreamAnswer | GatewayError> {
  let resendOf: ResendReason | undefined
  let refusedStreams = 0
  let wasReset = false
  for (;;) {
    const result = await attempt(context, { ...request, target, resendOf })
    if (result.ok) return result.answer
    const { error, resend } = result
    if (resend === 'http2_refused' && refusedStreams < MAX_REFUSED_STREAMS) {
      refusedStreams++
      // At once the first time; then the connection gets a moment to finish what it has.
      if (refusedStreams > 1) await request.presence.sleep(2 ** refusedStreams * Math.random())
    } else if (
      resend === 'connection_reset' &&
      !wasReset &&
      target.provider.configuration.retryOnReset
    ) {
      wasReset = true
    } else return error
    resendOf = resend
  }
}
