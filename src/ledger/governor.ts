import type { GatewayError } from '../errors/gateway-error'
import type { Limit, LimitUnit } from '../limits/limit'
import { type Dimensions, parseSubject } from '../limits/subject'
import type { ModelCard } from '../models/model-card'
import type { RateState } from '../protocols/rate-limits'
import type { DeferRecord, Settlement } from '../telemetry/records'
import type { CounterRow } from '../db/checkpoint-store'
import type { AccountBook, CounterName, OwnLimit } from './account-book'
import type { Account, Standing } from './account'
import { amountOf, unpriced, worstAmount } from './amounts'
import { BudgetReview } from './budget-review'
import { type DeferredHold, DeferredHolds } from './deferred-holds'
import type { DeferredOptions, DeferredOutcome } from './deferred-holds'
import { Expectations } from './expectations'
import { type Demand, Hold } from './ledger'
import { toRefusalError } from './refusals'
import { isRate, tightestRates } from './rate-states'
import { type GovernorEvent, tellBooked, tellRefusal, tellUnsettled } from './tell-budgets'
import { ToldMarks } from './told-marks'
import { outputThatFits, type WorstCase, type WorstCaseRequest, worstCaseOf } from './worst-case'

/** What a request is, as far as its limits are concerned. */
export type GovernedRequest = {
  readonly of: Dimensions
  /** Limits of its key, team and organization themselves. */
  readonly own: readonly OwnLimit[]
}

/** The target of an attempt. */
export type GovernedTarget = {
  readonly provider: string
  /** `provider/model` */
  readonly model: string
  /** `provider/name`, of a provider with several. */
  readonly credential?: string | undefined
  readonly card: ModelCard | undefined
}

/** What an attempt used. A cost that is not known is `undefined`, and booked at its worst. */
export type Used = {
  readonly costNanoUsd: number | undefined
  readonly inputTokens: number
  readonly outputTokens: number
}

/** Whether an attempt may be made: `refused` by a limit of the caller ends the request, `skipped` only passes the target by. */
export type Reservation =
  | { readonly kind: 'held'; readonly worst?: WorstCase }
  | { readonly kind: 'refused'; readonly error: GatewayError }
  | { readonly kind: 'skipped'; readonly error: GatewayError }

/** What counters tell targets apart by. */
export type TargetName = {
  readonly provider: { readonly name: string; readonly pool?: NamedCredentials | undefined }
  readonly name: string
}

type NamedCredentials = {
  readonly credentials: readonly { readonly configuration: { readonly name: string } }[]
}

const NO_TARGETS: readonly TargetName[] = []

export type GovernorOptions = {
  book: AccountBook
  /** What checkpoints have of accounts that are not in memory. */
  readCounters?(names: readonly CounterName[]): Promise<readonly CounterRow[]>
  now(): number
  onEvent(event: GovernorEvent): void
  /** What was told before; nothing unless said. */
  told?: ToldMarks
  /** The thresholds of budgets that have none of their own, rising; none unless said. */
  alertAt?(): readonly number[]
  /** Where holds that outlast their requests come from and go to; nowhere unless said. */
  deferred?: Pick<DeferredOptions, 'ownOf' | 'append' | 'load'>
}

type GrantOptions = Required<GovernorOptions> & {
  readonly expectations: Expectations
  readonly holds: DeferredHolds
}

/** What a request holds from its answer on until it is settled, by whatever process then lives. */
export type Deferral = {
  readonly requestId: string
  /** What the provider calls the work, such as a batch's id. */
  readonly reference: string
  /** Who does it. */
  readonly target: Pick<GovernedTarget, 'provider' | 'model' | 'credential'>
}

/** Lets requests in and holds what they may spend, for every limit that applies. In memory, and at once. */
export class Governor {
  readonly #options: GrantOptions
  readonly #review: BudgetReview
  /** What outlasts its requests. */
  readonly holds: DeferredHolds

