import type { RouteParams } from '../config/route-settings'
import type { GatewayError } from '../errors/gateway-error'
import type { Envelope } from '../protocols/envelope'
import type { Generation } from '../protocols/generation'
import type { Protocol } from '../protocols/protocol'
import type { CredentialFault } from '../providers/credential-fault'
import type { ResendReason, Sender } from '../providers/send'
import type { Failure } from '../routing/health/classify-failure'
import type { HealthCall } from '../routing/health/health-call'
import type { Target } from '../routing/target'
import type { AttemptRecord } from '../telemetry/records'
import type { UpstreamAnswer } from './answer'
import type { Attendance, ClientCall } from './client-call'
import type { Continuity } from './continuity'
import type { RequestRecord } from './request-record'
import type { ToolCallMemory } from './tool-call-memory'

export type AttemptContext = {
  sender: Sender
  memory: ToolCallMemory
  log: { attempt(record: AttemptRecord): void }
}

export type AttemptRequest = {
  protocol: Protocol
  envelope: Envelope
  /** The neutral model of the request, made at the first call. */
  generation(): Generation
  /** The same with its pictures in it, where they are elsewhere and a format has to have them; `undefined`: as it is. */
  withMedia(dialect: string): Promise<Generation> | undefined
  call: ClientCall
  presence: Attendance
  record: RequestRecord
  /** How long the client wants to wait for all of it; `undefined` leaves it to the provider's deadlines. */
  timeoutMs: number | undefined
  /** Keeps track of the stream, so that another could go on with it; left out where none would. */
  continuity?: Continuity | undefined
}

export type AttemptResult = { ok: true; answer: UpstreamAnswer } | FailedAttempt

export type FailedAttempt = {
  ok: false
  error: GatewayError
  failure: Failure
  /** What it says of one of several credentials. */
  fault: CredentialFault | undefined
  resend: ResendReason | undefined
}

/** Why the attempt before is repeated. */
export type RetryReason = ResendReason | 'credential_rotated' | 'backoff' | 'hedged' | 'continued'

export type AttemptOf = {
  target: Target
  /** What it is sent in the place of what the client said; `undefined` for nothing. */
  params: RouteParams | undefined
  retryOf: RetryReason | undefined
  /** The target's health hears how it ends. */
  health: HealthCall
}
