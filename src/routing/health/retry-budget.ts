import { RollingCount } from './rolling-count'

export type RetryBudgetOptions = {
  /** The share of the requests of the window that may be sent again. */
  share: number
  /** Retries a second that are always allowed, so that a quiet target has some. */
  floorPerSecond: number
  windowMs: number
}

export const DEFAULT_RETRY_BUDGET: Readonly<RetryBudgetOptions> = {
  share: 0.2,
  floorPerSecond: 1,
  windowMs: 10_000,
}

/**
 * Keeps retries a small part of a target's load: else they multiply it when it can least bear it.
 * https://twitter.github.io/finagle/guide/Clients.html#retries and Envoy's retry budget,
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/circuit_breaker.proto
 */
export class RetryBudget {
  readonly #options: RetryBudgetOptions
  readonly #requests: RollingCount
  readonly #retries: RollingCount

  constructor(options: Partial<RetryBudgetOptions> = {}) {
    this.#options = { ...DEFAULT_RETRY_BUDGET, ...options }
    this.#requests = new RollingCount(this.#options.windowMs)
    this.#retries = new RollingCount(this.#options.windowMs)
  }

  /** A request was sent for the first time. */
  request(nowMs: number): void {
    this.#requests.add(1, nowMs)
  }

  /** Whether one more retry fits; taken only by `retry`. */
  hasRoom(nowMs: number): boolean {
    const { share, floorPerSecond, windowMs } = this.#options
    const allowed = share * this.#requests.total(nowMs) + (floorPerSecond * windowMs) / 1_000
    return this.#retries.total(nowMs) + 1 <= allowed
  }

  /** A request was sent again. */
  retry(nowMs: number): void {
    this.#retries.add(1, nowMs)
  }
}
