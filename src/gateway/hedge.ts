import type { HedgeSettings } from '../config/route-settings'
import { isChat } from '../protocols/chat-protocol'
import { isStateless } from '../protocols/stateless-generation'
import { chooseAction } from '../routing/health/choose-action'
import type { HealthBook } from '../routing/health/health-book'
import type { HealthCall } from '../routing/health/health-call'
import type { HedgeBudgets } from '../routing/health/hedge-budget'
import type { PlannedTarget } from '../routing/plan'
import type { AttemptHold } from './attempt-hold'
import { UpstreamCall } from './attempt'
import type { AttemptContext, AttemptOf, AttemptResult, FailedAttempt } from './attempt-request'
import { Continuity } from './continuity'
import { type Lane, Lanes } from './lanes'
import { Rotation } from './rotation'
import type { TurnRequest } from './turn'
import type { RequestHolds } from './turn-by-policy'

export type HedgeOptions = {
  context: AttemptContext & { health: HealthBook }
  /** Of the route, whose budget it is taken from. */
  route: string
  settings: HedgeSettings
  budgets: HedgeBudgets
  holds: RequestHolds
}

/** What came of an attempt that may have had another beside it. */
export type HedgeOutcome = {
  /** The winner's; where both failed, that of the first. */
  result: AttemptResult
  /** Who was asked beside it. */
  second?: PlannedTarget
  hasSecondWon?: boolean
  /** How the first one failed, where the second won. */
  failed?: FailedAttempt
}

/** An attempt under way. */
type Racer = {
  readonly of: AttemptOf
  readonly call: UpstreamCall
  readonly lane: Lane
  readonly startedAt: number
  readonly running: Promise<AttemptResult>
  readonly losses: TurnRequest['record']['losses']
  /** Once it has ended. */
  result: AttemptResult | undefined
}

type Second = {
  planned: PlannedTarget
  chosen: PlannedTarget
  rotation: Rotation | undefined
  hold: AttemptHold
  health: HealthCall
}

/**
 * A second attempt beside a first one that is slow to say anything. The first to answer wins, whole or with its first
 * meaningful frame; the other is aborted and settled by itself, at what its prompt is estimated to cost: the provider
 * has read that, and nobody says how much it has written.
 */
export class Hedge {
  readonly #options: HedgeOptions

  constructor(options: HedgeOptions) {
    this.#options = options
  }

  /** Makes the attempt; `candidates` may be asked beside it, in this order. */
  async run(
    request: TurnRequest,
    of: AttemptOf,
    candidates: readonly PlannedTarget[]
  ): Promise<HedgeOutcome> {
    const { context, settings } = this.#options
    const { stream } = request.envelope
    const target = context.health.of(of.target.name)
    const afterMs = settings.after === 'p95' ? target.slowMs(stream) : settings.after
    if (afterMs === undefined) return { result: await new UpstreamCall(context, request, of).run() }
    const lanes = new Lanes(request.presence)
    const first = this.#start(request, of, lanes)
    const second = (await isSlow(first.running, afterMs)) && this.#choose(request, candidates)
    if (!second) return { result: await first.running }
    return this.#race(request, first, second, lanes)
  }

  #start(request: TurnRequest, of: AttemptOf, lanes: Lanes): Racer {
    const lane = lanes.open()
    const call = new UpstreamCall(this.#options.context, { ...request, presence: lane }, of)
    const startedAt = performance.now()
    // What can't be said to the target is known when it returns.
    const running = call.run()
    const { losses } = request.record
    return { of, call, lane, startedAt, running, losses, result: undefined }
  }

