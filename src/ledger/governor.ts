import { GatewayError } from '../errors/gateway-error'
import type { Limit, LimitUnit } from '../limits/limit'
import type { Dimensions } from '../limits/subject'
import type { ModelCard } from '../models/model-card'
import type { RateState } from '../protocols/rate-limits'
import type { AccountBook, OwnLimit } from './account-book'
import type { Account, Standing } from './account'
import { type Booking, type Demand, Hold, type Refusal } from './ledger'
import { toRefusalError } from './refusals'
import { type Mark, ToldMarks } from './told-marks'
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

/**
 * Something the governor wants told of a budget, each once a window: a threshold that was reached, a request refused
 * that an empty budget had let in, a booking beyond what was held (that once an hour at least). Amounts are nano-USD.
 */
export type GovernorEvent = { readonly account: Account; readonly mark: Mark } & (
  | { readonly kind: 'threshold'; readonly at: number; readonly spent: number }
  | { readonly kind: 'exceeded'; readonly wanted: number }
  | { readonly kind: 'overrun'; readonly overrun: number }
)

export type GovernorOptions = {
  book: AccountBook
  now(): number
  onEvent(event: GovernorEvent): void
  /** What was told before; nothing unless said. */
  told?: ToldMarks
  /** The thresholds of budgets that have none of their own, rising; none unless said. */
  alertAt?(): readonly number[]
}

const OVERRUN_AGAIN_AFTER_MS = 3_600_000

/** Lets requests in and holds what they may spend, for every limit that applies. In memory, and at once. */
export class Governor {
  readonly #options: Required<GovernorOptions>

  constructor(options: GovernorOptions) {
    this.#options = { told: new ToldMarks(), alertAt: () => [], ...options }
  }

