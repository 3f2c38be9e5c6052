import { RollingCount } from './rolling-count'

export type ThrottleOptions = {
  /** What is left of the rate after a refusal. */
  decrease: number
  /** The same when far fewer are accepted than the rate would let through. */
  decreaseFarOff: number
  /** The part by which the rate grows a second; more once there was no refusal for `hurryAfterMs`. */
  growthPerSecond: number
  hurryAfterMs: number
  /** So many refusals in a row say that a quota is used up, not that the rate is too high: then one probe a pause is sent. */
  exhaustedAfter: number
  /** The first pause, doubled with every refused probe. */
  pauseMs: number
  maxPauseMs: number
  /** A limit that was not met for so long is forgotten. */
  forgetAfterMs: number
  minPerSecond: number
  /** How much may go at once, as seconds of the rate. */
  burstSeconds: number
}

export const DEFAULT_THROTTLE: Readonly<ThrottleOptions> = {
  decrease: 0.9,
  decreaseFarOff: 0.7,
  growthPerSecond: 0.02,
  hurryAfterMs: 10_000,
  exhaustedAfter: 3,
  pauseMs: 250,
  maxPauseMs: 8_000,
  forgetAfterMs: 300_000,
  minPerSecond: 1 / 60,
  burstSeconds: 0.25,
}

const WINDOW_MS = 10_000
/** The present slot of the window is half over on average. */
const MEASURED_MS = WINDOW_MS * 0.95
const MAX_GROWTH_PER_SECOND = 0.5
/** What one accepted request may add where they are rare. */
const MAX_GROWTH = 0.05
/** The rate that is tried after the first refusal, where next to nothing was accepted before. */
const FIRST_PER_SECOND = 1

/**
 * Learns the rate that a throttling target takes, and keeps to it: additive increase, multiplicative decrease
 * (https://www.rfc-editor.org/rfc/rfc5681), the increase speeding up with the time since the last refusal as in CUBIC
 * (https://www.rfc-editor.org/rfc/rfc9438), admitted by a token bucket. Unlimited until the first refusal.
 */
export class Throttle {
  readonly #options: ThrottleOptions
  readonly #accepted = new RollingCount(WINDOW_MS)
  #acceptedSinceMs: number | undefined
  #perSecond = Infinity
  #tokens = 0
  #refilledAtMs = 0
  #refusedAtMs = -Infinity
  #decreasedAtMs = -Infinity
  #heldUntilMs = 0
  #refusalsInRow = 0
  #pausedUntilMs = 0
  /** When the rate last held a request back: a rate that nobody asks for must not grow. */
  #limitedAtMs = -Infinity

  constructor(options: Partial<ThrottleOptions> = {}) {
    this.#options = { ...DEFAULT_THROTTLE, ...options }
  }

  /** The learned rate in requests a second; `undefined` while there is none. */
  get perSecond(): number | undefined {
    return this.#perSecond === Infinity ? undefined : this.#perSecond
  }

  /** How many milliseconds from now a request may go; 0 for now. */
  waitMs(nowMs: number): number {
    if (this.#perSecond === Infinity) return 0
    if (nowMs - this.#refusedAtMs > this.#options.forgetAfterMs) {
      this.#perSecond = Infinity
      return 0
    }
    if (nowMs < this.#pausedUntilMs) return this.#pausedUntilMs - nowMs
    this.#refill(nowMs)
    // Sums of fractions may miss a whole by a hair, whose wait would round to nothing.
    if (this.#tokens >= 1 - 1e-9) return 0
    this.#limitedAtMs = nowMs
    return ((1 - this.#tokens) * 1_000) / this.#perSecond
  }

  /** A request sets out. */
  take(nowMs: number): void {
    if (this.#perSecond === Infinity) return
    this.#refill(nowMs)
    // Who is sent without being asked about owes at most one.
    this.#tokens = Math.max(-1, this.#tokens - 1)
    this.#pause(nowMs)
  }

  /** The target took a request that was begun then. */
  accepted(begunAtMs: number, nowMs: number): void {
    this.#acceptedSinceMs ??= begunAtMs
    this.#accepted.add(1, nowMs)
    if (this.#perSecond === Infinity || begunAtMs < this.#decreasedAtMs) return
    this.#refusalsInRow = 0
    this.#pausedUntilMs = 0
    const wasLimited = nowMs - this.#limitedAtMs < Math.max(1_000, 2_000 / this.#perSecond)
    if (!wasLimited || nowMs < this.#heldUntilMs) return
    const { growthPerSecond, hurryAfterMs } = this.#options
    const hurry = Math.max(1, ((nowMs - this.#decreasedAtMs) / hurryAfterMs) ** 2)
    const growth = Math.min(MAX_GROWTH_PER_SECOND, growthPerSecond * hurry) / this.#perSecond
    this.#perSecond *= 1 + Math.min(MAX_GROWTH, growth)
  }

  /** The target refused a request that was begun then. `retryAfterMs`: how long it asked to be left alone. */
  refused(begunAtMs: number, retryAfterMs: number, nowMs: number): void {
    this.#refusedAtMs = nowMs
    // To try for more while each refusal costs a long pause would cost more than it brings.
    this.#heldUntilMs = Math.max(this.#heldUntilMs, nowMs + 2 * retryAfterMs)
    // Those that were under way at the last decrease say nothing new.
    if (begunAtMs < this.#decreasedAtMs) return
    this.#refill(nowMs)
    this.#decreasedAtMs = nowMs
    this.#perSecond = Math.max(this.#options.minPerSecond, this.#decreased(nowMs))
    this.#tokens = Math.min(this.#tokens, this.#capacity)
    this.#refusalsInRow++
    this.#pause(nowMs)
  }

  #pause(nowMs: number): void {
    const { exhaustedAfter, pauseMs, maxPauseMs } = this.#options
    const probes = this.#refusalsInRow - exhaustedAfter
    if (probes >= 0) this.#pausedUntilMs = nowMs + Math.min(maxPauseMs, pauseMs * 2 ** probes)
  }

  #decreased(nowMs: number): number {
    const { decrease, decreaseFarOff, exhaustedAfter } = this.#options
    const measured = this.#acceptedPerSecond(nowMs)
    if (this.#perSecond === Infinity) return Math.max(FIRST_PER_SECOND, measured * decrease)
    const isFarOff = measured < this.#perSecond / 2 && this.#refusalsInRow < exhaustedAfter
    return this.#perSecond * (isFarOff ? decreaseFarOff : decrease)
  }

  #acceptedPerSecond(nowMs: number): number {
    if (this.#acceptedSinceMs === undefined) return 0
    const sinceMs = Math.max(100, nowMs - this.#acceptedSinceMs)
    return (this.#accepted.total(nowMs) * 1_000) / Math.min(MEASURED_MS, sinceMs)
  }

  get #capacity(): number {
    return Math.max(1, this.#perSecond * this.#options.burstSeconds)
  }

  #refill(nowMs: number): void {
    const elapsedMs = nowMs - this.#refilledAtMs
    this.#refilledAtMs = nowMs
    if (this.#perSecond === Infinity) return
    const filled = this.#tokens + (elapsedMs * this.#perSecond) / 1_000
    this.#tokens = Math.min(this.#capacity, filled)
  }
}
