import { GatewayError } from '../../errors/gateway-error'

/** Why a target takes no request now. */
export type RefusalReason =
  /** It failed too often; from time to time a probe finds out whether it is back. */
  | 'circuit_open'
  /** Its provider is found unwell by probes of its own. */
  | 'probe_failed'
  /** It is just back, and gets a rising share of its requests. */
  | 'recovering'
  /** It asked to be left alone, or its credential is refused. */
  | 'cooling_down'
  /** It gets as many requests a second as it was found to take. */
  | 'throttled'
  /** It has as many requests under way as it was found to bear. */
  | 'saturated'

export type HealthRefusal = {
  readonly reason: RefusalReason
  /** When asking again can help. */
  readonly retryAfterMs: number
}

const REASONS: Readonly<Record<RefusalReason, string>> = {
  circuit_open: 'has failed too often lately',
  probe_failed: 'is at a provider that fails its probes',
  recovering: 'is recovering from failures',
  cooling_down: 'asked to be left alone, or refused its credential',
  throttled: 'takes no more requests a second',
  saturated: 'takes no more requests at once',
}

/** The error for a request that has no other target: `overloaded`, 503, with `retry-after`. */
export function toHealthError(
  target: string,
  { reason, retryAfterMs }: HealthRefusal
): GatewayError {
  return new GatewayError('overloaded', `'${target}' ${REASONS[reason]}; try again shortly`, {
    retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1_000)),
  })
}
