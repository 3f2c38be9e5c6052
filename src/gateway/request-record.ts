import type { GatewayError } from '../errors/gateway-error'
import { type Losses, renderLosses } from '../protocols/losses'
import type { AnswerFacts } from '../protocols/protocol'
import type { UsageProvenance } from '../protocols/usage'
import type { Cost } from '../pricing/cost'
import type { Dimensions } from '../limits/subject'
import type { Plan } from '../routing/plan'
import type { Target } from '../routing/target'
import type { AttemptRecord, BeginRecord, EndRecord } from '../telemetry/records'
import type { HeldRecord, NamedReason, RequestOutcome, RouteFacts } from '../telemetry/records'

/**
 * All that becomes known of one request, appended by the stages as they learn it. The log row, the headers of
 * the answer and `GET /v1/requests/{id}` are views of it.
 */
export class RequestRecord {
  readonly id = Bun.randomUUIDv7()
  /** On the monotonic clock; every duration counts from here. */
  readonly startedAt = performance.now()
  readonly startedAtMs = Date.now()
  readonly attempts: AttemptRecord[] = []
  /** Targets that were not asked, and why: their health, or a limit. */
  readonly passed: NamedReason[] = []
  /** Attempts that have begun: those above, and the one under way. */
  begunAttempts = 0
  clientRequestId: string | undefined
  keyId: string | undefined
  keyName: string | undefined
  /** Whose request it is. */
  of: Dimensions | undefined
  admittedAtMs: number | undefined
  keepsBodies = false
  api: string | undefined
  operation: string | undefined
  requestedModel: string | undefined
  stream = false
  bodyBytes = 0
  /** Which targets it may go to, and why. */
  plan: Plan | undefined
  /** The last target that was chosen. */
  target: Target | undefined
  /** Time spent on others: the client's upload and the upstream, until the head left. */
  waitedMs = 0
  headLeftMs: number | undefined
  firstTokenMs: number | undefined
  answerBytes = 0
  facts: AnswerFacts | undefined
  /** The service tier that was asked for; the answer's own word counts before it. */
  serviceTier: string | undefined
  /** A tokenizer counted what the provider did not. */
  isUsageEstimated = false
  cost: Cost | undefined
  /** What attempts cost that are settled by themselves, as far as it is known. */
  spentNanoUsd = 0
  /** What is to be booked before the request ends; never rejects. */
  settling: Promise<unknown> | undefined
  /**
   * What the provider calls work that goes on behind the answer, such as a batch's id: set before the request ends, what
   * is held for it stays held until `Governor.settleDeferred` or `releaseDeferred` of its id.
   */
  deferredAs: string | undefined
  /** What the last translation could not say; `undefined` where none was needed. */
  losses: Losses | undefined
  hasBegun = false
  hasEnded = false
  #waitsSince: number | undefined

  elapsedMs(): number {
    return performance.now() - this.startedAt
  }

  /** From here on others are waited for: the client's upload, or the upstream. */
  beginWait(): void {
    if (this.headLeftMs === undefined) this.#waitsSince ??= performance.now()
  }

  endWait(): void {
    if (this.#waitsSince === undefined) return
    this.waitedMs += performance.now() - this.#waitsSince
    this.#waitsSince = undefined
  }

  /** What follows is no longer seen as waiting by whoever reads the head. */
  headLeaves(): void {
    this.endWait()
    this.headLeftMs = this.elapsedMs()
  }

  /** What the gateway itself took until the head left, or until now. */
  gatewayMs(): number {
    return Math.max(0, (this.headLeftMs ?? this.elapsedMs()) - this.waitedMs)
  }

  /** https://www.w3.org/TR/server-timing/ */
  serverTiming(): string {
    const own = `gateway;dur=${toHundredths(this.gatewayMs())}`
    return this.target === undefined ? own : `${own}, upstream;dur=${toHundredths(this.waitedMs)}`
  }

  /** What was lost in translation, as `x-tg-lossy` says it; `undefined` for nothing. */
  lossy(): string | undefined {
    return this.losses && !this.losses.isEmpty ? renderLosses(this.losses.list) : undefined
  }

  toBegin(held?: HeldRecord | undefined): BeginRecord {
    return {
      kind: 'begin',
      id: this.id,
      startedAtMs: this.startedAtMs,
      clientRequestId: this.clientRequestId,
      keyId: this.keyId,
      keyName: this.keyName,
      api: this.api,
      operation: this.operation,
      requestedModel: this.requestedModel,
      stream: this.stream,
      bodyBytes: this.bodyBytes,
      of: this.of,
      admittedAtMs: this.admittedAtMs,
      held,
    }
  }

  /** Nothing where there was one target, and it was asked. */
  #route(): RouteFacts | undefined {
    const { plan, passed } = this
    if (
      plan === undefined ||
      (plan.path.length === 0 &&
        plan.targets.length < 2 &&
        passed.length === 0 &&
        plan.notes.length === 0)
    )
      return undefined
    return plan.isFixed && passed.length === 0 ? toSharedFacts(plan) : toRouteFacts(plan, passed)
  }

  #usageProvenance(): UsageProvenance {
    if (this.isUsageEstimated) return 'estimated'
    return this.facts?.usage ? 'provider' : 'missing'
  }

  toEnd(status: number, outcome: RequestOutcome, error: GatewayError | undefined): EndRecord {
    const totalMs = this.elapsedMs()
    const counts = this.operation !== 'count'
    const answered = counts && (outcome === 'ok' || this.facts?.usage !== undefined)
    return {
      kind: 'end',
      requestId: this.id,
      endedAtMs: Math.round(this.startedAtMs + totalMs),
      status,
      outcome,
      errorCode: error?.code,
      errorMessage: error && (error.detail ? `${error.message}: ${error.detail}` : error.message),
      provider: this.target?.provider.name,
      servedModel: this.target?.name,
      finishReasons: this.facts?.finishReasons ?? [],
      lossy: this.lossy(),
      usage: this.facts?.usage,
      usageProvenance: answered ? this.#usageProvenance() : undefined,
      cost: this.cost,
      firstTokenMs: this.firstTokenMs,
      totalMs,
      gatewayMs: this.gatewayMs(),
      answerBytes: this.answerBytes,
      route: this.#route(),
    }
  }
}

function toRouteFacts(plan: Plan, passed: readonly NamedReason[]): RouteFacts {
  return {
    path: plan.path,
    candidates: plan.targets.map(({ target, reason }) => [target.name, reason] as const),
    excluded: plan.excluded.map(({ name, reason }) => [name, reason] as const),
    ...{ passed, notes: plan.notes },
  }
}

const sharedFacts = new WeakMap<Plan['targets'], RouteFacts>()

/** A fixed plan's targets are one list for all of its requests. */
function toSharedFacts(plan: Plan): RouteFacts {
  const known = sharedFacts.get(plan.targets)
  if (known !== undefined) return known
  const facts: RouteFacts = { ...toRouteFacts(plan, []), isShared: true }
  sharedFacts.set(plan.targets, facts)
  return facts
}

function toHundredths(durationMs: number): number {
  return Math.round(durationMs * 100) / 100
}
