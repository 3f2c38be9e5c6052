import { Breaker, type BreakerOptions, type BreakerState } from './breaker'
import { ConcurrencyLimit, type ConcurrencyLimitOptions } from './concurrency-limit'
import { Cooldown, type CooldownOptions } from './cooldown'
import { FairQueue } from './fair-queue'
import { HealthCall, type HealthParts } from './health-call'
import { type HealthRefusal, toHealthError } from './health-refusal'
import { Latency, type LatencyOptions } from './latency'
import { RecentTimes } from './recent-times'
import { RetryBudget, type RetryBudgetOptions } from './retry-budget'
import { Throttle, type ThrottleOptions } from './throttle'
import { WaitingCall } from './waiting-call'

export type HealthOptions = {
  breaker?: Partial<BreakerOptions>
  latency?: Partial<LatencyOptions>
  throttle?: Partial<ThrottleOptions>
  concurrency?: Partial<ConcurrencyLimitOptions>
  cooldown?: Partial<CooldownOptions>
  retries?: Partial<RetryBudgetOptions>
  /** Requests that may wait for their turn, of all keys together. 2,000 unless said. */
  maxWaiting?: number
  /** How long one may. 5 s unless said. */
  maxWaitMs?: number
}

export type HealthClock = {
  /** Monotonic milliseconds. */
  now(): number
  /** [0, 1) */
  random(): number
}

/** How a target stands, for metrics and explanations. */
export type HealthSnapshot = {
  readonly name: string
  readonly state: BreakerState
  /** Of the answers of the last ten seconds; `undefined` where there were none. */
  readonly successShare: number | undefined
  readonly firstTokenMs: number | undefined
  readonly tokensPerSecond: number | undefined
  readonly inFlight: number
  readonly waiting: number
  /** The most that may be in flight. */
  readonly limit: number
  /** The rate it was found to take; `undefined` while it never refused one. */
  readonly requestsPerSecond: number | undefined
  /** How much longer it is left alone; 0 for not at all. */
  readonly coolingForMs: number
}

/** Whether a place is free is not known before somebody leaves. */
const SATURATED: HealthRefusal = { reason: 'saturated', retryAfterMs: 1_000 }

/** Asking again can help with the next probe, whose time is not known here. */
const PROBE_FAILED: HealthRefusal = { reason: 'probe_failed', retryAfterMs: 5_000 }

/**
 * What is known of a target's, or a credential's, health, and whether it takes one more request. Everything is in memory
 * and O(1); nothing waits but who asks to.
 */
export class TargetHealth {
  readonly name: string
  readonly #clock: HealthClock
  readonly #parts: HealthParts
  readonly #retries: RetryBudget
  readonly #queue: FairQueue<WaitingCall>
  readonly #maxWaitMs: number
  #lookedAtMs = -Infinity
  #failsProbe = false

