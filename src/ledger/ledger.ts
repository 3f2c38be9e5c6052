import type { Limit } from '../limits/limit'
import type { Account, Standing, Sums } from './account'

/** What a request asks of one account: what it will likely take, and the most it can. */
export type Demand = {
  readonly account: Account
  readonly expected: number
  readonly worst: number
  /** The stretch of time that it is held in; set when it is. */
  sums?: Sums | undefined
}

/** Why nothing more was held: the account that had no room, and how it stands. */
export type Refusal = {
  readonly account: Account
  readonly limit: Limit
  /** What was asked for beyond what the request held already. */
  readonly wanted: number
  /** The most that would have fitted. */
  readonly room: number
  readonly standing: Standing
}

/** Hears of a booking: what the account's window has spent now, and how much of it was more than what was held. */
export type OnBooked = (account: Account, spent: number, overrun: number) => void

/**
 * What is held for one request: it moves from attempt to attempt, and covers the worst case of the present target in
 * every limit that applies. All or nothing, and at once: nothing else runs between the look and the hold.
 */
export class Hold {
  /** When its request was admitted, which says in which window it counts; `undefined`: when it is taken. */
  readonly #admittedAtMs: number | undefined
  /** What was demanded last, each with the stretch of time that it is held in. */
  #parts: readonly Demand[] = []

  constructor(admittedAtMs?: number) {
    this.#admittedAtMs = admittedAtMs
  }

  /** Whether some account that it is held in is of such a unit. */
  counts(isWanted: (unit: Limit['unit']) => boolean): boolean {
    for (const { account } of this.#parts) if (isWanted(account.limit.unit)) return true
    return false
  }

  /** What is held in the first account of a unit. */
  partOf(unit: Limit['unit']): Demand | undefined {
    return this.#parts.find(({ account }) => account.limit.unit === unit)
  }

  /** The accounts that it is held in. */
  accounts(): Account[] {
    return this.#parts.map(({ account }) => account)
  }

  /**
   * Moves to these demands: grows where they ask for more, shrinks where they ask for less, and leaves accounts that
   * they don't name. Gives the refusal of the first account without room; then nothing has changed.
   */
  move(demands: Demand[], nowMs: number): Refusal | undefined {
    for (const { account, expected, worst } of demands) {
      account.advance(nowMs)
      const held = this.#partOf(account)
      const moreExpected = expected - (held?.expected ?? 0)
      const moreWorst = worst - (held?.worst ?? 0)
      if (account.fits(moreExpected, moreWorst)) continue
      return {
        account,
        limit: account.limit,
        wanted: moreWorst,
        room: account.room(),
        standing: account.standing(nowMs),
      }
    }
    for (const demand of demands) {
      const { account, expected, worst } = demand
      const held = this.#partOf(account)
      const sums = held?.sums ?? account.sumsAt(this.#admittedAtMs ?? nowMs)
      account.hold(sums, expected - (held?.expected ?? 0), worst - (held?.worst ?? 0))
      demand.sums = sums
      if (held === undefined) account.holds++
    }
    if (this.#parts.length > 0) this.#leaveOthers(demands)
    this.#parts = demands
    return undefined
  }

  #leaveOthers(demands: readonly Demand[]): void {
    for (const part of this.#parts)
      if (!demands.some(({ account }) => account === part.account)) giveBack(part)
  }

  /**
   * Books what an attempt used in each account that it was held in, by the account's unit and what was held, in full even
   * where it is more, and gives the rest back.
   */
  settle(
    used: (unit: Limit['unit'], held: number) => number,
    nowMs: number,
    onBooked?: OnBooked
  ): void {
    for (const part of this.#parts) {
      const { account, sums, worst } = part
      if (sums === undefined) continue
      account.advance(nowMs)
      const amount = used(account.limit.unit, worst)
      giveBack(part)
      const spent = account.book(sums, amount)
      onBooked?.(account, spent, Math.max(0, amount - worst))
    }
    this.#parts = []
  }

  /** Books so much in each account of one unit, and holds nothing more there. */
  settleUnit(unit: Limit['unit'], amount: number, nowMs: number): void {
    if (this.#parts.length === 0 || !this.counts((of) => of === unit)) return
    for (const { account, sums, expected, worst } of this.#parts) {
      if (account.limit.unit !== unit || sums === undefined) continue
      account.advance(nowMs)
      giveBack({ account, sums, expected, worst })
      if (amount > 0) account.book(sums, amount)
    }
    this.#parts = this.#parts.filter(({ account }) => account.limit.unit !== unit)
  }

  /** Holds the worst in full from now on, where less was expected. */
  expectWorst(): void {
    for (const part of this.#parts) {
      const { account, sums, expected, worst } = part
      if (sums) account.hold(sums, worst - expected, 0)
    }
    this.#parts = this.#parts.map((part) => ({ ...part, expected: part.worst }))
  }

  /** Holds so much in further accounts too, room or not. */
  join(demands: readonly Demand[], nowMs: number): void {
    const added = demands.filter(({ account }) => this.#partOf(account) === undefined)
    for (const demand of added) {
      const { account, expected, worst } = demand
      account.advance(nowMs)
      demand.sums = account.sumsAt(this.#admittedAtMs ?? nowMs)
      account.hold(demand.sums, expected, worst)
      account.holds++
    }
    this.#parts = [...this.#parts, ...added]
  }

  /** Gives everything back. */
  release(): void {
    for (const part of this.#parts) giveBack(part)
    this.#parts = []
  }

  #partOf(wanted: Account): Demand | undefined {
    // A request meets a handful of limits: a search through them is faster than a map.
    for (const part of this.#parts) if (part.account === wanted) return part
    return undefined
  }
}

function giveBack({ account, sums, expected, worst }: Demand): void {
  if (sums === undefined) return
  account.hold(sums, -expected, -worst)
  account.holds--
}
