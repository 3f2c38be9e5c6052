import type { GatewayError } from '../errors/gateway-error'
import type { Grant, Reservation, Used } from '../ledger/governor'
import type { InputBound } from '../ledger/input-bound'
import type { Envelope, Operation } from '../protocols/envelope'
import type { PlannedTarget } from '../routing/plan'
import type { Target } from '../routing/target'
import { countOf, stringOf } from '../std/record'
import type { HeldRecord, RequestOutcome } from '../telemetry/records'
import type { Metered } from './meter'
import type { RequestLog } from '../telemetry/request-log'
import type { RequestRecord } from './request-record'

/** Their answers have tokens of their own. */
const HAS_OUTPUT: ReadonlySet<Operation> = new Set([
  ...(['generate', 'image', 'speech', 'transcribe', 'batch', 'passthrough'] as const),
])

/** Free of charge everywhere, or charged for elsewhere. */
const FREE: ReadonlySet<string | undefined> = new Set<Operation>(['count', 'file'])

/** Nobody is billed for such a request. */
export function isFree(operation: string | undefined): boolean {
  return FREE.has(operation)
}

/** What a request gets that no limit counts. */
export const UNLIMITED: Reservation = { kind: 'held' }

/** Holds the most that a request could take of a target, as the target's own parameters have it. */
export function reserve(
  grant: Grant,
  { target: { provider, name, card }, params }: PlannedTarget,
  envelope: Envelope,
  { tokens, searches }: InputBound
): Reservation {
  return grant.reserve(
    { provider: provider.name, model: name, credential: toCredential(provider), card },
    {
      inputTokens: tokens,
      searches,
      outputLimit: (params && countOf(params, 'max_tokens')) ?? envelope.outputLimit,
      choices: envelope.choices,
      hasOutput: HAS_OUTPUT.has(envelope.operation),
      serviceTier: (params && stringOf(params, 'service_tier')) ?? envelope.serviceTier,
      ...(envelope.units && { units: envelope.units }),
    }
  )
}

/** As limits call it; only one of several has a name. */
function toCredential({ name, credentialName }: Target['provider']): string | undefined {
  return credentialName === undefined ? undefined : `${name}/${credentialName}`
}

/** What is held, as it is written down; `undefined` where nothing is. */
export function toHeldRecord(
  { name, provider }: Target,
  reservation: Reservation
): HeldRecord | undefined {
  if (reservation.kind !== 'held' || reservation.worst === undefined) return undefined
  const { costNanoUsd } = reservation.worst
  return { model: name, costNanoUsd, credential: toCredential(provider) }
}

/** The same of a target for which nothing was held, since no limit counts its request. */
export function toUnheld({ name, provider }: Target): HeldRecord {
  return { model: name, costNanoUsd: undefined, credential: toCredential(provider) }
}

/** Limits are ours to refuse by; all else that fails behind the plan is the upstream's. */
export function toOutcome(error: GatewayError | undefined): RequestOutcome {
  if (error === undefined) return 'ok'
  if (error.code === 'client_closed') return 'cancelled'
  const isLimit = error.code === 'insufficient_quota' || error.code === 'rate_limit_exceeded'
  return isLimit ? 'refused' : 'failed'
}

/** Books what a request used; where its work goes on behind its answer, what it holds stays held. Its end comes next. */
export function settle(grant: Grant, record: RequestRecord, log: Pick<RequestLog, 'defer'>): void {
  const { deferredAs, target, id } = record
  if (deferredAs === undefined || target === undefined) {
    grant.settle(toUsed(record))
    return
  }
  // Until it is settled nobody knows its cost.
  record.cost = undefined
  const { provider, name: model } = target
  const named = { provider: provider.name, model, credential: toCredential(provider) }
  log.defer(grant.defer({ requestId: id, reference: deferredAs, target: named }))
}

/** What was used of what was held: nothing where nobody answered. */
export function toUsed({ facts, cost, operation }: Metered): Used | undefined {
  if (facts === undefined || isFree(operation)) return undefined
  return {
    costNanoUsd: cost?.costNanoUsd,
    inputTokens: facts.usage?.inputTokens ?? 0,
    outputTokens: facts.usage?.outputTokens ?? 0,
  }
}
