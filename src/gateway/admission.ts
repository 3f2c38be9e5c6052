import { GatewayError } from '../errors/gateway-error'

export type AdmissionLimits = { maxInFlight: number; maxBodiesBytes: number }

/**
 * Refuses early rather than slowly: beyond so many requests, or so many bytes of their bodies, a new one
 * would only make all others late.
 */
export class Admission {
  readonly #limits: () => AdmissionLimits
  #inFlight = 0
  #bodyBytes = 0

  constructor(limits: () => AdmissionLimits) {
    this.#limits = limits
  }

  get inFlight(): number {
    return this.#inFlight
  }

  enter(): void {
    if (this.#inFlight >= this.#limits().maxInFlight)
      throw overloaded('too many requests are under way')
    this.#inFlight++
  }

  /** Counts a body that is held from now on. Throws `overloaded` when there is no room for it. */
  hold(bodyBytes: number): void {
    if (this.#bodyBytes + bodyBytes > this.#limits().maxBodiesBytes)
      throw overloaded('the bodies of the requests under way are too large together')
    this.#bodyBytes += bodyBytes
  }

  leave(bodyBytes: number): void {
    this.#inFlight--
    this.#bodyBytes -= bodyBytes
  }
}

function overloaded(why: string): GatewayError {
  return new GatewayError('overloaded', `the gateway is overloaded: ${why}; try again shortly`, {
    retryAfterSeconds: 1,
  })
}
