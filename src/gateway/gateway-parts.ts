import type { Level } from '../keys/virtual-key'
import type { OwnLimit } from '../ledger/account-book'
import type { GovernedRequest, Governor } from '../ledger/governor'
import type { TokenEstimator } from '../pricing/token-estimator'
import type { Envelope } from '../protocols/envelope'
import type { Sender } from '../providers/send'
import type { HealthBook } from '../routing/health/health-book'
import type { Target } from '../routing/target'
import type { Ticker } from '../std/ticker'
import type { RequestLog } from '../telemetry/request-log'
import type { Admission } from './admission'
import type { RequestLabels } from './client-call'
import type { ToolCallMemory } from './tool-call-memory'
import type { FailoverSettings } from './turn'

/** A header's value by its name in lower case; `null` where there is none. */
export type HeaderReader = (name: string) => string | null

/** Who calls, as far as the pipeline cares. */
export type Caller = {
  id: string
  name: string
  /** Whether its bodies are kept; `undefined` leaves it to the settings. */
  bodies: 'off' | 'full' | undefined
  /** The names of its organization, and of its team if it is in one. */
  organization: string
  team: string | undefined
  /** The key, its team and its organization: each must allow a model. */
  levels: readonly Level[]
  /** Budgets and limits of all of these. */
  allLimits: readonly OwnLimit[]
}

/** What the pipeline works with; each is made ready before the first request. */
export type GatewayParts = {
  settings(): GatewaySettings
  ticker: Ticker
  sender: Sender
  admission: Admission
  log: RequestLog
  memory: ToolCallMemory
  estimator: TokenEstimator
  governor: Governor
  health: HealthBook
  /** Whose request it is, and the limits of its own. */
  governed(caller: Caller | undefined, labels: RequestLabels): GovernedRequest
  /**
   * The caller of a presented key; `undefined` where none is required. `header` gives the request's headers, which
   * a key may ask for. Throws `invalid_api_key`.
   */
  authenticate(token: string | undefined, header: HeaderReader): Caller | undefined
  /** The caller may use a model, named `provider/model`. */
  mayUse(caller: Caller | undefined, model: string): boolean
  /** Targets in order. Throws `model_not_found`, `model_not_allowed`. */
  plan(caller: Caller | undefined, envelope: Envelope): readonly Target[]
  /** An unexpected error: told to the program log, never to the client. */
  report(requestId: string, error: unknown): void
}

export type GatewaySettings = {
  headHoldMs: number
  heartbeatMs: number
  clientStallMs: number
  logBodies: 'off' | 'full'
  maxLoggedBodyBytes: number
  failover: FailoverSettings
}

/** An answer on its way to the client. */
export type Answer = {
  status: number
  headers: Record<string, string>
  body: Uint8Array | string | ReadableStream<Uint8Array>
}
