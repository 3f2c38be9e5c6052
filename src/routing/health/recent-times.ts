/** How many of the last answers are looked at. */
const WINDOW = 128
/** With fewer nothing is said: one slow answer of ten is no percentile. */
const LEAST_SAMPLES = 20
/** The percentile is worked out anew after so many more. */
const STALE_AFTER = 8

/**
 * The 95th percentile of the last 128 times, exact (nearest rank) rather than estimated by a running quantile such as P²,
 * which never forgets: a target that was slow an hour ago is not to be measured by that. Adding is O(1); the sorting, some
 * microseconds, is done once in eight answers at most.
 */
export class RecentTimes {
  readonly #times = new Float64Array(WINDOW)
  #count = 0
  #known: number | undefined
  #knownAt = -Infinity

  add(durationMs: number): void {
    this.#times[this.#count++ % WINDOW] = durationMs
  }

  /** In milliseconds; `undefined` while fewer than 20 are known. */
  p95(): number | undefined {
    if (this.#count < LEAST_SAMPLES) return undefined
    if (this.#count - this.#knownAt < STALE_AFTER) return this.#known
    const sorted = this.#times.slice(0, Math.min(this.#count, WINDOW)).sort()
    this.#knownAt = this.#count
    this.#known = sorted[Math.ceil(sorted.length * 0.95) - 1]
    return this.#known
  }
}