  /**
   * Counts a request by its caller's limits of requests and of what is in flight. Throws `rate_limit_exceeded`. An
   * admitted request counts, whatever becomes of it.
   */
  admit(request: GovernedRequest): Grant {
    const { book } = this.#options
    if (book.isEmpty && request.own.length === 0)
      return new Grant(this.#options, request, undefined)
    const nowMs = this.#options.now()
    const accounts = book.atAdmission(request.of, request.own, nowMs)
    const admission = new Hold()
    const refusal = admission.move(accounts.map(one), nowMs)
    if (refusal) throw toRefusalError(refusal, nowMs)
    return new Grant(this.#options, request, admission)
  }

  /** Tells the thresholds that are reached already: after a start, and when limits have changed. */
  review(): void {
    const nowMs = this.#options.now()
    for (const account of this.#options.book.accounts()) {
      if (account.limit.unit !== 'usd' || account.limit.alertAt?.length === 0) continue
      tellThresholds(this.#options, account, account.standing(nowMs).spent, nowMs)
    }
  }

  /** How the caller stands in each limit that is not of a target. Amounts are nano-USD, tokens or requests. */
  standings({ of, own }: GovernedRequest): LimitStanding[] {
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

const one = (account: Account): Demand => ({ account, expected: 1, worst: 1 })

/** What one admitted request holds: until it leaves, and until it is settled. */
export class Grant {
  readonly #options: Required<GovernorOptions>
  readonly #request: GovernedRequest
  readonly #admission: Hold | undefined
  readonly #hold = new Hold()
  #hasLeft = false

  constructor(
    options: Required<GovernorOptions>,
    request: GovernedRequest,
    admission: Hold | undefined
  ) {
    this.#options = options
    this.#request = request
    this.#admission = admission
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
    const tightest = new Map<RateState['kind'], RateState>()
    for (const account of [...this.#admission.accounts(), ...this.#hold.accounts()]) {
      const state = toRateState(account, nowMs)
      const known = state && tightest.get(state.kind)
      if (state && (known === undefined || state.remaining < known.remaining))
        tightest.set(state.kind, state)
    }
    return [...tightest.values()]
  }

  /** Moves what is held to a target's worst case, in every limit that applies to it, all or nothing. */
  reserve(target: GovernedTarget, size: WorstCaseRequest): Reservation {
    const { book, now } = this.#options
    const nowMs = now()
    const of = { ...this.#request.of, provider: target.provider, model: target.model }
    const accounts = book.atAttempt(of, this.#request.own, nowMs)
    const worst = worstCaseOf(size, target.card)
    const demands: Demand[] = []
    for (const account of accounts) {
      const demand = toDemand(account, worst)
      if (demand === undefined) return unpriced(account, target)
      demands.push(demand)
    }
    const refusal = this.#hold.move(demands, nowMs)
    if (refusal === undefined) return { kind: 'held', worst }
    const isMoney = refusal.limit.unit === 'usd'
    if (isMoney) this.#tellRefusal(refusal, nowMs)
    const fitting = isMoney ? outputThatFits(refusal.room, size, target.card) : undefined
    const error = toRefusalError(refusal, nowMs, fitting)
    return { kind: refusal.limit.subject.isOfTarget ? 'skipped' : 'refused', error }
  }

  /** Books what the attempt used, `undefined` where nothing was, and gives back the rest. */
  settle(used: Used | undefined): void {
    if (used === undefined) {
      this.#hold.release()
      return
    }
    const amounts = (unit: LimitUnit, held: number) => amountOf(unit, used, held)
    const nowMs = this.#options.now()
    const bookings = this.#hold.settle(amounts, nowMs)
    for (const booking of bookings) this.#tell(booking, nowMs)
  }

  /** The request is no longer in flight; what is held for it stays until it is settled. Only the first call counts. */
  leave(): void {
    if (this.#hasLeft) return
    this.#hasLeft = true
    const isCounted = (unit: LimitUnit) => (unit === 'requests' ? 1 : 0)
    this.#admission?.settle(isCounted, this.#options.now())
  }

  #tell({ account, after, overrun }: Booking, nowMs: number): void {
    if (account.limit.unit !== 'usd') return
    const { told, onEvent } = this.#options
    const mark =
      overrun > 0 ? told.take(account, 'overrun', nowMs, OVERRUN_AGAIN_AFTER_MS) : undefined
    if (mark) onEvent({ kind: 'overrun', account, mark, overrun })
    tellThresholds(this.#options, account, after, nowMs)
  }

  #tellRefusal({ account, limit, wanted }: Refusal, nowMs: number): void {
    // What no empty budget would let in says something of the request alone.
    if (wanted > limit.amount + limit.overshoot) return
    const mark = this.#options.told.take(account, 'exceeded', nowMs)
    if (mark) this.#options.onEvent({ kind: 'exceeded', account, mark, wanted })
  }
}

function tellThresholds(
  { told, onEvent, alertAt }: Required<GovernorOptions>,
  account: Account,
  spent: number,
  nowMs: number
): void {
  const { limit } = account
  for (const at of limit.alertAt ?? alertAt()) {
    if (spent === 0 || spent < at * limit.amount) return
    const mark = told.take(account, `threshold ${at}`, nowMs)
    if (mark) onEvent({ kind: 'threshold', account, mark, at, spent })
  }
}

const NO_RATES: RateState[] = []

const RATE_KINDS: Readonly<Partial<Record<LimitUnit, RateState['kind']>>> = {
  requests: 'requests',
  tokens: 'tokens',
  input_tokens: 'input-tokens',
  output_tokens: 'output-tokens',
}

const isRate = (unit: LimitUnit) => RATE_KINDS[unit] !== undefined

function toRateState(account: Account, nowMs: number): RateState | undefined {
  const kind = RATE_KINDS[account.limit.unit]
  if (kind === undefined) return undefined
  const { spent, reserved, resetAtMs } = account.standing(nowMs)
  if (resetAtMs === undefined) return undefined
  const { amount } = account.limit
  return { kind, limit: amount, remaining: Math.max(0, amount - spent - reserved), resetAtMs }
}

/** What an account is asked to hold; `undefined` where it counts money and the model has no price. */
function toDemand(account: Account, worst: WorstCase): Demand | undefined {
  const amount = worstAmount(account, worst)
  return amount === undefined ? undefined : { account, expected: amount, worst: amount }
}

function worstAmount({ limit }: Account, worst: WorstCase): number | undefined {
  if (limit.unit !== 'usd' || worst.costNanoUsd !== undefined) return toAmount(limit.unit, worst)
  if (limit.unknownPrice === 'refuse') return undefined
  return limit.unknownPrice === 'allow' ? 0 : limit.unknownPrice
}

function toAmount(unit: LimitUnit, worst: WorstCase): number {
  switch (unit) {
    case 'usd':
      return worst.costNanoUsd ?? 0
    case 'input_tokens':
      return worst.inputTokens
    case 'output_tokens':
      return worst.outputTokens
    case 'tokens':
      return worst.inputTokens + worst.outputTokens
    case 'requests':
    case 'in_flight':
      return 1
  }
}

/** A cost that nobody knows is booked as it was held. */
function amountOf(unit: LimitUnit, used: Used, held: number): number {
  switch (unit) {
    case 'usd':
      return used.costNanoUsd ?? held
    case 'input_tokens':
      return used.inputTokens
    case 'output_tokens':
      return used.outputTokens
    case 'tokens':
      return used.inputTokens + used.outputTokens
    case 'requests':
      return 1
    case 'in_flight':
      return 0
  }
}

function unpriced({ limit }: Account, { model }: GovernedTarget): Reservation {
  const error = new GatewayError(
    'insufficient_quota',
    `'${model}' has no known price, and the budget of ${limit.subject.text} counts money: give it a price under models, or set unknown_price of the budget`,
    { param: 'model', shouldRetry: false }
  )
  return { kind: 'skipped', error }
}
