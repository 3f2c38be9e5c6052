import { GatewayError } from '../errors/gateway-error'
import type { Reservation } from '../ledger/governor'
import type { AffinityBook } from '../routing/affinity'
import { backoffMs } from '../routing/health/backoff'
import { chooseAction, type FallbackSwitches } from '../routing/health/choose-action'
import type { Failure } from '../routing/health/classify-failure'
import type { HealthBook } from '../routing/health/health-book'
import type { HealthCall } from '../routing/health/health-call'
import {
  type HealthRefusal,
  type RefusalReason,
  toHealthError,
} from '../routing/health/health-refusal'
import type { TargetHealth } from '../routing/health/target-health'
import type { Plan, PlannedTarget } from '../routing/plan'
import type { Target } from '../routing/target'
import type { UpstreamAnswer } from './answer'
import { attempt } from './attempt'
import type { AttemptContext, AttemptOf, AttemptRequest } from './attempt-request'
import type { AttemptResult, RetryReason } from './attempt-request'
import type { Hedge } from './hedge'
import { Resending } from './resending'
import { Rotation } from './rotation'

export type TurnContext = AttemptContext & { health: HealthBook; affinity: AffinityBook }

export type FailoverSettings = FallbackSwitches & {
  /** How often one target is asked again after a failure of its own, with back-off. */
  readonly retries: number
}

export type TurnRequest = AttemptRequest & {
  plan: Plan
  failover: FailoverSettings
  /** Holds what an attempt of the target may cost. */
  reserve(planned: PlannedTarget): Reservation
  /** Why a target is asked at first, where an attempt of another turn went before. */
  firstReason?: RetryReason | undefined
  /** Has another target asked beside the first one, where that is slow; left out for never. */
  hedge?: Hedge | undefined
}

/**
 * The only way to a model: tries the plan's targets until one answers, each within its limits, and of several
 * credentials those that could do better than the one before. Targets that are not well are passed by while somebody
 * else may answer. Throws the last failure when none does, and what a limit of the caller refuses.
 */
export function turn(context: TurnContext, request: TurnRequest): Promise<UpstreamAnswer> {
  return new Turn(context, request).run()
}

/** Who is only busy may still be asked when all others have failed. */
const BUSY: ReadonlySet<RefusalReason> = new Set(['recovering', 'throttled', 'saturated'])

type Spared = { readonly planned: PlannedTarget; readonly refusal: HealthRefusal }

class Turn {
  readonly #context: TurnContext
  readonly #request: TurnRequest
  readonly #spared: Spared[] = []
  #failure: GatewayError | undefined
  #attempts = 0
  /** Who was asked beside the first one. */
  #hedged: PlannedTarget | undefined

  constructor(context: TurnContext, request: TurnRequest) {
    this.#context = context
    this.#request = request
  }

