import { GatewayError } from '../errors/gateway-error'
import { faultOf } from '../providers/credential-fault'
import type { CredentialPool, PooledCredential, Wanted } from '../providers/credential-pool'
import type { Target } from '../routing/target'

/** The credentials of one target, one after the other, each at most once in a request. */
export class Rotation {
  readonly #pool: CredentialPool
  readonly #target: Target
  readonly #wanted: Wanted
  readonly #tried: PooledCredential[] = []
  #current: PooledCredential | undefined
  #failure: GatewayError | undefined
  #isExhausted = false

  constructor(pool: CredentialPool, target: Target) {
    this.#pool = pool
    this.#target = target
    const { provider, upstreamModel, name, mayUseCredential } = target
    const clientModel = name.slice(provider.name.length + 1)
    this.#wanted = { model: upstreamModel, clientModel, mayUse: mayUseCredential }
  }

  /** The target with the next credential; `undefined` where none is left. */
  next(): Target | undefined {
    this.#current = this.#pool.pick(this.#wanted, this.#tried)
    this.#isExhausted = this.#current === undefined
    if (this.#current === undefined) return undefined
    this.#tried.push(this.#current)
    return { ...this.#target, provider: this.#current.provider }
  }

  /** The credential at hand was good. */
  answered(): void {
    if (this.#current) this.#pool.succeed(this.#current, this.#wanted.model)
  }

  /**
   * The target with the next credential where it could do better than the one that failed. `status` is the host's,
   * `undefined` where it was not reached.
   */
  nextAfter(failure: GatewayError, status: number | undefined): Target | undefined {
    const fault = faultOf(failure, status)
    if (fault === undefined || this.#current === undefined) return undefined
    this.#failure = failure
    this.#pool.fail(this.#current, this.#wanted.model, fault)
    return this.next()
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
