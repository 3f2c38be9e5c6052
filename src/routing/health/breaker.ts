import type { FailureCause } from './classify-failure'
import { RollingCount } from './rolling-count'

export type BreakerOptions = {
  /** Opens after so many failures in a row, */
  consecutiveFailures: number
  /** or so many deadlines missed in a row, */
  consecutiveTimeouts: number
  /** or so many connections refused in a row; mixed, each counts for its part. */
  consecutiveUnreachable: number
  /**
   * Opens with the first missed deadline when nothing at all was heard from the target while it ran, and so many requests
   * have missed theirs or still wait.
   */
  silentRequests: number
  /** Opens when this share of the window's answers failed, */
  failureShare: number
  /** of at least so many. */
  minAnswers: number
  windowMs: number
  /** How long it stays open the first time; doubled with every relapse. */
  openMs: number
  maxOpenMs: number
  /** Requests that may be under way at once to find out whether the target is back. */
  maxProbes: number
  /** How long the share of admitted requests rises, once a probe was answered. */
  rampMs: number
  /** The share at the beginning of it. */
  rampFrom: number
  /** The share of the ramp's answers that may fail without a relapse. */
  rampFailureShare: number
}

export const DEFAULT_BREAKER: Readonly<BreakerOptions> = {
  consecutiveFailures: 5,
  consecutiveTimeouts: 3,
  consecutiveUnreachable: 2,
  silentRequests: 2,
  failureShare: 0.5,
  minAnswers: 20,
  windowMs: 10_000,
  openMs: 5_000,
  maxOpenMs: 60_000,
  maxProbes: 1,
  rampMs: 15_000,
  rampFrom: 0.1,
  rampFailureShare: 0.1,
}

export type BreakerState = 'closed' | 'open' | 'half_open' | 'recovering'

/** What a request was begun as. Of those begun before the breaker last opened nothing counts any more. */
export type Pass = { readonly generation: number; readonly isProbe: boolean }

/** How a request failed, and what else waits for the same target. */
export type BreakerFailure = {
  cause: FailureCause | undefined
  begunAtMs: number
  /** Requests under way to the target, this one among them. */
  inFlight: number
}

/** A deadline that ran for less is what other attempts left of a request's time, and says nothing. */
const MIN_SILENCE_MS = 1_000

/** How long a request that came between two probes is told to wait. */
const ASK_AGAIN_MS = 1_000

/**
 * A circuit breaker: passes a failing target by, sends it a probe after a while, then a rising share of its requests.
 * https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker; the ramp is Envoy's slow start,
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/slow_start. Times are
 * monotonic milliseconds.
 */
export class Breaker {
  readonly #options: BreakerOptions
  readonly #random: () => number
  readonly #answers: RollingCount
  readonly #failures: RollingCount
  #state: BreakerState = 'closed'
  #pass: Pass = { generation: 0, isProbe: false }
  #probePass: Pass = { generation: 0, isProbe: true }
  /** What failed in a row, in parts of what opens the breaker. */
  #streak = 0
  #timeouts = 0
  #heardAtMs = -Infinity
  #openings = 0
  #openUntilMs = 0
  #probes = 0
  #rampSinceMs = 0
  #rampAnswers = 0
  #rampFailures = 0

  constructor(options: Partial<BreakerOptions>, random: () => number) {
    this.#options = { ...DEFAULT_BREAKER, ...options }
    this.#random = random
    this.#answers = new RollingCount(this.#options.windowMs)
    this.#failures = new RollingCount(this.#options.windowMs)
  }

