import { amountAt, type Limit } from '../limits/limit'
import { BUCKETS, type Stretch, stretchAt, stretchesBack } from '../limits/window'

/**
 * What one stretch of time has of an account. A hold keeps hold of it: what becomes of the hold belongs to the stretch
 * in which its request was admitted.
 */
export type Sums = {
  readonly number: number
  spent: number
  /** What of it was learned later, which no checkpoint has. */
  corrected: number
  expected: number
  worst: number
  /** The clock was set back: this stretch is part of another now. */
  into: Sums | undefined
  /** Its time is over: nothing in it counts any more. */
  isOver: boolean
}

/** How an account stands: what its window has spent, and what is held for requests under way. */
export type Standing = {
  /** What the limit allows now. */
  readonly amount: number
  readonly spent: number
  /** The worst case of all that is under way. */
  readonly reserved: number
  /** When something of what stands in the way is forgotten, in epoch milliseconds; `undefined`: never. */
  readonly resetAtMs: number | undefined
}

/** What an account has spent, by the number of a stretch of time. */
export type Spent = readonly (readonly [number: number, spent: number])[]

/**
 * The counter of one subject under one limit. Sums are kept by stretches of time, each forgotten whole. Amounts are
 * whole numbers of the limit's unit. `advance` comes before anything else of a moment.
 */
export class Account {
  readonly name: string
  /** Which of its limit's accounts it is. */
  readonly key: string
  limit: Limit
  /** Requests that hold something of it, if only nothing: it is not forgotten meanwhile. */
  holds = 0
  /** Oldest first; most accounts have one or two. */
  #stretches: Sums[] = []
  #spent = 0
  #expected = 0
  #worst = 0
  #now: Stretch | undefined
  readonly #changed: Account[]
  #isChanged = false
  #usedMs = 0

  /** `changed` takes the account in when it has spent something, once until the next `takeSpent`. */
  constructor(name: string, limit: Limit, key = '', changed: Account[] = []) {
    this.name = name
    this.limit = limit
    this.key = key
    this.#changed = changed
  }

  /** Nothing is spent or held: the account may be forgotten. */
  get isIdle(): boolean {
    return this.#spent === 0 && this.holds === 0
  }

  /** Something is spent, or was until its time was over. */
  get hasSpent(): boolean {
    return this.#spent !== 0
  }

