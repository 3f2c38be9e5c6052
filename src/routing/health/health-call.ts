import type { Breaker, Pass } from './breaker'
import type { Failure } from './classify-failure'
import type { ConcurrencyLimit } from './concurrency-limit'
import type { Cooldown } from './cooldown'
import type { Latency } from './latency'
import type { RecentTimes } from './recent-times'
import type { Throttle } from './throttle'

/** What learns from a target's answers. */
export type HealthParts = {
  readonly breaker: Breaker
  readonly latency: Latency
  readonly throttle: Throttle
  readonly limit: ConcurrencyLimit
  readonly cooldown: Cooldown
  /** The times to the first token of streams, and those of whole answers; only where somebody asks for them. */
  recent: { readonly streamed: RecentTimes; readonly whole: RecentTimes } | undefined
  /** Monotonic milliseconds. */
  now(): number
  /** A request ended, so that another may set out. */
  onEnd(nowMs: number): void
}

/**
 * One request under way to a target, from `begin` to the end of its answer. It is in flight until the first of
 * `succeeded`, `failed` and `left`, which must come; only that one counts.
 */
export class HealthCall {
  readonly #parts: HealthParts
  readonly #pass: Pass
  readonly #begunAtMs: number
  #firstTokenAtMs: number | undefined
  #isEnded = false

  constructor(parts: HealthParts, pass: Pass, begunAtMs: number) {
    this.#parts = parts
    this.#pass = pass
    this.#begunAtMs = begunAtMs
  }

  /** The first meaningful part of the answer came. A whole answer needs not tell of it. */
  firstToken(): void {
    if (this.#isEnded || this.#firstTokenAtMs !== undefined) return
    const nowMs = this.#parts.now()
    this.#parts.recent?.streamed.add(nowMs - this.#begunAtMs)
    this.#hear(nowMs)
  }

  /** The answer is complete. `outputTokens` where they were counted, for the pace of a stream. */
  succeeded({ outputTokens }: { outputTokens?: number | undefined } = {}): void {
    if (!this.#end()) return
    const { breaker, cooldown, latency, limit, now, onEnd } = this.#parts
    const nowMs = now()
    if (this.#firstTokenAtMs === undefined) {
      this.#parts.recent?.whole.add(nowMs - this.#begunAtMs)
      this.#hear(nowMs)
    } else if (outputTokens !== undefined)
      latency.observePace(outputTokens, nowMs - this.#firstTokenAtMs, nowMs)
    breaker.succeeded(this.#pass, nowMs)
    cooldown.accepted()
    limit.succeeded(nowMs)
    onEnd(nowMs)
  }

  /** The attempt failed, or its stream broke off. What is not the target's fault counts as `left`. */
  failed({ kind, cause, retryAfterMs = 0 }: Failure): void {
    if (!this.#end()) return
    const { breaker, cooldown, latency, limit, now, onEnd, throttle } = this.#parts
    const nowMs = now()
    const begunAtMs = this.#begunAtMs
    const hasAnswered = this.#firstTokenAtMs !== undefined
    if (kind === 'provider' && cause !== 'overloaded') {
      const { inFlight } = limit
      // Who pauses in an answer is not one who never gives any.
      const weighed = hasAnswered && cause === 'timeout' ? undefined : cause
      breaker.failed(this.#pass, { cause: weighed, begunAtMs, inFlight }, nowMs)
    } else {
      // Who refuses so is there, even as the answer to a probe.
      const isThere = kind === 'credential' || (kind === 'throttled' && cause !== 'overloaded')
      if (isThere) breaker.heard(this.#pass, nowMs)
      breaker.left(this.#pass)
    }
    if (kind === 'throttled') throttle.refused(begunAtMs, retryAfterMs, nowMs)
    if (kind === 'credential') cooldown.refused(begunAtMs, nowMs)
    if (kind === 'throttled' || kind === 'provider') {
      cooldown.extend(retryAfterMs, nowMs)
      if (!hasAnswered) latency.observeFailure(nowMs - begunAtMs, nowMs)
    }
    if (cause === 'overloaded' || cause === 'timeout') limit.overloaded(begunAtMs, nowMs)
    else limit.end()
    onEnd(nowMs)
  }

  /** The request ended without a word about the target: its client left, or it was never sent. */
  left(): void {
    if (!this.#end()) return
    const { breaker, latency, limit, now, onEnd } = this.#parts
    const nowMs = now()
    if (this.#firstTokenAtMs === undefined) latency.observeAtLeast(nowMs - this.#begunAtMs, nowMs)
    breaker.left(this.#pass)
    limit.end()
    onEnd(nowMs)
  }

  #hear(nowMs: number): void {
    const { breaker, latency, throttle } = this.#parts
    this.#firstTokenAtMs = nowMs
    breaker.heard(this.#pass, nowMs)
    latency.observe(nowMs - this.#begunAtMs, nowMs)
    throttle.accepted(this.#begunAtMs, nowMs)
  }

  #end(): boolean {
    if (this.#isEnded) return false
    this.#isEnded = true
    return true
  }
}
