/** Token counts as the provider billed them; `undefined` is unknown, 0 is none. */
export type Usage = {
  inputTokens: number | undefined
  outputTokens: number | undefined
  cacheReadTokens: number | undefined
  cacheWriteTokens: number | undefined
  reasoningTokens: number | undefined
  audioInputTokens: number | undefined
  audioOutputTokens: number | undefined
}

/** `provider`: the provider said so. `missing`: an answer came without usage. */
export type UsageProvenance = 'provider' | 'missing'
