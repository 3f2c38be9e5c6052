import type { CredentialConfiguration } from '../config/configuration'
import { GatewayError } from '../errors/gateway-error'
import { matchesGlob } from '../std/glob'
import type { CredentialFault } from './credential-fault'
import { type Benching, CredentialState } from './credential-state'
import type { Provider } from './provider'

/** One credential of a pool. */
export type PooledCredential = {
  readonly configuration: CredentialConfiguration
  /** The provider as this one reaches it. */
  readonly provider: Provider
  readonly state: CredentialState
}

/** What is asked of a pool. */
export type Wanted = {
  /** As the host calls it: what rates and refusals are told apart by. */
  readonly model: string
  /** As clients call it; `undefined` for what is of no model. */
  readonly clientModel: string | undefined
  /** Whether the caller may use one, by its name; `undefined` for all. */
  readonly mayUse: ((credential: string) => boolean) | undefined
  /** The one to pick if it is in order, by its name; left out for any. */
  readonly preferred?: string | undefined
}

/** A credential that is not used for now: `fault` says why, `forMs` how long. */
export type BenchEvent = Benching & {
  readonly provider: string
  readonly credential: string
  readonly fault: CredentialFault['kind']
}

export type PoolOptions = {
  /** From 0 to below 1; `Math.random` unless said. */
  random?: () => number
  /** Monotonic milliseconds; `performance.now` unless said. */
  now?: () => number
  onBench?: (event: BenchEvent) => void
}

/** Several credentials of one provider, one of which is chosen for each attempt. */
export class CredentialPool {
  readonly credentials: readonly PooledCredential[]
  readonly #provider: string
  readonly #random: () => number
  readonly #now: () => number
  readonly #onBench: (event: BenchEvent) => void

  /**
   * `previous` is the provider's pool before a reload: who kept its name and its secret goes on cooling down, but comes
   * back from the bench.
   */
  constructor(
    provider: string,
    reached: readonly Pick<PooledCredential, 'configuration' | 'provider'>[],
    options: PoolOptions = {},
    previous?: CredentialPool
  ) {
    this.#provider = provider
    this.#random = options.random ?? Math.random
    this.#now = options.now ?? (() => performance.now())
    this.#onBench = options.onBench ?? (() => {})
    this.credentials = reached.map((credential) => ({
      ...credential,
      state: previous?.carryOver(credential.configuration) ?? new CredentialState(),
    }))
  }

  /** One by weight, of those that fit and are neither out of use nor among `tried`; `undefined` where there is none. */
  pick(wanted: Wanted, tried: readonly PooledCredential[] = []): PooledCredential | undefined {
    const now = this.#now()
    const { model } = wanted
    const candidates: PooledCredential[] = []
    let total = 0
    for (const credential of this.credentials) {
      if (!fits(credential, wanted) || tried.includes(credential)) continue
      if (credential.state.absence(model, now) !== undefined) continue
      candidates.push(credential)
      total += credential.configuration.weight
    }
    const { preferred } = wanted
    const chosen =
      (preferred === undefined
        ? undefined
        : candidates.find(({ configuration }) => configuration.name === preferred)) ??
      chooseByWeight(candidates, this.#random() * total)
    chosen?.state.begin(model, now)
    return chosen
  }

  /** A model answered by a credential. */
  succeed({ state }: PooledCredential, model: string): void {
    state.succeed(model, this.#now())
  }

  /** A model refused a credential. */
  fail({ state, configuration }: PooledCredential, model: string, fault: CredentialFault): void {
    const benching = state.fail(model, fault, this.#now())
    if (benching === undefined) return
    const { name } = configuration
    this.#onBench({ ...benching, provider: this.#provider, credential: name, fault: fault.kind })
  }

  /**
   * Why nothing could be picked. When all are out of use: a 429 with the time until the first that only cools down is
   * back, 502 where the host refuses them all. `undefined` where something could be, which was tried.
   */
  explain(wanted: Wanted): GatewayError | undefined {
    const fitting = this.credentials.filter((credential) => fits(credential, wanted))
    if (fitting.length === 0) return this.#notFor(wanted)
    const now = this.#now()
    let soonest: number | undefined
    for (const { state } of fitting) {
      const absence = state.absence(wanted.model, now)
      if (absence === undefined) return undefined
      if (absence.isThrottled) soonest = Math.min(soonest ?? absence.until, absence.until)
    }
    if (soonest === undefined)
      return new GatewayError(
        'upstream_unauthorized',
        `the provider '${this.#provider}' refuses all of the gateway's credentials that fit; they must be mended, the caller's key is fine`,
        { shouldRetry: false }
      )
    return new GatewayError(
      'upstream_refused',
      `the provider '${this.#provider}' answers 429 to all of the gateway's credentials that fit`,
      { status: 429, retryAfterSeconds: Math.max(1, Math.ceil((soonest - now) / 1_000)) }
    )
  }

  /** For the pool after a reload, of a credential whose secret is still the same; its time on the bench is over. */
  carryOver({ name, provider }: CredentialConfiguration): CredentialState | undefined {
    const { baseUrl, apiKey, identity } = provider
    const known = this.credentials.find(({ configuration }) => configuration.name === name)
    const before = known?.configuration.provider
    if (before?.apiKey !== apiKey || before?.baseUrl !== baseUrl) return undefined
    if (!Bun.deepEquals(before.identity, identity)) return undefined
    known?.state.endBenches()
    return known?.state
  }

  #notFor(wanted: Wanted): GatewayError {
    const isFound = this.credentials.some(({ configuration }) => isForModel(configuration, wanted))
    const model = `${this.#provider}/${wanted.clientModel}`
    return isFound
      ? new GatewayError(
          'model_not_allowed',
          `the key may use none of the credentials of the provider '${this.#provider}' that are for '${model}'`,
          { param: 'model' }
        )
      : new GatewayError(
          'model_not_found',
          `no credential of the provider '${this.#provider}' is for the model '${model.slice(0, 128)}'`,
          { param: 'model' }
        )
  }
}

function fits({ configuration }: PooledCredential, wanted: Wanted): boolean {
  if (wanted.mayUse && !wanted.mayUse(configuration.name)) return false
  return isForModel(configuration, wanted)
}

function isForModel({ models }: CredentialConfiguration, { model, clientModel }: Wanted): boolean {
  if (models.length === 0 || clientModel === undefined) return true
  return models.some((glob) => matchesGlob(glob, clientModel) || matchesGlob(glob, model))
}

function chooseByWeight(
  candidates: readonly PooledCredential[],
  at: number
): PooledCredential | undefined {
  let left = at
  for (const candidate of candidates) {
    left -= candidate.configuration.weight
    if (left < 0) return candidate
  }
  // Sums of fractions may fall short of the total.
  return candidates.at(-1)
}
