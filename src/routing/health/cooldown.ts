export type CooldownOptions = {
  /** How long a credential that was refused is left alone the first time; doubled with every refusal in a row. */
  credentialMs: number
  maxCredentialMs: number
}

export const DEFAULT_COOLDOWN: Readonly<CooldownOptions> = {
  credentialMs: 10_000,
  maxCredentialMs: 600_000,
}

/** The time for which a target is left alone because it said so, or because its credential is of no use. */
export class Cooldown {
  readonly #options: CooldownOptions
  #untilMs = 0
  #refusals = 0
  #refusedAtMs = -Infinity

  constructor(options: Partial<CooldownOptions> = {}) {
    this.#options = { ...DEFAULT_COOLDOWN, ...options }
  }

  /** What is left of it in milliseconds; 0 for none. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#untilMs - nowMs)
  }

  /** The target asked for it. */
  extend(retryAfterMs: number, nowMs: number): void {
    this.#untilMs = Math.max(this.#untilMs, nowMs + retryAfterMs)
  }

  /** The credential was refused, or has no money left, for a request that was begun then. */
  refused(begunAtMs: number, nowMs: number): void {
    if (begunAtMs < this.#refusedAtMs) return
    const { credentialMs, maxCredentialMs } = this.#options
    this.extend(Math.min(maxCredentialMs, credentialMs * 2 ** this.#refusals), nowMs)
    this.#refusedAtMs = nowMs
    this.#refusals = Math.min(30, this.#refusals + 1)
  }

  /** The credential was taken. */
  accepted(): void {
    this.#refusals = 0
  }
}