  constructor(options: GovernorOptions) {
    const known = {
      told: new ToldMarks(),
      alertAt: () => [],
      readCounters: async () => [],
      deferred: NOTHING_DEFERRED,
      ...options,
    }
    this.holds = new DeferredHolds({
      ...known.deferred,
      book: known.book,
      now: known.now,
      prepare: (of, own) => this.prepare({ of, own }),
      onBooked: (account, spent, overrun) =>
        tellBooked(known, account, spent, overrun, known.now()),
    })
    this.#options = { ...known, expectations: new Expectations(), holds: this.holds }
    this.#review = new BudgetReview(known, known.book)
  }

  /**
   * Has the accounts ready that a request may fall on, where some were forgotten since they were idle: then there is a
   * promise, which rejects with `log_unavailable`.
   */
  prepare(
    { of, own }: GovernedRequest,
    targets: readonly TargetName[] = NO_TARGETS
  ): Promise<void> | undefined {
    const { book } = this.#options
    if (book.isWhole) return undefined
    const missing = new Map<string, CounterName>()
    const look = (wanted: Dimensions) => {
      for (const name of book.missing(wanted, own))
        missing.set(`${name.limitId}\n${name.name}`, name)
    }
    look(of)
    for (const { provider, name } of targets) {
      const ofTarget = { ...of, provider: provider.name, model: name }
      look(ofTarget)
      for (const { configuration } of provider.pool?.credentials ?? [])
        look({ ...ofTarget, credential: `${provider.name}/${configuration.name}` })
    }
    return missing.size === 0 ? undefined : this.#load([...missing.values()])
  }

