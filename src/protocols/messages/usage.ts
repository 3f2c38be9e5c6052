import { countOf, isRecord, recordOf, stringOf } from '../../std/record'
import type { JsonObject } from '../json'
import { moreOf, type Usage } from '../usage'

/**
 * Reads `usage`. Anthropic's input leaves out what was read from and written to the cache.
 * Fast mode is told as a tier of its own, since no other rates are for it; inference within the US costs 1.1 times as
 * much for every kind of token.
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching,
 * https://platform.claude.com/docs/en/api/service-tiers, https://platform.claude.com/docs/en/build-with-claude/fast-mode,
 * https://platform.claude.com/docs/en/manage-claude/data-residency
 */
export function parseUsage(usage: unknown): Usage | undefined {
  if (!isRecord(usage)) return undefined
  const input = countOf(usage, 'input_tokens')
  const outputTokens = countOf(usage, 'output_tokens')
  if (input === undefined && outputTokens === undefined) return undefined
  const cacheReadTokens = countOf(usage, 'cache_read_input_tokens')
  const cacheWriteTokens = countOf(usage, 'cache_creation_input_tokens')
  const written = recordOf(usage, 'cache_creation')
  return {
    inputTokens:
      input === undefined ? undefined : input + (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0),
    outputTokens,
    cacheReadTokens,
    cacheWriteTokens,
    reasoningTokens: countOf(recordOf(usage, 'output_tokens_details'), 'thinking_tokens'),
    audioInputTokens: undefined,
    audioOutputTokens: undefined,
    cacheWrite1hTokens: countOf(written, 'ephemeral_1h_input_tokens'),
    ...moreOf({
      searches: countOf(recordOf(usage, 'server_tool_use'), 'web_search_requests'),
      ratePercent: usage.inference_geo === 'us' ? US_RATE_PERCENT : undefined,
      serviceTier: usage.speed === 'fast' ? 'fast' : stringOf(usage, 'service_tier'),
    }),
  }
}

const US_RATE_PERCENT = 110

/** Writes `usage`; unknown counts are 0, since the SDKs add them up. */
export function renderUsage(usage: Usage | undefined): JsonObject {
  const read = usage?.cacheReadTokens ?? 0
  const written = usage?.cacheWriteTokens ?? 0
  const longWritten = usage?.cacheWrite1hTokens
  return {
    input_tokens: Math.max(0, (usage?.inputTokens ?? 0) - read - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: read,
    ...(longWritten !== undefined && {
      cache_creation: {
        ephemeral_5m_input_tokens: written - longWritten,
        ephemeral_1h_input_tokens: longWritten,
      },
    }),
    output_tokens: usage?.outputTokens ?? 0,
  }
}
