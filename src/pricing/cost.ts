/** What of an answer is charged for. */
export const COST_KINDS = [
  'input',
  'cache-read',
  'cache-write',
  'cache-write-1h',
  'output',
  'reasoning',
  'audio-input',
  'audio-cache-read',
  'audio-output',
  'image-input',
  'image-output',
  'request',
  'search',
  'image',
  'second',
  'character',
  'page',
] as const

export type CostKind = (typeof COST_KINDS)[number]

/** Kinds that are not counted in tokens. */
export const UNIT_KINDS = [
  'request',
  'search',
  'image',
  'second',
  'character',
  'page',
] as const satisfies readonly CostKind[]

/** One kind of what was used. */
export type CostLine = {
  readonly kind: CostKind
  /** Tokens, or the kind's own units. */
  readonly quantity: number
  /** Micro-USD a million tokens; for other units nano-USD each. */
  readonly rate: number
  /** Rounded once, half up. */
  readonly costNanoUsd: number
}

/**
 * `reported`: the provider's own word, which wins over every sum of ours. `computed`: its usage at the list's price.
 * `estimated`: the usage is an estimate. `unknown`: no price, or no usage, or a kind of it without a rate; never zero.
 */
export const COST_PROVENANCES = ['reported', 'computed', 'estimated', 'unknown'] as const

export type CostProvenance = (typeof COST_PROVENANCES)[number]

/** What one answer cost, and why. */
export type Cost = {
  /** The sum of the lines, or what the provider reported; `undefined` when unknown. */
  readonly costNanoUsd: number | undefined
  readonly provenance: CostProvenance
  /** Ours, at the list's price, also where the provider reported another sum; those that are known of an unknown cost. */
  readonly lines: readonly CostLine[]
  /** The service tier whose rates were taken, or were not to be had; `undefined` for the standard one. */
  readonly tier: string | undefined
  /** The size above which rates were taken; `undefined` for the first step. */
  readonly aboveInputTokens: number | undefined
  /** The list or configuration that the price stands in; `undefined` when none knows the model. */
  readonly priceOrigin: string | undefined
}