  state(nowMs: number): BreakerState {
    if (this.#state === 'open' && nowMs >= this.#openUntilMs) {
      this.#state = 'half_open'
      this.#probes = 0
    } else if (this.#state === 'recovering' && this.#share(nowMs) >= 1) this.#close()
    return this.#state
  }

  /** The share of the window's answers that succeeded; `undefined` where there were none. */
  successShare(nowMs: number): number | undefined {
    const answers = this.#answers.total(nowMs)
    return answers === 0 ? undefined : 1 - this.#failures.total(nowMs) / answers
  }

  /** How many milliseconds from now a request may be admitted; 0 for now. `begin` must follow at once. */
  waitMs(nowMs: number): number {
    switch (this.state(nowMs)) {
      case 'closed':
        return 0
      case 'open':
        return this.#openUntilMs - nowMs
      case 'half_open':
        return this.#probes < this.#options.maxProbes ? 0 : ASK_AGAIN_MS
      case 'recovering':
        return this.#random() < this.#share(nowMs) ? 0 : ASK_AGAIN_MS
    }
  }

  /** A request sets out; what is given back goes to the method that tells its end. */
  begin(nowMs: number): Pass {
    if (this.state(nowMs) !== 'half_open') return this.#pass
    this.#probes++
    return this.#probePass
  }

  /** The target began to answer: whatever comes, it is there. */
  heard(pass: Pass, nowMs: number): void {
    this.#heardAtMs = nowMs
    if (!this.#counts(pass)) return
    this.#timeouts = 0
    this.#streak = 0
    // Who was sent a request while open, for want of another target, may have answered before the probe.
    const state = this.state(nowMs)
    if (state === 'half_open' || state === 'open') this.#recover(nowMs)
  }

  succeeded(pass: Pass, nowMs: number): void {
    this.heard(pass, nowMs)
    this.#end(pass)
    if (!this.#counts(pass)) return
    this.#answers.add(1, nowMs)
    if (this.#state === 'recovering') this.#rampAnswers++
  }

  failed(pass: Pass, failure: BreakerFailure, nowMs: number): void {
    this.#end(pass)
    if (!this.#counts(pass)) return
    this.#answers.add(1, nowMs)
    this.#failures.add(1, nowMs)
    switch (this.state(nowMs)) {
      case 'closed':
        if (this.#isEnough(failure, nowMs)) this.#open(nowMs)
        return
      case 'recovering':
        this.#rampAnswers++
        this.#rampFailures++
        if (this.#rampFailures > this.#options.rampFailureShare * this.#rampAnswers)
          this.#open(nowMs)
        return
      case 'half_open':
        this.#open(nowMs)
        return
      case 'open':
    }
  }

  /** There is reason to think that the target is back: it need not stay open any longer before it is tried. */
  mayBeBack(nowMs: number): void {
    if (this.#state === 'open') this.#openUntilMs = Math.min(this.#openUntilMs, nowMs)
  }

  /** It ended without saying anything of the target. */
  left(pass: Pass): void {
    this.#end(pass)
  }

  #end(pass: Pass): void {
    if (pass.isProbe && this.#counts(pass) && this.#probes > 0) this.#probes--
  }

  #counts(pass: Pass): boolean {
    return pass.generation === this.#pass.generation
  }

  #isEnough({ cause, begunAtMs, inFlight }: BreakerFailure, nowMs: number): boolean {
    const options = this.#options
    this.#streak += 1 / this.#neededOf(cause)
    // Thirds and fifths don't add up to exactly one.
    if (this.#streak >= 1 - 1e-9) return true
    if (cause === 'timeout') {
      this.#timeouts++
      // Nobody else heard anything all that time either: their deadlines need not be waited for.
      const isSilent = this.#heardAtMs < begunAtMs && nowMs - begunAtMs >= MIN_SILENCE_MS
      if (isSilent && this.#timeouts + inFlight - 1 >= options.silentRequests) return true
    }
    const answers = this.#answers.total(nowMs)
    return (
      answers >= options.minAnswers && this.#failures.total(nowMs) >= options.failureShare * answers
    )
  }

  #neededOf(cause: FailureCause | undefined): number {
    if (cause === 'timeout') return this.#options.consecutiveTimeouts
    if (cause === 'unreachable') return this.#options.consecutiveUnreachable
    return this.#options.consecutiveFailures
  }

  #open(nowMs: number): void {
    const { openMs, maxOpenMs } = this.#options
    const doubledMs = Math.min(maxOpenMs, openMs * 2 ** this.#openings)
    // A little apart, so that several gateways don't come back together.
    this.#openUntilMs = nowMs + doubledMs * (1 + 0.1 * this.#random())
    this.#openings++
    this.#state = 'open'
    const generation = this.#pass.generation + 1
    this.#pass = { generation, isProbe: false }
    this.#probePass = { generation, isProbe: true }
    this.#forget()
  }

  #recover(nowMs: number): void {
    this.#state = 'recovering'
    this.#rampSinceMs = nowMs
    this.#rampAnswers = 0
    this.#rampFailures = 0
  }

  #close(): void {
    this.#state = 'closed'
    this.#openings = 0
  }

  #forget(): void {
    this.#streak = 0
    this.#timeouts = 0
    this.#answers.clear()
    this.#failures.clear()
  }

  #share(nowMs: number): number {
    const { rampFrom, rampMs } = this.#options
    return Math.max(rampFrom, (nowMs - this.#rampSinceMs) / rampMs)
  }
}
