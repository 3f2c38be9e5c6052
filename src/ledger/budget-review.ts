import type { Account } from './account'
import type { AccountBook } from './account-book'
import { type TellingOptions, tellThresholds } from './tell-budgets'

/** So long a step may take, and so long others have the thread between two. */
const STEP_MS = 5
/** Accounts between two looks at the clock: some 40 microseconds. */
const LOOK_EVERY = 256

/** Tells which thresholds of budgets are reached, a walk through all accounts in short steps. */
export class BudgetReview {
  readonly #options: TellingOptions
  readonly #book: AccountBook
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: TellingOptions, book: AccountBook) {
    this.#options = options
    this.#book = book
  }

  /** Begins, anew where one is under way; the first step is taken at once. */
  begin(): void {
    clearTimeout(this.#timer)
    this.#step(this.#book.accounts())
  }

  #step(walk: Iterator<Account>): void {
    const nowMs = this.#options.now()
    const untilMs = performance.now() + STEP_MS
    for (let looked = 1; ; looked++) {
      const next = walk.next()
      if (next.done === true) return
      this.#look(next.value, nowMs)
      if (looked % LOOK_EVERY === 0 && performance.now() > untilMs) break
    }
    this.#timer = setTimeout(() => this.#step(walk), STEP_MS).unref()
  }

  #look(account: Account, nowMs: number): void {
    if (account.limit.unit !== 'usd' || !account.hasSpent) return
    if (account.limit.alertAt?.length === 0) return
    tellThresholds(this.#options, account, account.standing(nowMs).spent, nowMs)
  }
}