  /** Nobody has asked for it since, and all that it counts stands in a checkpoint: it can be read again. */
  isStored(sinceMs: number): boolean {
    if (this.#usedMs > sinceMs || this.#isChanged || this.holds > 0) return false
    return this.#stretches.every(({ corrected }) => corrected === 0)
  }

  /** Goes to the present and forgets what is over. */
  advance(nowMs: number): void {
    this.#usedMs = nowMs
    const known = this.#now
    if (known && nowMs >= known.startMs && nowMs < known.endMs) return
    const now = stretchAt(this.limit.window, nowMs)
    this.#now = now
    if (known && nowMs < known.startMs) this.#turnBack(now.number)
    const oldest = now.number - stretchesBack(this.limit.window)
    while (this.#stretches[0] && this.#stretches[0].number < oldest) this.#forgetOldest()
  }

  /** What its limit allows now. */
  get amount(): number {
    return this.limit.override === undefined
      ? this.limit.amount
      : amountAt(this.limit, this.#usedMs)
  }

  /** Whether so much more can be held now. */
  fits(expected: number, worst: number): boolean {
    const amount = this.amount
    const { overshoot } = this.limit
    if (worst <= 0 && expected <= 0) return true
    return (
      this.#spent + this.#expected + expected <= amount &&
      this.#spent + this.#worst + worst <= amount + overshoot
    )
  }

  /** How much more could be held now, at most; never below zero. */
  room(): number {
    const amount = this.amount
    const { overshoot } = this.limit
    const byWorst = amount + overshoot - this.#spent - this.#worst
    return Math.max(0, Math.min(byWorst, amount - this.#spent - this.#expected + overshoot))
  }

  /** The stretch that is now. */
  present(): Sums {
    const now = this.#now
    if (now === undefined) throw new Error(`the account ${this.name} has no present`)
    const last = this.#stretches.at(-1)
    return last?.number === now.number ? last : this.#append(now.number)
  }

  /** The stretch that a request of a time counts in; one that counts nowhere where that is over. */
  sumsAt(admittedAtMs: number): Sums {
    const now = this.#now
    // Ahead of the present are requests of a clock that was set back.
    if (now === undefined || admittedAtMs >= now.startMs) return this.present()
    const { window } = this.limit
    const number = stretchAt(window, admittedAtMs).number
    if (number < now.number - stretchesBack(window)) return { ...NOTHING, number, isOver: true }
    return this.#sumsOf(number)
  }

  /** Holds so much more in a stretch, or gives so much back. */
  hold(sums: Sums, expected: number, worst: number): void {
    const kept = toKept(sums)
    kept.expected += expected
    kept.worst += worst
    if (kept.isOver) return
    this.#expected += expected
    this.#worst += worst
  }

  /** Books what was used; gives what the window has spent now. */
  book(sums: Sums, amount: number): number {
    const kept = toKept(sums)
    kept.spent += amount
    this.noteChange()
    if (!kept.isOver) this.#spent += amount
    return this.#spent
  }

  standing(nowMs: number): Standing {
    this.advance(nowMs)
    return {
      amount: this.amount,
      spent: this.#spent,
      reserved: this.#worst,
      resetAtMs: this.#resetAtMs(),
    }
  }

  /** What it has spent beside corrections, for a checkpoint: from here on it is unchanged. */
  takeSpent(): Spent {
    this.#isChanged = false
    return this.#stretches
      .filter(({ spent, corrected }) => spent !== corrected)
      .map(({ number, spent, corrected }) => [number, spent - corrected] as const)
  }

  /** What it has spent, corrections included. */
  spent(): Spent {
    return this.#stretches.map(({ number, spent }) => [number, spent] as const)
  }

  /** When all that is counted now will be forgotten, in epoch milliseconds; `undefined`: never. */
  endsAtMs(): number | undefined {
    const { window } = this.limit
    if (window.kind === 'once') return undefined
    if (window.kind === 'calendar') return this.#now?.endMs
    const newest = this.#stretches.at(-1)?.number ?? 0
    return (newest + BUCKETS + 1) * (window.durationMs / BUCKETS)
  }

  /** The next checkpoint has to take it in. */
  noteChange(): void {
    if (this.#isChanged) return
    this.#isChanged = true
    this.#changed.push(this)
  }

  /** Adds what was spent before it was made. */
  addHistory(spent: Spent): void {
    this.load(spent)
    this.noteChange()
  }

  /** Puts back what a checkpoint has. */
  load(spent: Spent): void {
    const now = this.#now
    if (now === undefined) throw new Error(`the account ${this.name} has no present`)
    const oldest = now.number - stretchesBack(this.limit.window)
    for (const [number, amount] of spent) if (number >= oldest) this.#restoreIn(number, amount, 0)
  }

  /**
   * Puts back what was spent by a request that was admitted at a time, or a correction of it; nothing where that is
   * over.
   */
  restore(admittedAtMs: number, spent: number, isCorrection = false): void {
    const now = this.#now
    if (now === undefined) throw new Error(`the account ${this.name} has no present`)
    const { window } = this.limit
    // Most by far are of the present, and a calendar is slow to ask.
    const isNow = admittedAtMs >= now.startMs && admittedAtMs < now.endMs
    if (!isNow && window.kind === 'calendar') return
    const number = isNow ? now.number : stretchAt(window, admittedAtMs).number
    if (number < now.number - stretchesBack(window)) return
    this.#restoreIn(number, spent, isCorrection ? spent : 0)
    if (!isCorrection) this.noteChange()
  }

  #restoreIn(number: number, spent: number, corrected: number): void {
    const sums = this.#sumsOf(number)
    sums.spent += spent
    sums.corrected += corrected
    this.#spent += spent
  }

  #sumsOf(number: number): Sums {
    const at = this.#stretches.findLastIndex((known) => known.number <= number)
    const known = this.#stretches[at]
    return known?.number === number ? known : this.#insert(at + 1, number)
  }

  #append(number: number): Sums {
    return this.#insert(this.#stretches.length, number)
  }

  #insert(at: number, number: number): Sums {
    const sums: Sums = { ...NOTHING, number }
    this.#stretches.splice(at, 0, sums)
    return sums
  }

  #forgetOldest(): void {
    const oldest = this.#stretches.shift()
    if (oldest === undefined) return
    oldest.isOver = true
    this.#spent -= oldest.spent
    this.#expected -= oldest.expected
    this.#worst -= oldest.worst
  }

  /** The clock was set back: what was booked ahead of it counts as of now, or it would be kept too long. */
  #turnBack(present: number): void {
    const ahead = this.#stretches.filter(({ number }) => number > present)
    if (ahead.length === 0) return
    this.noteChange()
    this.#stretches = this.#stretches.filter(({ number }) => number <= present)
    const last = this.#stretches.at(-1)
    const sums = last?.number === present ? last : this.#append(present)
    for (const over of ahead) {
      over.into = sums
      sums.spent += over.spent
      sums.corrected += over.corrected
      sums.expected += over.expected
      sums.worst += over.worst
    }
  }

  #resetAtMs(): number | undefined {
    const { window } = this.limit
    if (window.kind === 'once') return undefined
    const oldest = this.#stretches.find(({ spent, worst }) => spent + worst > 0)
    if (window.kind === 'calendar' || oldest === undefined) return this.#now?.endMs
    return (oldest.number + BUCKETS + 1) * (window.durationMs / BUCKETS)
  }
}

const NOTHING: Sums = {
  ...{ number: 0, spent: 0, corrected: 0, expected: 0, worst: 0 },
  ...{ into: undefined, isOver: false },
}

function toKept(sums: Sums): Sums {
  let kept = sums
  while (kept.into) kept = kept.into
  return kept
}
