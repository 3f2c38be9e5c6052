import { countOf, isRecord, recordOf } from '../../std/record'
import type { Usage } from '../usage'

/**
 * Reads `usage` of a chat completion, a completion or an embedding answer. Cached and reasoning tokens are
 * parts of input and output; where xAI counts reasoning beside the completion, its total gives that away.
 * DeepSeek and Moonshot tell cache hits at the top level.
 * https://platform.openai.com/docs/api-reference/chat/object, https://api-docs.deepseek.com/guides/kv_cache,
 * https://docs.x.ai/docs/guides/reasoning
 */
export function toUsage(usage: unknown): Usage | undefined {
  if (!isRecord(usage)) return undefined
  const input = recordOf(usage, 'prompt_tokens_details')
  const output = recordOf(usage, 'completion_tokens_details')
  const inputTokens = countOf(usage, 'prompt_tokens')
  const completionTokens = countOf(usage, 'completion_tokens')
  if (inputTokens === undefined && completionTokens === undefined) return undefined
  const reasoningTokens = countOf(output, 'reasoning_tokens')
  const isBeside =
    reasoningTokens !== undefined &&
    completionTokens !== undefined &&
    reasoningTokens > 0 &&
    countOf(usage, 'total_tokens') === (inputTokens ?? 0) + completionTokens + reasoningTokens
  return {
    inputTokens,
    outputTokens: isBeside ? completionTokens + reasoningTokens : completionTokens,
    cacheReadTokens:
      countOf(input, 'cached_tokens') ??
      countOf(usage, 'prompt_cache_hit_tokens') ??
      countOf(usage, 'cached_tokens'),
    cacheWriteTokens: countOf(input, 'cache_write_tokens'),
    reasoningTokens,
    audioInputTokens: countOf(input, 'audio_tokens'),
    audioOutputTokens: countOf(output, 'audio_tokens'),
  }
}
