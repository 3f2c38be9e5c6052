import { GatewayError } from '../errors/gateway-error'
import type { CredentialPool, PooledCredential, Wanted } from '../providers/credential-pool'
import type { Failure } from '../routing/health/classify-failure'
import type { PlannedTarget } from '../routing/plan'
import type { FailedAttempt } from './attempt-request'

/** The credentials of one target, one after the other, each once until there is a pause. */
export class Rotation {
  readonly #pool: CredentialPool
  readonly #planned: PlannedTarget
  readonly #wanted: Wanted
  readonly #tried: PooledCredential[] = []
  #current: PooledCredential | undefined
  #failure: GatewayError | undefined
  #isExhausted = false

  constructor(pool: CredentialPool, planned: PlannedTarget) {
    this.#pool = pool
    this.#planned = planned
    const { provider, upstreamModel, name, mayUseCredential } = planned.target
    const clientModel = name.slice(provider.name.length + 1)
    this.#wanted = {
      ...{ model: upstreamModel, clientModel, mayUse: mayUseCredential },
      preferred: planned.preferredCredential,
    }
  }

  /** No credential was in order. */
  get isUntried(): boolean {
    return this.#tried.length === 0
  }

  /** The target with the next credential; `undefined` where none is left. */
  next(): PlannedTarget | undefined {
    this.#current = this.#pool.pick(this.#wanted, this.#tried)
    this.#isExhausted = this.#current === undefined
    if (this.#current === undefined) return undefined
    this.#tried.push(this.#current)
    const { target, params, reason } = this.#planned
    return { target: { ...target, provider: this.#current.provider }, params, reason }
  }

  /** The credential at hand was good. */
  answered(): void {
    if (this.#current) this.#pool.succeed(this.#current, this.#wanted.model)
  }

  /** Notes what a failure says of the credential at hand, and whether another could do better. */
  failed({ error, fault }: FailedAttempt): boolean {
    if (fault === undefined || this.#current === undefined) return false
    this.#failure = error
    this.#pool.fail(this.#current, this.#wanted.model, fault)
    return true
  }

  /** What the failure of an attempt means for the target: with no credential left, it waits for the first one back. */
  toFailure(failure: Failure): Failure {
    const seconds = this.#isExhausted && this.#pool.explain(this.#wanted)?.retryAfterSeconds
    return seconds ? { ...failure, kind: 'throttled', retryAfterMs: seconds * 1_000 } : failure
  }

  /** For a retry after a pause: each may be tried once more. */
  again(): this {
    this.#tried.length = 0
    return this
  }

  /**
   * What to tell of the target: `failure`, the last one of the request, unless no credential was left. Then the pool
   * says when the first is back, in the host's own words where it was asked.
   */
  explain(failure: GatewayError | undefined): GatewayError | undefined {
    const explained = this.#isExhausted ? this.#pool.explain(this.#wanted) : undefined
    if (explained === undefined) return failure
    const own = this.#failure
    if (own === undefined) return failure ?? explained
    if (own.code !== explained.code || own.status !== explained.status) return explained
    return explained.retryAfterSeconds === undefined
      ? own
      : withRetryAfter(own, explained.retryAfterSeconds)
  }
}

/** The error with another time in the place of its own. */
function withRetryAfter(error: GatewayError, retryAfterSeconds: number): GatewayError {
  const { code, message, status, answer, detail } = error
  const { 'retry-after': _, 'retry-after-ms': _ms, ...headers } = error.headers ?? {}
  return new GatewayError(code, message, {
    status,
    retryAfterSeconds,
    headers,
    ...(answer !== undefined && { answer }),
    ...(detail !== undefined && { detail }),
  })
}
