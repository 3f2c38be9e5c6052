import type { OwnLimit } from '../ledger/account-book'
import type { Target } from './target'

/** What strategies and rules go by, as it stands now. Each is asked on the path of a request, and answers at once. */
export type RouteSignals = {
  /** Milliseconds to the first token; `undefined` while nothing recent is known. */
  latencyMs(target: Target): number | undefined
  /** Output tokens a second; `undefined` while nothing recent is known. */
  throughput(target: Target): number | undefined
  /** Requests under way there. */
  inFlight(target: Target): number
  /** From 0 to below 1. */
  random(): number
  /** Epoch milliseconds. */
  nowMs(): number
  /**
   * USD that are left in the tightest budget of a subject, `own` being those of the caller itself; `undefined` where
   * it has none.
   */
  budgetRemaining(subject: string, own: readonly OwnLimit[]): number | undefined
}

/** Signals of a gateway that measures nothing; `known` are those it has all the same. */
export function createSignals(known: Partial<RouteSignals> = {}): RouteSignals {
  return {
    latencyMs: () => undefined,
    throughput: () => undefined,
    inFlight: () => 0,
    random: Math.random,
    nowMs: Date.now,
    budgetRemaining: () => undefined,
    ...known,
  }
}
