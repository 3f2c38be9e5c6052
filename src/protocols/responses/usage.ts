import { countOf, isRecord, recordOf } from '../../std/record'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { reportedCost } from '../reported-cost'
import { moreOf, type Usage } from '../usage'

/**
 * Reads `usage` of a response; `undefined` where it has none. Cached tokens are part of the input, reasoning
 * of the output. https://platform.openai.com/docs/api-reference/responses/object
 */
export function toUsage(usage: unknown): Usage | undefined {
  if (!isRecord(usage)) return undefined
  const input = recordOf(usage, 'input_tokens_details')
  const output = recordOf(usage, 'output_tokens_details')
  const inputTokens = countOf(usage, 'input_tokens')
  const outputTokens = countOf(usage, 'output_tokens')
  if (inputTokens === undefined && outputTokens === undefined) return undefined
  return {
    inputTokens,
    outputTokens,
    cacheReadTokens: countOf(input, 'cached_tokens'),
    cacheWriteTokens: countOf(input, 'cache_write_tokens'),
    reasoningTokens: countOf(output, 'reasoning_tokens'),
    audioInputTokens: countOf(input, 'audio_tokens'),
    audioOutputTokens: countOf(output, 'audio_tokens'),
    ...moreOf({
      imageInputTokens: countOf(input, 'image_tokens'),
      imageOutputTokens: countOf(output, 'image_tokens'),
      reportedCostNanoUsd: reportedCost(usage),
    }),
  }
}

/**
 * Usage as a client of this format reads it; `null` where nothing is known of it. Clients take the details for
 * granted, so a count that the provider left out is 0 there: the ledger has its own.
 */
export function renderUsage(usage: Usage | undefined, losses: Losses): JsonObject | null {
  if (usage === undefined) return null
  const { inputTokens = 0, outputTokens = 0, cacheWriteTokens } = usage
  if (usage.audioInputTokens) losses.drop('usage.audio_input_tokens')
  if (usage.audioOutputTokens) losses.drop('usage.audio_output_tokens')
  if (usage.cacheWrite1hTokens) losses.drop('usage.cache_write_1h_tokens')
  return {
    input_tokens: inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cacheReadTokens ?? 0,
      ...(cacheWriteTokens !== undefined && { cache_write_tokens: cacheWriteTokens }),
    },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: inputTokens + outputTokens,
  }
}
