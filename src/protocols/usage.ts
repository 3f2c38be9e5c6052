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
  /** How much context a search brought, where the price depends on it: `low`, `medium`, `high`. */
  searchContext?: string | undefined
  /** The tier the provider served it in, in its own word: `default`, `flex`, `priority`, `batch`. */
  serviceTier?: string | undefined
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
export type UsageProvenance = 'provider' | 'estimated' | 'missing'

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
    ...mergeRare(before, later),
  }
}

/** Members that few answers have: an answer without them keeps the shape it had. */
function mergeRare(before: Usage, later: Usage): Partial<Usage> {
  const merged: Partial<Usage> = {}
  for (const key of RARE_COUNTS) {
    const count = later[key] ?? before[key]
    if (count !== undefined) merged[key] = count
  }
  for (const key of RARE_WORDS) {
    const word = later[key] ?? before[key]
    if (word !== undefined) merged[key] = word
  }
  return merged
}

const RARE_COUNTS = [
  'cacheWrite1hTokens',
  'audioCacheReadTokens',
  'imageInputTokens',
  'imageOutputTokens',
  'searches',
  'reportedCostNanoUsd',
] as const
const RARE_WORDS = ['searchContext', 'serviceTier'] as const
