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

/** `provider`: the provider said so. `missing`: an answer came without usage. */
export type UsageProvenance = 'provider' | 'missing'

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
    cacheWrite1hTokens: later.cacheWrite1hTokens ?? before.cacheWrite1hTokens,
  }
}
