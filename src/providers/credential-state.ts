import type { CredentialFault } from './credential-fault'

const COOL_DOWN_MS = { standard: 1_000, most: 5 * 60_000 }
/** For one whose giver does not answer: it is asked again soon. */
const UNOBTAINABLE_MS = 5_000
const BENCH_MS = { first: 60_000, most: 60 * 60_000 }
/** After its time on the bench one request tries a credential, while the others wait so long for what it learns. */
const TRIAL_MS = 2_000
/** Models that are told apart; beyond, the oldest is forgotten. */
const MANY_MODELS = 64
const ALL_MODELS = ''

/** What keeps a credential from a model, or from all. Times are monotonic milliseconds. */
type Outage = {
  coolsUntil: number
  /** While it cools: because of its rate. */
  isThrottled: boolean
  benchedUntil: number
  /** Times on the bench without a success since. */
  strikes: number
  isOnTrial: boolean
}

/** Until when a credential is out of use, and whether only for its rate. */
export type Absence = { readonly until: number; readonly isThrottled: boolean }

/** A credential was put on the bench. */
export type Benching = {
  /** The only model it is kept from; `undefined` for all. */
  readonly model: string | undefined
  readonly forMs: number
}

/**
 * How one credential fares. Rates are the host's by model, and so may quotas and a 403 be: what fails for one model is
 * kept from that alone. Who is refused or unpaid is kept from all.
 */
export class CredentialState {
  readonly #outages = new Map<string, Outage>()

  /** What keeps it from a model now; `undefined` where nothing does. */
  absence(model: string, now: number): Absence | undefined {
    if (this.#outages.size === 0) return undefined
    const fromAll = absenceOf(this.#outages.get(ALL_MODELS), now)
    return longer(fromAll, absenceOf(this.#outages.get(model), now))
  }

  /** It is used for a model. One that comes from the bench is on trial: others are spared it for a moment. */
  begin(model: string, now: number): void {
    if (this.#outages.size === 0) return
    for (const key of [ALL_MODELS, model]) {
      const outage = this.#outages.get(key)
      if (outage === undefined || outage.strikes === 0) continue
      outage.isOnTrial = true
      outage.benchedUntil = now + TRIAL_MS
    }
  }

  /** A model answered by it. What cools goes on cooling. */
  succeed(model: string, now: number): void {
    if (this.#outages.size === 0) return
    for (const key of [ALL_MODELS, model]) {
      const outage = this.#outages.get(key)
      if (outage === undefined) continue
      if (outage.coolsUntil <= now) this.#outages.delete(key)
      else Object.assign(outage, { benchedUntil: 0, strikes: 0, isOnTrial: false })
    }
  }

  /** Keeps it from the model or from all. Gives the benching, where it has just begun. */
  fail(model: string, fault: CredentialFault, now: number): Benching | undefined {
    switch (fault.kind) {
      case 'throttled':
        this.#cool(
          model,
          Math.min(fault.retryAfterMs ?? COOL_DOWN_MS.standard, COOL_DOWN_MS.most),
          true,
          now
        )
        return undefined
      case 'unobtainable':
        this.#cool(ALL_MODELS, UNOBTAINABLE_MS, false, now)
        return undefined
      case 'forbidden':
      case 'used_up':
        return this.#bench(model, now)
      case 'refused':
      case 'unpaid':
        return this.#bench(ALL_MODELS, now)
    }
  }

  /** Whoever configures anew has mended what was refused, it is hoped: the bench ends, the rest goes on. */
  endBenches(): void {
    for (const outage of this.#outages.values()) outage.benchedUntil = 0
  }

  #cool(key: string, forMs: number, isThrottled: boolean, now: number): void {
    const outage = this.#outage(key)
    if (now + forMs < outage.coolsUntil) return
    outage.coolsUntil = now + forMs
    outage.isThrottled = isThrottled
  }

  #bench(key: string, now: number): Benching | undefined {
    const outage = this.#outage(key)
    // Requests that were under way when it began change nothing.
    if (outage.benchedUntil > now && !outage.isOnTrial) return undefined
    const forMs = Math.min(BENCH_MS.first * 2 ** Math.min(outage.strikes++, 16), BENCH_MS.most)
    outage.benchedUntil = now + forMs
    outage.isOnTrial = false
    return { model: key === ALL_MODELS ? undefined : key, forMs }
  }

  #outage(key: string): Outage {
    const known = this.#outages.get(key)
    if (known) return known
    if (this.#outages.size >= MANY_MODELS) this.#forgetOldest()
    const outage = {
      coolsUntil: 0,
      isThrottled: false,
      benchedUntil: 0,
      strikes: 0,
      isOnTrial: false,
    }
    this.#outages.set(key, outage)
    return outage
  }

  #forgetOldest(): void {
    for (const key of this.#outages.keys()) {
      if (key === ALL_MODELS) continue
      this.#outages.delete(key)
      return
    }
  }
}

function absenceOf(outage: Outage | undefined, now: number): Absence | undefined {
  if (outage === undefined) return undefined
  const { coolsUntil, benchedUntil, isThrottled } = outage
  if (benchedUntil > now && benchedUntil >= coolsUntil)
    return { until: benchedUntil, isThrottled: false }
  return coolsUntil > now ? { until: coolsUntil, isThrottled } : undefined
}

function longer(one: Absence | undefined, other: Absence | undefined): Absence | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one.until >= other.until ? one : other
}