  /** The next target that is well and for which there is room, with what is held for it. */
  #choose(request: TurnRequest, candidates: readonly PlannedTarget[]): Second | undefined {
    const { route, budgets, context, holds } = this.#options
    if (!budgets.hasRoom(route) || !mayBeAskedTwice(request)) return undefined
    for (const planned of candidates) {
      const health = context.health.of(planned.target.name)
      if (health.admit() !== undefined) continue
      const { pool } = planned.target.provider
      const rotation = pool && new Rotation(pool, planned)
      const chosen = rotation ? rotation.next() : planned
      if (chosen === undefined) continue
      const hold = holds.fork()
      const number = request.record.begunAttempts + 1
      const reservation = hold.reserve(chosen, number, request.envelope, holds.bound())
      // A limit of the caller has no room for a second one, whoever it is.
      if (reservation.kind === 'refused') return undefined
      if (reservation.kind === 'skipped') continue
      budgets.take(route)
      return { planned, chosen, rotation, hold, health: health.begin() }
    }
    return undefined
  }

  async #race(
    request: TurnRequest,
    first: Racer,
    { planned, chosen, rotation, hold, health }: Second,
    lanes: Lanes
  ): Promise<HedgeOutcome> {
    const { record, failover } = request
    const continuity = request.continuity && new Continuity()
    const { target, params } = chosen
    const second = this.#start(
      { ...request, continuity },
      { target, params, retryOf: 'hedged', health },
      lanes
    )
    note(first)
    note(second)
    await Promise.race([first.running, second.running])
    // What is wrong with the request is so everywhere.
    const isOver = first.result !== undefined && !first.result.ok && isFinal(first.result, failover)
    if (!isOver && !first.result?.ok && !second.result?.ok) {
      record.beginWait()
      await (first.result ? second.running : first.running)
    }
    const hasSecondWon = !isOver && !first.result?.ok && second.result?.ok === true
    if (second.result) tell(rotation, second.result)
    const loser = hasSecondWon ? first : second
    const winner = hasSecondWon ? second : first
    if (hasSecondWon) {
      this.#options.holds.exchange(hold)
      this.#noteSlow(request, first)
      if (continuity) request.continuity?.adopt(continuity)
    }
    record.target = winner.of.target
    record.losses = winner.losses
    this.#settle(request, loser, hold)
    const result = winner.result ?? (await winner.running)
    if (!result.ok) await record.settling
    const failed = hasSecondWon && first.result && !first.result.ok ? first.result : undefined
    return { result, second: planned, hasSecondWon, ...(failed && { failed }) }
  }

  /** Else who is asked beside, each time that it is slow, would be known for its fast answers alone. */
  #noteSlow({ envelope }: TurnRequest, { of, result, startedAt }: Racer): void {
    const { context, settings } = this.#options
    if (result !== undefined || settings.after !== 'p95') return
    const target = context.health.of(of.target.name)
    target.slowerThan(envelope.stream, performance.now() - startedAt)
  }

  /** Ends the one that has not won, and books what it used: nothing where it failed by itself. */
  #settle({ record }: TurnRequest, loser: Racer, hold: AttemptHold): void {
    const { call, of, result, lane } = loser
    const hasFailed = result !== undefined && !result.ok
    if (!hasFailed) call.lose()
    lane.leave()
    const said = result?.ok && result.answer.kind === 'whole' ? result.answer.facts : undefined
    const facts = hasFailed ? undefined : (said ?? { usage: undefined, finishReasons: [] })
    record.settling = hold.settle({ number: call.number, target: of.target, facts })
  }
}

/** Keeps its result at hand. */
function note(racer: Racer): void {
  void racer.running.then((result) => (racer.result = result))
}

/** What an attempt says of the credential that it had. */
function tell(rotation: Rotation | undefined, result: AttemptResult): void {
  if (result.ok) rotation?.answered()
  else rotation?.failed(result)
}

/** No other target would answer it either. Of the client's leaving the other one hears too. */
function isFinal({ failure }: FailedAttempt, failover: TurnRequest['failover']): boolean {
  if (failure.kind === 'client') return false
  const possible = { retry: false, rotate: false, next: true }
  return chooseAction(failure, possible, failover) === 'give_up'
}

/** The attempt has not ended after so long. */
async function isSlow(running: Promise<unknown>, afterMs: number): Promise<boolean> {
  const { promise: waited, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(true), afterMs)
  try {
    return await Promise.race([running.then(() => false), waited])
  } finally {
    clearTimeout(timer)
  }
}

/** Nothing stays behind at the one whose answer is not taken. */
function mayBeAskedTwice({ envelope, protocol, generation }: TurnRequest): boolean {
  if (envelope.operation === 'count') return false
  if (envelope.operation !== 'generate' || !isChat(protocol)) return true
  try {
    return isStateless(generation())
  } catch {
    return false
  }
}