  constructor(name: string, clock: HealthClock, options: HealthOptions = {}) {
    this.name = name
    this.#clock = clock
    this.#parts = {
      breaker: new Breaker(options.breaker ?? {}, clock.random),
      latency: new Latency(options.latency),
      throttle: new Throttle(options.throttle),
      limit: new ConcurrencyLimit(options.concurrency),
      cooldown: new Cooldown(options.cooldown),
      recent: undefined,
      now: clock.now,
      onEnd: (nowMs) => this.#letGo(nowMs),
    }
    this.#retries = new RetryBudget(options.retries)
    this.#queue = new FairQueue(options.maxWaiting ?? 2_000)
    this.#maxWaitMs = options.maxWaitMs ?? 5_000
  }

  get inFlight(): number {
    return this.#parts.limit.inFlight
  }

  /** The time to the first token, slow answers before all others; `undefined` while none is known. */
  firstTokenMs(): number | undefined {
    return this.#parts.latency.fadedFirstTokenMs(this.#clock.now())
  }

  /** `undefined` while none is known. */
  get tokensPerSecond(): number | undefined {
    return this.#parts.latency.tokensPerSecond
  }

  /**
   * The time that 95 of 100 of the last answers took: streams to their first token, whole ones to their end. `undefined`
   * while too few are known; they are kept from the first time that somebody asks.
   */
  slowMs(isStream: boolean): number | undefined {
    const { streamed, whole } = this.#recent()
    return (isStream ? streamed : whole).p95()
  }

  /** An answer that was not waited for would have taken longer than that. */
  slowerThan(isStream: boolean, durationMs: number): void {
    const { streamed, whole } = this.#recent()
    const times = isStream ? streamed : whole
    times.add(durationMs)
  }

  #recent() {
    return (this.#parts.recent ??= { streamed: new RecentTimes(), whole: new RecentTimes() })
  }

  /**
   * Why no request may be sent now; `undefined` when one may. Takes nothing: `begin` does, and must follow without
   * anything awaited in between. While the target recovers each ask is another draw. Who has no other target does better
   * to send all the same than to heed `circuit_open` and `recovering`: what is refused for sure helps nobody.
   */
  admit(): HealthRefusal | undefined {
    const nowMs = this.#clock.now()
    return this.#refusal(nowMs) ?? (this.#queue.length > 0 ? SATURATED : undefined)
  }

  /** A request sets out. Works without `admit` too, where there is nothing to lose. */
  begin({ isRetry = false } = {}): HealthCall {
    const nowMs = this.#clock.now()
    if (isRetry) this.#retries.retry(nowMs)
    else this.#retries.request(nowMs)
    return this.#begin(nowMs)
  }

  /** Whether the retry budget has room for another retry. */
  mayRetry(): boolean {
    return this.#retries.hasRoom(this.#clock.now())
  }

  /**
   * What probes of its provider found, beside what its own requests tell. While it is unwell it takes none; one that is
   * well, and was left alone for its failures, may be tried at once.
   */
  probed({ isWell }: { isWell: boolean }): void {
    this.#failsProbe = !isWell
    if (isWell) this.#parts.breaker.mayBeBack(this.#clock.now())
  }

  /** What one more request would cost here, for a choice between targets: lower is better. */
  cost(): number {
    return this.#parts.latency.cost(this.inFlight, this.#clock.now())
  }

  /**
   * Queues a request that has nowhere else to go, in turns with others by `key`, e.g. the tenant; `undefined` when too
   * many wait already. For who was told `throttled`, `saturated` or `recovering`.
   */
  wait(key: string): WaitingCall | undefined {
    const waiting: WaitingCall = new WaitingCall({
      dueAtMs: this.#clock.now() + this.#maxWaitMs,
      leave: () => this.#queue.leave(key, waiting),
      look: (nowMs) => this.#look(nowMs),
      toError: () => toHealthError(this.name, this.admit() ?? SATURATED),
    })
    return this.#queue.join(key, waiting) ? waiting : undefined
  }

  snapshot(): HealthSnapshot {
    const nowMs = this.#clock.now()
    const { breaker, cooldown, latency, limit, throttle } = this.#parts
    return {
      name: this.name,
      state: breaker.state(nowMs),
      successShare: breaker.successShare(nowMs),
      firstTokenMs: latency.firstTokenMs,
      tokensPerSecond: latency.tokensPerSecond,
      inFlight: limit.inFlight,
      waiting: this.#queue.length,
      limit: limit.limit,
      requestsPerSecond: throttle.perSecond,
      coolingForMs: cooldown.waitMs(nowMs),
    }
  }

  /** The draw of the recovery comes last, so that nobody is drawn who is then refused. */
  #refusal(nowMs: number): HealthRefusal | undefined {
    if (this.#failsProbe) return PROBE_FAILED
    const { breaker, cooldown, limit, throttle } = this.#parts
    const coolingMs = cooldown.waitMs(nowMs)
    if (coolingMs > 0) return { reason: 'cooling_down', retryAfterMs: coolingMs }
    const throttledMs = throttle.waitMs(nowMs)
    if (throttledMs > 0) return { reason: 'throttled', retryAfterMs: throttledMs }
    if (!limit.hasRoom) return SATURATED
    const brokenMs = breaker.waitMs(nowMs)
    if (brokenMs <= 0) return undefined
    const isRecovering = breaker.state(nowMs) === 'recovering'
    return { reason: isRecovering ? 'recovering' : 'circuit_open', retryAfterMs: brokenMs }
  }

  #begin(nowMs: number): HealthCall {
    const { breaker, limit, throttle } = this.#parts
    throttle.take(nowMs)
    limit.begin(nowMs)
    return new HealthCall(this.#parts, breaker.begin(nowMs), nowMs)
  }

  /** All who wait tick at the same moments: one look is enough for them. */
  #look(nowMs: number): void {
    if (nowMs === this.#lookedAtMs) return
    this.#lookedAtMs = nowMs
    this.#letGo(nowMs)
  }

  #letGo(nowMs: number): void {
    while (this.#queue.length > 0 && this.#refusal(nowMs) === undefined) {
      const waiting = this.#queue.next()
      if (waiting === undefined) return
      this.#retries.request(nowMs)
      waiting.grant(this.#begin(nowMs))
    }
  }
}
