import type { Account } from './account'

/** That something was told of an account, and from when on it may be told again, in epoch milliseconds. */
export type Mark = { readonly key: string; readonly untilMs: number }

/** Beyond so many the oldest are forgotten, and what they stand for may be told twice. */
const MOST_MARKS = 500_000

/** What was told of accounts, so that each thing is told once a window. */
export class ToldMarks {
  readonly #untilMs = new Map<string, number>()

  /**
   * The mark of something that is now told of an account; `undefined` where it was told before in this window, which
   * of a rolling one is as long as the window. `atMostMs` bounds the time for which it isn't told again.
   */
  take(account: Account, what: string, nowMs: number, atMostMs = Infinity): Mark | undefined {
    const { amount } = account
    const { id } = account.limit
    // Another amount is another budget: what is told of it begins anew.
    const key = `${id}\n${account.key}\n${amount}\n${what}`
    if (this.has(key, nowMs)) return undefined
    const mark = { key, untilMs: Math.min(windowEndMs(account, nowMs), nowMs + atMostMs) }
    this.restore(mark)
    return mark
  }

  /** Whether what the key stands for was told, and is not to be told again yet. */
  has(key: string, nowMs: number): boolean {
    const untilMs = this.#untilMs.get(key)
    return untilMs !== undefined && nowMs < untilMs
  }

  /** Knows a mark, as one that an earlier process took. */
  restore({ key, untilMs }: Mark): void {
    this.#untilMs.delete(key)
    this.#untilMs.set(key, untilMs)
    if (this.#untilMs.size <= MOST_MARKS) return
    const oldest = this.#untilMs.keys().next()
    if (!oldest.done) this.#untilMs.delete(oldest.value)
  }

  /** The marks that still say something; the others are forgotten. */
  valid(nowMs: number): Mark[] {
    const marks: Mark[] = []
    for (const [key, untilMs] of this.#untilMs) {
      if (nowMs < untilMs) marks.push({ key, untilMs })
      else this.#untilMs.delete(key)
    }
    return marks
  }
}

function windowEndMs(account: Account, nowMs: number): number {
  const { window } = account.limit
  if (window.kind === 'once') return Infinity
  if (window.kind === 'rolling') return nowMs + window.durationMs
  return account.standing(nowMs).resetAtMs ?? Infinity
}
