import type { GovernedRequest, Governor } from '../ledger/governor'
import type { TokenEstimator } from '../pricing/token-estimator'
import type { FetchMedia } from '../providers/fetch-media'
import type { Provider } from '../providers/provider'
import type { Sender } from '../providers/send'
import type { AffinityBook } from '../routing/affinity'
import type { HealthBook } from '../routing/health/health-book'
import type { HedgeBudgets } from '../routing/health/hedge-budget'
import type { Plan } from '../routing/plan'
import type { Target } from '../routing/target'
import type { PlanRequest } from '../routing/route-caller'
import type { Ticker } from '../std/ticker'
import type { RequestLog } from '../telemetry/request-log'
import type { Admission } from './admission'
import type { Caller, HeaderReader } from './caller'
import type { RequestLabels } from './client-call'
import type { ToolCallMemory } from './tool-call-memory'
import type { Vault } from './vault'
import type { FailoverSettings } from './turn'

/** What the pipeline works with; each is made ready before the first request. */
export type GatewayParts = {
  settings(): GatewaySettings
  ticker: Ticker
  sender: Sender
  admission: Admission
  log: RequestLog
  memory: ToolCallMemory
  estimator: TokenEstimator
  vault: Vault
  governor: Governor
  health: HealthBook
  affinity: AffinityBook
  hedges: HedgeBudgets
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
  plan(request: PlanRequest): Plan
  /** Those that are configured. */
  providers(): readonly Provider[]
  /** The target of a model by its name alone. Throws `model_not_found`. */
  resolve(model: string): Target
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
  /** How long responses are kept whose providers keep none. */
  keepResponsesMs: number
  /** Fetches pictures for providers that can't; `undefined` where that is switched off. */
  fetchMedia: FetchMedia | undefined
}

/** An answer on its way to the client. */
export type Answer = {
  status: number
  headers: Record<string, string>
  body: Uint8Array | string | ReadableStream<Uint8Array>
}
