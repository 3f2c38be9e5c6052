/**
 * What tokens cost, in micro-USD a million: 0.15 USD a million tokens is 150_000. Integers. A kind without a rate
 * of its own is charged as the kind that holds it: what was read from or written to a cache as input, reasoning
 * as output.
 */
export type TokenRates = {
  readonly input?: number
  readonly cacheRead?: number
  readonly cacheWrite?: number
  /** Written to a cache that keeps it for an hour. */
  readonly cacheWrite1h?: number
  readonly output?: number
  readonly reasoning?: number
  readonly audioInput?: number
  readonly audioCacheRead?: number
  readonly audioOutput?: number
  readonly imageInput?: number
  readonly imageOutput?: number
}

/** Rates by the size of the request: the last step whose size is exceeded is for all of its tokens. */
export type RateCard = {
  readonly rates: TokenRates
  /** Rising. A step says only what differs from `rates`. */
  readonly steps?: readonly RateStep[]
}

export type RateStep = { readonly aboveInputTokens: number; readonly rates: TokenRates }

/** What is not counted in tokens, in nano-USD a unit: a search for 0.01 USD is 10_000_000. Integers. */
export type UnitPrices = {
  readonly request?: number
  readonly search?: number
  /** A search with little or much context, where that differs. */
  readonly searchLow?: number
  readonly searchHigh?: number
  readonly imageInput?: number
  readonly imageOutput?: number
  readonly audioInputSecond?: number
  readonly audioOutputSecond?: number
  readonly inputCharacter?: number
  readonly outputCharacter?: number
  readonly page?: number
}

export const SERVICE_TIERS = ['flex', 'priority', 'batch'] as const

export type ServiceTier = (typeof SERVICE_TIERS)[number]

/** All that is known of a model's price. */
export type ModelPrice = RateCard & {
  /** Rates of other tiers than the standard one; a tier says only what differs. */
  readonly tiers?: Readonly<Partial<Record<ServiceTier, RateCard>>>
  readonly units?: UnitPrices
}