  /** Most requests have their answer of the first target, and nothing to wait for before it is asked. */
  run(): Promise<UpstreamAnswer> {
    const [first, second] = this.#request.plan.targets
    if (first === undefined) return this.#goOn(0)
    const health = this.#context.health.of(first.target.name)
    const refusal = health.admit()
    if (refusal && second === undefined) return this.#insist(first, health, refusal)
    if (refusal) {
      this.#spare(first, refusal)
      return this.#goOn(1)
    }
    return this.#try(first, health, second !== undefined, undefined).then(
      (answer) => answer ?? this.#goOn(1)
    )
  }

  /** Nobody else may answer: who is not well is asked all the same, the truth comes from there. */
  async #insist(
    planned: PlannedTarget,
    health: TargetHealth,
    refusal: HealthRefusal
  ): Promise<UpstreamAnswer> {
    const granted = await this.#waitFor(health, refusal)
    return (await this.#try(planned, health, false, granted)) ?? this.#fail()
  }

  /** Asks the targets from one on, and at last those that were only busy. */
  async #goOn(from: number): Promise<UpstreamAnswer> {
    const { targets } = this.#request.plan
    for (const [index, planned] of targets.entries()) {
      if (index < from || planned === this.#hedged) continue
      const health = this.#context.health.of(planned.target.name)
      const refusal = health.admit()
      if (refusal) {
        this.#spare(planned, refusal)
        continue
      }
      const hasNext = index < targets.length - 1 || this.#spared.length > 0
      const answer = await this.#try(planned, health, hasNext, undefined)
      if (answer) return answer
    }
    for (const { planned, refusal } of this.#lastResorts()) {
      const health = this.#context.health.of(planned.target.name)
      const granted = await this.#waitFor(health, refusal)
      const answer = await this.#try(planned, health, false, granted)
      if (answer) return answer
    }
    return this.#fail()
  }

  #spare(planned: PlannedTarget, refusal: HealthRefusal): void {
    this.#pass(planned.target, refusal.reason)
    this.#spared.push({ planned, refusal })
  }

  #fail(): never {
    throw this.#failure ?? new GatewayError('internal_error', 'the plan of the request is empty')
  }

  /** Where nobody was asked at all, somebody has to be: the truth comes from a provider. */
  #lastResorts(): readonly Spared[] {
    const busy = this.#spared.filter(({ refusal }) => BUSY.has(refusal.reason))
    return busy.length > 0 || this.#attempts > 0 ? busy : this.#spared.slice(0, 1)
  }

  /**
   * A target with as many requests under way as it bears is waited for, in turns with other callers; all else is better
   * heard from the provider itself. Throws `overloaded` where too many wait, or for too long.
   */
  async #waitFor(health: TargetHealth, refusal: HealthRefusal): Promise<HealthCall | undefined> {
    if (refusal.reason !== 'saturated') return undefined
    const { presence, record } = this.#request
    const waiting = health.wait(record.keyId ?? '')
    if (waiting === undefined) throw toHealthError(health.name, refusal)
    presence.attend(waiting)
    record.beginWait()
    try {
      return await waiting.granted
    } finally {
      record.endWait()
      presence.attend(undefined)
    }
  }

  /** The target's answer; `undefined` where another one is to be tried. Throws where that would be of no use. */
  async #try(
    planned: PlannedTarget,
    health: TargetHealth,
    hasNext: boolean,
    granted: HealthCall | undefined
  ): Promise<UpstreamAnswer | undefined> {
    const { params } = planned
    const { pool } = planned.target.provider
    const rotation = pool && new Rotation(pool, planned)
    let call = granted
    let target = this.#first(planned, rotation, granted)
    let again: Resending | undefined
    let retryOf = this.#request.firstReason
    for (let retries = 0; target;) {
      this.#request.record.target = target
      this.#attempts++
      call ??= health.begin({ isRetry: retryOf === 'backoff' })
      const of = { target, params, retryOf, health: call }
      const result = await (this.#request.hedge && this.#attempts === 1
        ? this.#race(this.#request.hedge, of, planned, rotation)
        : attempt(this.#context, this.#request, of))
      call = undefined
      if (this.#hedged && result.ok) return result.answer
      if (result.ok) {
        rotation?.answered()
        const { conversation } = this.#request.plan
        if (conversation !== undefined) this.#context.affinity.record(conversation, target)
        return result.answer
      }
      this.#failure = result.error
      again ??= new Resending(target)
      retryOf = again.allow(
        this.#isOnce && result.resend === 'connection_reset' ? undefined : result.resend
      )
      if (retryOf === 'http2_refused') await again.pause(this.#request.presence)
      if (retryOf !== undefined) continue
      const rotated = rotation?.failed(result) ? this.#next(rotation) : undefined
      const failure = rotation ? rotation.toFailure(result.failure) : result.failure
      const mayRetry =
        !this.#isOnce && retries < this.#request.failover.retries && health.mayRetry()
      const next = hasNext && this.#hasOther(planned)
      const possible = { retry: mayRetry, rotate: rotated !== undefined, next }
      const action = chooseAction(failure, possible, this.#request.failover)
      if (action === 'next_target') return undefined
      if (action === 'give_up') throw this.#failure
      if (action === 'retry') {
        await this.#request.presence.sleep(waitMs(failure, retries++))
        // Held anew: what was asked before counts for itself.
        target = rotation ? this.#next(rotation.again()) : this.#reserved(planned)
        retryOf = 'backoff'
      } else {
        target = rotated
        again = undefined
        retryOf = 'credential_rotated'
      }
    }
    return undefined
  }

  /** What makes something might make it twice. */
  get #isOnce(): boolean {
    return this.#request.envelope.direct?.isOnce === true
  }

  /** The attempt, and perhaps another beside it that answers in its place. */
  async #race(
    hedge: Hedge,
    of: AttemptOf,
    planned: PlannedTarget,
    rotation: Rotation | undefined
  ): Promise<AttemptResult> {
    const { targets } = this.#request.plan
    const behind = targets.slice(targets.indexOf(planned) + 1)
    const { result, second, hasSecondWon, failed } = await hedge.run(this.#request, of, behind)
    this.#hedged = second
    if (second && result.ok && !hasSecondWon) rotation?.answered()
    if (failed) rotation?.failed(failed)
    return result
  }

  /** Somebody is left to ask beside who was asked together with the first one. */
  #hasOther(planned: PlannedTarget): boolean {
    if (this.#hedged === undefined || this.#spared.length > 0) return true
    const { targets } = this.#request.plan
    return targets.slice(targets.indexOf(planned) + 1).some((one) => one !== this.#hedged)
  }

  /** What is to be asked first; where there is nothing, the place that was granted at the target is given up. */
  #first(
    planned: PlannedTarget,
    rotation: Rotation | undefined,
    granted: HealthCall | undefined
  ): Target | undefined {
    let first: Target | undefined
    try {
      first = rotation ? this.#next(rotation) : this.#reserved(planned)
      return first
    } finally {
      if (first === undefined) {
        granted?.left()
        if (rotation?.isUntried) this.#pass(planned.target, 'cooling_down')
      }
    }
  }

  /** The target, once an attempt of it is held. Throws what a limit of the caller refuses. */
  #reserved(planned: PlannedTarget): Target | undefined {
    const reservation = this.#request.reserve(planned)
    if (reservation.kind === 'refused') throw reservation.error
    if (reservation.kind === 'held') return planned.target
    this.#failure ??= reservation.error
    this.#pass(planned.target, 'limit')
    return undefined
  }

  /** The same with the next credential that is in order and has room. */
  #next(rotation: Rotation): Target | undefined {
    for (let planned = rotation.next(); planned; planned = rotation.next())
      if (this.#reserved(planned)) return planned.target
    this.#failure = rotation.explain(this.#failure)
    return undefined
  }

  #pass(target: Target, reason: RefusalReason | 'limit'): void {
    this.#request.record.passed.push([target.name, reason])
  }
}

/** A random time that grows, and at least as long as the provider asked for. */
function waitMs({ retryAfterMs = 0 }: Failure, retries: number): number {
  return Math.max(retryAfterMs, backoffMs(retries, Math.random))
}
