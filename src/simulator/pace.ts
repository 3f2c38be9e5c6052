import { randomAt } from './seed'

export type Timing = {
  /** From the request's arrival to the first token. */
  ttftMs: number
  /** 0 sends every token at once. */
  tokensPerSecond: number
  /** Each token leaves up to this much early or late. */
  jitterMs: number
}

export type Pace = {
  /** When the token of this number (1 for the first) is due, by `performance.now()`. */
  dueMs(tokenNumber: number): number
}

/**
 * Due times counted from the request's arrival, not from the frame before, so that a late frame
 * delays none behind it. The same seed gives the same jitter.
 */
export function createPace(timing: Timing, arrivedMs: number, seed: number): Pace {
  const { ttftMs, tokensPerSecond, jitterMs } = timing
  const intervalMs = tokensPerSecond > 0 ? 1000 / tokensPerSecond : 0
  return {
    dueMs(tokenNumber) {
      const index = Math.max(0, tokenNumber - 1)
      const jitter = jitterMs > 0 ? (randomAt(seed, index) * 2 - 1) * jitterMs : 0
      return arrivedMs + Math.max(0, ttftMs + index * intervalMs + jitter)
    },
  }
}