  async #load(names: readonly CounterName[]): Promise<void> {
    const { book, readCounters } = this.#options
    for (const row of await readCounters(names)) book.store(row.limitId, row.name, row)
  }

  /**
   * Counts a request by its caller's limits of requests and of what is in flight. Throws `rate_limit_exceeded`. An
   * admitted request counts, whatever becomes of it.
   */
  admit(request: GovernedRequest): Grant {
    const { book } = this.#options
    const nowMs = this.#options.now()
    if (book.isEmpty && request.own.length === 0)
      return new Grant(this.#options, request, undefined, nowMs)
    const accounts = book.atAdmission(request.of, request.own, nowMs)
    const admission = new Hold(nowMs)
    const refusal = admission.move(accounts.map(one), nowMs)
    if (refusal) throw toRefusalError(refusal, nowMs)
    return new Grant(this.#options, request, admission, nowMs)
  }

  /**
   * Books what a deferred request used (`Grant.defer`) in the windows of its admission, in every limit of money and
   * tokens that there is by now, gives back the rest, and writes it down before it resolves. Counts once: whoever comes
   * later hears `unknown`, as for a request that an operator has settled by hand. Rejects with `log_unavailable`;
   * then all is as before, and it may be tried again.
   */
  settleDeferred(requestId: string, settlement: Settlement): Promise<DeferredOutcome> {
    return this.holds.settle(requestId, settlement)
  }

  /** The same where nothing was used: the work failed, or was cancelled, and is not billed. */
  releaseDeferred(requestId: string): Promise<DeferredOutcome> {
    return this.holds.settle(requestId, NOTHING_SETTLED)
  }

  /** What is held for requests that were deferred, by earlier processes too; the oldest first. Rejects as above. */
  listDeferred(): Promise<readonly DeferredHold[]> {
    return this.holds.list()
  }

  /** Tells the budgets that have held for longer for work behind an answer; nothing is given back. */
  reviewUnsettled(afterMs: number): void {
    tellUnsettled(this.#options, this.holds, afterMs)
  }

  /**
   * Tells the thresholds that are reached already: after a start, and when limits have changed. Of very many accounts
   * little by little.
   */
  review(): void {
    this.#review.begin()
  }

  /**
   * USD that are left in the tightest budget of a subject such as `team/red`, of those of the configuration and of
   * `own`; `undefined` where it has none, or is no subject of one.
   */
  budgetRemaining(subjectText: string, own: readonly OwnLimit[] = []): number | undefined {
    const subject = parseSubject(subjectText)
    if (subject === undefined || subject.isEach) return undefined
    const { book, now } = this.#options
    const nowMs = now()
    const left = book
      .ofSubject(subject, own, nowMs)
      .filter(({ limit }) => limit.unit === 'usd')
      .map((account) => account.standing(nowMs))
      .map(({ amount, spent, reserved }) => Math.max(0, amount - spent - reserved))
    return left.length === 0 ? undefined : Math.min(...left) / NANO_USD
  }

  /** How the caller stands in each limit that is not of a target. Amounts are nano-USD, tokens or requests. */
  async standings(request: GovernedRequest): Promise<LimitStanding[]> {
    await this.prepare(request)
    const { of, own } = request
    const { book, now } = this.#options
    const nowMs = now()
    const accounts = [...book.atAdmission(of, own, nowMs), ...book.atAttempt(of, own, nowMs)]
    return accounts.map((account) => ({
      limit: account.limit,
      standing: account.standing(nowMs),
    }))
  }
}

/** How a caller stands under one limit. */
export type LimitStanding = { readonly limit: Limit; readonly standing: Standing }

const one = (account: Account): Demand => ({ account, expected: 1, worst: 1, sums: undefined })

/** What one admitted request holds: until it leaves, and until it is settled. */
export class Grant {
  readonly #options: GrantOptions
  readonly #request: GovernedRequest
  readonly #admission: Hold | undefined
  #hold: Hold
  /** Its costs belong to the windows of this time, in epoch milliseconds. */
  readonly admittedAtMs: number
  /** What is learned of the present attempt, where some budget goes by what is expected. */
  #learning: { model: string; worst: number } | undefined
  /** What the present attempt may take. */
  #worst: WorstCase = NOTHING_HELD

  constructor(
    options: GrantOptions,
    request: GovernedRequest,
    admission: Hold | undefined,
    admittedAtMs: number
  ) {
    this.#options = options
    this.#request = request
    this.#admission = admission
    this.#hold = new Hold(admittedAtMs)
    this.admittedAtMs = admittedAtMs
  }

  /** No limit counts this request: nothing needs to be held. */
  get isUnlimited(): boolean {
    return this.#admission === undefined
  }

  /** How the tightest limit of each kind stands, as far as the request has met it. */
  rates(): RateState[] {
    if (this.#admission === undefined) return NO_RATES
    if (!this.#admission.counts(isRate) && !this.#hold.counts(isRate)) return NO_RATES
    const nowMs = this.#options.now()
    return tightestRates([...this.#admission.accounts(), ...this.#hold.accounts()], nowMs)
  }

  /** Moves what is held to a target's worst case, in every limit that applies to it, all or nothing. */
  reserve(target: GovernedTarget, size: WorstCaseRequest): Reservation {
    const { book, now } = this.#options
    const nowMs = now()
    const of = ofTarget(this.#request.of, target)
    const accounts = book.atAttempt(of, this.#request.own, nowMs)
    const worst = worstCaseOf(size, target.card)
    const demands: Demand[] = []
    for (const account of accounts) {
      const amount = worstAmount(account, worst)
      if (amount === undefined) return unpriced(account, target)
      const expected = this.#expect(account, target, amount)
      demands.push({ account, expected, worst: amount, sums: undefined })
    }
    // The attempt before this one counts, whatever became of it.
    this.#hold.settleUnit('requests', 1, nowMs)
    const refusal = this.#hold.move(demands, nowMs)
    if (refusal === undefined) {
      this.#worst = worst
      return { kind: 'held', worst }
    }
    const isMoney = refusal.limit.unit === 'usd'
    if (isMoney) tellRefusal(this.#options, refusal)
    const fitting = isMoney ? outputThatFits(refusal.room, size, target.card) : undefined
    const error = toRefusalError(refusal, nowMs, fitting)
    return { kind: refusal.limit.subject.isOfTarget ? 'skipped' : 'refused', error }
  }

  /**
   * A grant of the same request that holds nothing yet: for an attempt beside the present one, or for the present one
   * once another is to follow (`exchange`). It is settled by itself, what its attempt used, and is no request.
   */
  fork(): Grant {
    const admission = this.#admission && new Hold(this.admittedAtMs)
    return new Grant(this.#options, this.#request, admission, this.admittedAtMs)
  }

  /** Each goes on with what the other holds. */
  exchange(other: Grant): void {
    const { hold, learning, worst } = {
      hold: this.#hold,
      learning: this.#learning,
      worst: this.#worst,
    }
    this.#hold = other.#hold
    this.#learning = other.#learning
    this.#worst = other.#worst
    other.#hold = hold
    other.#learning = learning
    other.#worst = worst
  }

  /** A budget that may not be overshot goes by the worst case alone. */
  #expect({ limit }: Account, { model }: GovernedTarget, worst: number): number {
    if (limit.overshoot === 0) return worst
    this.#learning = { model, worst }
    return this.#options.expectations.expect(this.#request.of.keyId, model, worst)
  }

  /**
   * Books the request and what its last attempt used, nothing where nobody answered, and gives back the rest. At once
   * with the end of its record, so that the journal tells what is counted.
   */
  settle(used: Used = NOTHING_USED): void {
    if (this.#admission === undefined) return
    const nowMs = this.#options.now()
    this.#admission.settle(isRequest, nowMs)
    const amounts = (unit: LimitUnit, held: number) => amountOf(unit, used, held)
    this.#hold.settle(amounts, nowMs, (account, spent, overrun) => {
      tellBooked(this.#options, account, spent, overrun, nowMs)
    })
    if (this.#learning && used !== NOTHING_USED && used.costNanoUsd !== undefined) {
      const { model, worst } = this.#learning
      this.#options.expectations.learn(this.#request.of.keyId, model, worst, used.costNanoUsd)
    }
  }

  /**
   * Instead of `settle`, with the answer of a request whose work goes on at the provider: books the request, gives back
   * its place in flight, and keeps what is held of money and tokens held, in every limit that it is held in, until
   * `Governor.settleDeferred` or `releaseDeferred` of its id, in whatever process. What it used counts then, in the
   * windows of its admission: where those are over, as the minute of a rate limit is, it counts no more. Gives the
   * record that is to be written right before the request's end, at once.
   */
  defer({ requestId, reference, target }: Deferral): DeferRecord {
    const { holds, now } = this.#options
    const nowMs = now()
    this.#admission?.settle(isRequest, nowMs)
    this.#hold.settleUnit('requests', 1, nowMs)
    const { admittedAtMs } = this
    const of = ofTarget(this.#request.of, target)
    const hold = this.#hold
    this.#hold = new Hold(admittedAtMs)
    const deferred = { requestId, reference, of, admittedAtMs, deferredAtMs: nowMs }
    return holds.defer({ ...deferred, worst: this.#worst }, hold)
  }

  /** The request is no longer in flight; what else is held for it stays until it is settled. */
  leave(): void {
    this.#admission?.settleUnit('in_flight', 0, this.#options.now())
  }
}

/** Spelled out: twice as fast as copying what is there. */
function ofTarget(
  { organization, team, key, keyId, user, session, tags }: Dimensions,
  { provider, model, credential }: Pick<GovernedTarget, 'provider' | 'model' | 'credential'>
): Dimensions {
  return { organization, team, key, keyId, user, session, tags, provider, model, credential }
}

const NANO_USD = 1e9
const NO_RATES: RateState[] = []
const NOTHING_USED: Used = { costNanoUsd: 0, inputTokens: 0, outputTokens: 0 }

const NOTHING_HELD: WorstCase = { inputTokens: 0, outputTokens: 0, costNanoUsd: undefined }
const NOTHING_SETTLED: Settlement = {
  ...{ costNanoUsd: 0, inputTokens: 0, outputTokens: 0, provenance: 'none' },
}

const NOTHING_DEFERRED: NonNullable<GovernorOptions['deferred']> = {
  ownOf: () => [],
  append() {},
  load: async () => [],
}

const isRequest = (unit: LimitUnit) => (unit === 'requests' ? 1 : 0)
