export type LatencyOptions = {
  /** How fast a measurement fades: after so long a third of it is left. */
  decayMs: number
  /** What a failure counts as at least: else one who refuses at once looks like the fastest. */
  failurePenaltyMs: number
}

export const DEFAULT_LATENCY: Readonly<LatencyOptions> = {
  decayMs: 10_000,
  failurePenaltyMs: 5_000,
}

/** Dearer than any measured target that is under load, cheaper than another unknown one with more in flight. */
const UNKNOWN_COST = 1e12

/**
 * The peak-sensitive moving average of the time to the first token: a slow answer counts at once and in full, faster ones
 * bring it down over `decayMs`. After Finagle's Peak EWMA:
 * https://github.com/twitter/finagle/blob/develop/finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/PeakEwma.scala
 */
export class Latency {
  readonly #options: LatencyOptions
  #firstTokenMs = 0
  #measuredAtMs = 0
  #tokensPerSecond: number | undefined
  #paceAtMs = 0

  constructor(options: Partial<LatencyOptions> = {}) {
    this.#options = { ...DEFAULT_LATENCY, ...options }
  }

  /** The average as it was last measured; `undefined` before the first answer. */
  get firstTokenMs(): number | undefined {
    return this.#measuredAtMs === 0 ? undefined : this.#firstTokenMs
  }

  /** The same as it is now, when nobody has renewed it for a while. */
  fadedFirstTokenMs(nowMs: number): number | undefined {
    if (this.#measuredAtMs === 0) return undefined
    return this.#firstTokenMs * this.#fade(nowMs - this.#measuredAtMs)
  }

  /** Output tokens a second once the first has come; `undefined` before the first answer that counted. */
  get tokensPerSecond(): number | undefined {
    return this.#tokensPerSecond
  }

  observe(firstTokenMs: number, nowMs: number): void {
    if (firstTokenMs >= this.#firstTokenMs) this.#firstTokenMs = firstTokenMs
    else {
      const old = this.#fade(nowMs - this.#measuredAtMs)
      this.#firstTokenMs = this.#firstTokenMs * old + firstTokenMs * (1 - old)
    }
    this.#measuredAtMs = Math.max(nowMs, Number.MIN_VALUE)
  }

  /** Nobody waited for the first token, which would have taken longer than that. */
  observeAtLeast(elapsedMs: number, nowMs: number): void {
    if (this.#measuredAtMs > 0 && elapsedMs > this.#firstTokenMs) this.observe(elapsedMs, nowMs)
  }

  observeFailure(elapsedMs: number, nowMs: number): void {
    this.observe(Math.max(elapsedMs, this.#options.failurePenaltyMs), nowMs)
  }

  /** How fast an answer came once it had begun. */
  observePace(outputTokens: number, durationMs: number, nowMs: number): void {
    if (outputTokens < 2 || durationMs <= 0) return
    const pace = (outputTokens * 1_000) / durationMs
    const old = this.#fade(nowMs - this.#paceAtMs)
    this.#tokensPerSecond =
      this.#tokensPerSecond === undefined ? pace : this.#tokensPerSecond * old + pace * (1 - old)
    this.#paceAtMs = nowMs
  }

  /**
   * What one more request would cost beside those in flight: lower is better. An average that nobody renews fades, so
   * that a target that was slow is tried again; one never measured is given a single request at first.
   */
  cost(inFlight: number, nowMs: number): number {
    if (this.#measuredAtMs === 0) return inFlight === 0 ? 0 : UNKNOWN_COST + inFlight
    return this.#firstTokenMs * this.#fade(nowMs - this.#measuredAtMs) * (inFlight + 1)
  }

  #fade(elapsedMs: number): number {
    return Math.exp(-Math.max(0, elapsedMs) / this.#options.decayMs)
  }
}
