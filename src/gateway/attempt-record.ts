import type { GatewayError } from '../errors/gateway-error'
import type { Target } from '../routing/target'
import type { AttemptRecord } from '../telemetry/records'
import type { RetryReason } from './attempt-request'

export type EndedAttempt = {
  requestId: string
  /** Its number among those of its request, from 1. */
  number: number
  target: Target
  /** Times of `performance.now()`; when the head came, if it did. */
  requestStartedAt: number
  startedAt: number
  headAt: number | undefined
  status: number | undefined
  error: GatewayError | undefined
  /** Nobody is to blame: another attempt answered first. */
  isLost: boolean
  upstreamRequestId: string | undefined
  retryOf: RetryReason | undefined
}

/** What is written down of an attempt that has just ended. */
export function toAttemptRecord(ended: EndedAttempt): AttemptRecord {
  const { target, startedAt, headAt, error, retryOf } = ended
  return {
    kind: 'attempt',
    requestId: ended.requestId,
    number: ended.number,
    provider: target.provider.name,
    model: target.upstreamModel,
    credential: target.provider.credentialName,
    startedAfterMs: startedAt - ended.requestStartedAt,
    durationMs: performance.now() - startedAt,
    headMs: headAt === undefined ? undefined : headAt - startedAt,
    status: ended.status,
    outcome: error ? (error.code === 'client_closed' ? 'cancelled' : 'failed') : 'ok',
    errorCode: ended.isLost ? undefined : error?.code,
    errorMessage: error && (error.detail ?? error.message),
    upstreamRequestId: ended.upstreamRequestId,
    retryOf,
    possiblyBilledTwice: retryOf === 'connection_reset',
  }
}
