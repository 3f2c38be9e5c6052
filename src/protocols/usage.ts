import { countOf, stringOf } from '../std/record'

/**
 * Token counts as the provider billed them; `undefined` is unknown, 0 is none. Input holds what was read from
 * and written to caches, output holds reasoning, whatever a provider's own count does.
 */
export type Usage = {
  inputTokens: number | undefined
  outputTokens: number | undefined
  cacheReadTokens: number | undefined
  cacheWriteTokens: number | undefined
  reasoningTokens: number | undefined
  audioInputTokens: number | undefined
  audioOutputTokens: number | undefined
  /** Of `cacheWriteTokens`, those that are kept for an hour (Anthropic), which cost more. */
  cacheWrite1hTokens?: number | undefined
  /** Of `audioInputTokens`, those read from a cache. */
  audioCacheReadTokens?: number | undefined
  /** Of the input, those that images took. */
  imageInputTokens?: number | undefined
  /** Of the output, those that images took. */
  imageOutputTokens?: number | undefined
  /** Web searches that the provider made for the answer. */
  searches?: number | undefined
  /** Images that were made. */
  images?: number | undefined
  /** Of sound that was heard, or spoken; rounded up. */
  seconds?: number | undefined
  /** Of the text that was spoken. */
  characters?: number | undefined
  pages?: number | undefined
  /** As how many requests the host bills it, where that is not one: Cohere's search units. */
  requests?: number | undefined
  /** How much context a search brought, where the price depends on it: `low`, `medium`, `high`. */
  searchContext?: string | undefined
  /** The tier the provider served it in, in its own word: `default`, `flex`, `priority`, `batch`. */
  serviceTier?: string | undefined
  /** What the provider charges of its token rates, in percent, where that is not 100: 110 within the US (Anthropic). */
  ratePercent?: number | undefined
  /** What the provider itself says the answer cost, in nano-USD (OpenRouter, Perplexity, xAI). */
  reportedCostNanoUsd?: number | undefined
}

/** Nothing is known. */
export const NO_USAGE: Usage = {
  inputTokens: undefined,
  outputTokens: undefined,
  cacheReadTokens: undefined,
  cacheWriteTokens: undefined,
  reasoningTokens: undefined,
  audioInputTokens: undefined,
  audioOutputTokens: undefined,
}

/**
 * `provider`: the provider said so. `estimated`: it did not, and a tokenizer counted. `missing`: nobody knows.
 */
export const USAGE_PROVENANCES = ['provider', 'estimated', 'missing'] as const

export type UsageProvenance = (typeof USAGE_PROVENANCES)[number]

/** What a later, cumulative report says, and what it left out from before. */
export function mergeUsage(before: Usage | undefined, later: Usage): Usage {
  if (before === undefined) return later
  return {
    inputTokens: later.inputTokens ?? before.inputTokens,
    outputTokens: later.outputTokens ?? before.outputTokens,
    cacheReadTokens: later.cacheReadTokens ?? before.cacheReadTokens,
    cacheWriteTokens: later.cacheWriteTokens ?? before.cacheWriteTokens,
    reasoningTokens: later.reasoningTokens ?? before.reasoningTokens,
    audioInputTokens: later.audioInputTokens ?? before.audioInputTokens,
    audioOutputTokens: later.audioOutputTokens ?? before.audioOutputTokens,
    ...rareUsage(before),
    ...rareUsage(later),
  }
}

/** What two answers used together; where only one of them is known, that. Words are the later one's. */
export function addUsage(before: Usage | undefined, later: Usage): Usage {
  if (before === undefined) return later
  const sum: Usage = { ...before, ...later, ...rareUsage(before), ...rareUsage(later) }
  for (const key of SUMMED_COUNTS) {
    const [one, other] = [before[key], later[key]]
    if (one !== undefined || other !== undefined) sum[key] = (one ?? 0) + (other ?? 0)
  }
  return sum
}

const SUMMED_COUNTS = [
  'inputTokens',
  'outputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'audioInputTokens',
  'audioOutputTokens',
  'cacheWrite1hTokens',
  'audioCacheReadTokens',
  'imageInputTokens',
  'imageOutputTokens',
  'searches',
  'images',
  'seconds',
  'characters',
  'pages',
  'requests',
  'reportedCostNanoUsd',
] as const

/** The usage with the tier that the answer names beside it: https://platform.openai.com/docs/guides/priority-processing */
export function withTier(usage: Usage | undefined, tier: string | undefined): Usage | undefined {
  return usage && tier !== undefined ? { ...usage, serviceTier: tier } : usage
}

const RARE_COUNTS = [
  'cacheWrite1hTokens',
  'audioCacheReadTokens',
  'imageInputTokens',
  'imageOutputTokens',
  'searches',
  'images',
  'seconds',
  'characters',
  'pages',
  'requests',
  'ratePercent',
  'reportedCostNanoUsd',
] as const
const RARE_WORDS = ['searchContext', 'serviceTier'] as const

/** What few answers say of themselves; `undefined` where this one says none of it. */
export type RareUsage = Partial<
  Record<(typeof RARE_COUNTS)[number], number> & Record<(typeof RARE_WORDS)[number], string>
>

/** The members of a usage that few have, those alone that are known. */
export function rareUsage(usage: Usage): RareUsage | undefined {
  let found: RareUsage | undefined
  for (const key of RARE_COUNTS) {
    const count = usage[key]
    if (count !== undefined) (found ??= {})[key] = count
  }
  for (const key of RARE_WORDS) {
    const word = usage[key]
    if (word !== undefined) (found ??= {})[key] = word
  }
  return found
}

/**
 * What a reader found beside the usual counts: what is unknown, or none, leaves no member behind. A cost of nothing
 * stays: a provider that says so knows.
 */
export function moreOf(found: { readonly [Key in keyof RareUsage]?: RareUsage[Key] | undefined }) {
  let more: RareUsage | undefined
  for (const key of RARE_COUNTS) {
    const count = found[key]
    if (count || (count === 0 && key === 'reportedCostNanoUsd')) (more ??= {})[key] = count
  }
  for (const key of RARE_WORDS) {
    const word = found[key]
    if (word) (more ??= {})[key] = word
  }
  return more
}

/** Reads what `rareUsage` gave, when it comes back from a file; what is not of its shape is left out. */
export function readRareUsage(value: unknown): RareUsage {
  const found: RareUsage = {}
  for (const key of RARE_COUNTS) {
    const count = countOf(value, key)
    if (count !== undefined) found[key] = count
  }
  for (const key of RARE_WORDS) {
    const word = stringOf(value, key)
    if (word !== undefined) found[key] = word
  }
  return found
}
