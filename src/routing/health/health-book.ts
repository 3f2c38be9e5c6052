import {
  type HealthClock,
  type HealthOptions,
  type HealthSnapshot,
  TargetHealth,
} from './target-health'

/** Any name may stand behind a provider's, so clients could fill a book without end. */
const MAX_TARGETS = 4_096

/** How many are looked at, at most, for one that may be forgotten. */
const MAX_LOOKS = 32

/** `provider` of `provider/model`. */
const providerOf = (target: string) => target.slice(0, Math.max(0, target.indexOf('/')))

/** `wasUsed`: since it was last looked at. */
type Entry = { readonly health: TargetHealth; wasUsed: boolean }

/**
 * The health of targets and credentials by their names. It outlives configurations: what was learned of a name holds when
 * the next one uses it too.
 */
export class HealthBook {
  readonly #clock: HealthClock
  readonly #optionsOf: (name: string) => HealthOptions
  readonly #maxTargets: number
  readonly #entries = new Map<string, Entry>()
  /** Providers that fail their probes. */
  readonly #unwell = new Set<string>()

  /** `optionsOf` is asked when a name is first met. */
  constructor(
    clock: HealthClock,
    optionsOf: (name: string) => HealthOptions = () => ({}),
    maxTargets = MAX_TARGETS
  ) {
    this.#clock = clock
    this.#optionsOf = optionsOf
    this.#maxTargets = maxTargets
  }

  get size(): number {
    return this.#entries.size
  }

  /** The health of a target, e.g. `provider/model`, or of a credential; a new one is healthy. */
  of(name: string): TargetHealth {
    const known = this.#entries.get(name)
    if (known) {
      known.wasUsed = true
      return known.health
    }
    if (this.#entries.size >= this.#maxTargets) this.#forgetOne()
    const health = new TargetHealth(name, this.#clock, this.#optionsOf(name))
    if (this.#unwell.size > 0 && this.#unwell.has(providerOf(name)))
      health.probed({ isWell: false })
    this.#entries.set(name, { health, wasUsed: false })
    return health
  }

  /** What a probe of a provider found, for all of its targets. Gives whether that is news. */
  probed(provider: string, { isWell }: { isWell: boolean }): boolean {
    const isNews = isWell ? this.#unwell.delete(provider) : !this.#unwell.has(provider)
    if (!isWell) this.#unwell.add(provider)
    for (const [name, { health }] of this.#entries)
      if (providerOf(name) === provider) health.probed({ isWell })
    return isNews
  }

  /** Forgets what probes found of all providers but these, which are still probed. */
  keepProbed(providers: readonly string[]): void {
    for (const provider of this.#unwell)
      if (!providers.includes(provider)) this.probed(provider, { isWell: true })
  }

  /** Begins anew with a name, e.g. when its credential was replaced. Requests under way end without effect. */
  forget(name: string): void {
    this.#entries.delete(name)
  }

  /** Of all that are known. */
  snapshots(): HealthSnapshot[] {
    return [...this.#entries.values()].map(({ health }) => health.snapshot())
  }

  /** Goes round, passing once by who was used since (the "clock" of page replacement): cheaper than an order of use. */
  #forgetOne(): void {
    let looks = 0
    for (const [name, entry] of this.#entries) {
      const mayGo = !entry.wasUsed && entry.health.inFlight === 0
      this.#entries.delete(name)
      if (mayGo || ++looks >= MAX_LOOKS) return
      entry.wasUsed = false
      this.#entries.set(name, entry)
    }
  }
}
