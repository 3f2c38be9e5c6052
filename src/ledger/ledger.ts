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

/** Something that was booked: what the account's window has spent before and after it. */
export type Booking = {
  readonly account: Account
  readonly before: number
  readonly after: number
  /** How much more than what was held. */
  readonly overrun: number
}

/**
 * What is held for one request: it moves from attempt to attempt, and covers the worst case of the present target in
 * every limit that applies. All or nothing, and at once: nothing else runs between the look and the hold.
 */
export class Hold {
  /** What was demanded last, each with the stretch of time that it is held in. */
  #parts: readonly Demand[] = []

  /** Whether some account that it is held in is of such a unit. */
  counts(isWanted: (unit: Limit['unit']) => boolean): boolean {
    for (const { account } of this.#parts) if (isWanted(account.limit.unit)) return true
    return false
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
      const sums = held?.sums ?? account.present()
      account.hold(sums, expected - (held?.expected ?? 0), worst - (held?.worst ?? 0))
      demand.sums = sums
    }
    for (const part of this.#parts)
      if (!demands.some(({ account }) => account === part.account)) giveBack(part)
    this.#parts = demands
    return undefined
  }

  /**
   * Books what an attempt used in each account that it was held in, by the account's unit and what was held, in full even
   * where it is more, and gives the rest back. Gives the bookings that somebody may want to hear of: beyond what was
   * held, or of an account with thresholds.
   */
  settle(used: (unit: Limit['unit'], held: number) => number, nowMs: number): Booking[] {
    const bookings: Booking[] = []
    for (const part of this.#parts) {
      const { account, sums, worst } = part
      if (sums === undefined) continue
      account.advance(nowMs)
      const amount = used(account.limit.unit, worst)
      giveBack(part)
      const { before, after } = account.book(sums, amount)
      const overrun = Math.max(0, amount - worst)
      if (overrun > 0 || account.limit.alertAt?.length !== 0)
        bookings.push({ account, before, after, overrun })
    }
    this.#parts = []
    return bookings
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
  if (sums) account.hold(sums, -expected, -worst)
}
