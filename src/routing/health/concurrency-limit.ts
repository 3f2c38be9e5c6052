import { RollingCount } from './rolling-count'

export type ConcurrencyLimitOptions = {
  min: number
  /** The limit until the target is seen to be overloaded, and the most it ever is. */
  max: number
  /** What is left of the limit after an overload. */
  decrease: number
  /** An overload is this share of the window's answers, */
  overloadShare: number
  /** and at least so many. */
  minOverloads: number
  windowMs: number
  /** Without an overload for so long the limit grows faster and faster. */
  hurryAfterMs: number
}

export const DEFAULT_CONCURRENCY_LIMIT: Readonly<ConcurrencyLimitOptions> = {
  min: 8,
  max: 10_000,
  decrease: 0.8,
  overloadShare: 0.1,
  minOverloads: 3,
  windowMs: 10_000,
  hurryAfterMs: 10_000,
}

/**
 * How many requests a target bears at once. It goes by what is late or refused as overload, not by latency: an answer's
 * time depends on its prompt and length more than on load. Additive increase, multiplicative decrease, as the AIMD limit
 * of https://github.com/Netflix/concurrency-limits, with the same rule that only a limit in use may grow.
 */
export class ConcurrencyLimit {
  readonly #options: ConcurrencyLimitOptions
  readonly #answers: RollingCount
  readonly #overloads: RollingCount
  #limit: number
  #inFlight = 0
  /** The most that was under way lately, which is what was too much. */
  #peak = 0
  #peakAtMs = 0
  #decreasedAtMs = -Infinity

  constructor(options: Partial<ConcurrencyLimitOptions> = {}) {
    this.#options = { ...DEFAULT_CONCURRENCY_LIMIT, ...options }
    this.#limit = this.#options.max
    this.#answers = new RollingCount(this.#options.windowMs)
    this.#overloads = new RollingCount(this.#options.windowMs)
  }

  get limit(): number {
    return Math.floor(this.#limit)
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get hasRoom(): boolean {
    return this.#inFlight < this.limit
  }

  begin(nowMs: number): void {
    this.#inFlight++
    if (this.#inFlight < this.#peak && nowMs - this.#peakAtMs < this.#options.windowMs) return
    this.#peak = this.#inFlight
    this.#peakAtMs = nowMs
  }

  /** A request ended that says nothing of the load. */
  end(): void {
    this.#inFlight = Math.max(0, this.#inFlight - 1)
  }

  succeeded(nowMs: number): void {
    const wasInUse = this.#inFlight * 2 >= this.#limit
    this.end()
    this.#answers.add(1, nowMs)
    if (!wasInUse || this.#limit >= this.#options.max) return
    const { max, hurryAfterMs } = this.#options
    const share = 0.02 * ((nowMs - this.#decreasedAtMs) / hurryAfterMs) ** 2
    // One more for every round of as many answers as there may be at once, or a share of them.
    const growth = Math.max(1 / this.#limit, Math.min(1, share))
    this.#limit = Math.min(max, this.#limit + growth)
  }

  /** A request that was begun then missed its deadline, or was refused for overload. */
  overloaded(begunAtMs: number, nowMs: number): void {
    this.end()
    this.#answers.add(1, nowMs)
    this.#overloads.add(1, nowMs)
    const { min, decrease, overloadShare, minOverloads } = this.#options
    const overloads = this.#overloads.total(nowMs)
    if (overloads < minOverloads || overloads < overloadShare * this.#answers.total(nowMs)) return
    // Those that were under way at the last decrease say nothing new.
    if (begunAtMs < this.#decreasedAtMs) return
    this.#decreasedAtMs = nowMs
    this.#limit = Math.max(min, Math.min(this.#limit, this.#peak) * decrease)
    this.#peak = this.#inFlight
    this.#peakAtMs = nowMs
  }
}
