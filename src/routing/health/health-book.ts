import {
  type HealthClock,
  type HealthOptions,
  type HealthSnapshot,
  TargetHealth,
} from './target-health'

/** Any name may stand behind a provider's, so clients could fill a book without end. */
const MAX_TARGETS = 4_096

/** How many of the longest unused are looked at for one with nothing under way. */
const MAX_LOOKS = 8

/**
 * The health of targets and credentials by their names. It outlives configurations: what was learned of a name holds when
 * the next one uses it too.
 */
export class HealthBook {
  readonly #clock: HealthClock
  readonly #options: HealthOptions
  readonly #maxTargets: number
  /** The longest unused first. */
  readonly #targets = new Map<string, TargetHealth>()

  constructor(clock: HealthClock, options: HealthOptions = {}, maxTargets = MAX_TARGETS) {
    this.#clock = clock
    this.#options = options
    this.#maxTargets = maxTargets
  }

  get size(): number {
    return this.#targets.size
  }

  /** The health of a target, e.g. `provider/model`, or of a credential; a new one is healthy. */
  of(name: string): TargetHealth {
    const known = this.#targets.get(name)
    if (known) {
      this.#targets.delete(name)
      this.#targets.set(name, known)
      return known
    }
    if (this.#targets.size >= this.#maxTargets) this.#forgetOne()
    const health = new TargetHealth(name, this.#clock, this.#options)
    this.#targets.set(name, health)
    return health
  }

  /** Begins anew with a name, e.g. when its credential was replaced. Requests under way end without effect. */
  forget(name: string): void {
    this.#targets.delete(name)
  }

  /** All that are known, the last used last. */
  snapshots(): HealthSnapshot[] {
    return [...this.#targets.values()].map((health) => health.snapshot())
  }

  #forgetOne(): void {
    let looks = 0
    let oldest: string | undefined
    for (const [name, { inFlight }] of this.#targets) {
      oldest ??= name
      if (inFlight === 0) {
        this.#targets.delete(name)
        return
      }
      if (++looks >= MAX_LOOKS) break
    }
    if (oldest !== undefined) this.#targets.delete(oldest)
  }
}
