import { countOf, isRecord, recordOf } from '../../std/record'
import type { Usage } from '../usage'

/**
 * Reads `usage` of a chat completion, a completion or an embedding answer. Cached and reasoning tokens are
 * parts of input and output. DeepSeek tells cache hits at the top level.
 * https://platform.openai.com/docs/api-reference/chat/object, https://api-docs.deepseek.com/guides/kv_cache
 */
export function toUsage(usage: unknown): Usage | undefined {
  if (!isRecord(usage)) return undefined
  const input = recordOf(usage, 'prompt_tokens_details')
  const output = recordOf(usage, 'completion_tokens_details')
  const inputTokens = countOf(usage, 'prompt_tokens')
  const outputTokens = countOf(usage, 'completion_tokens')
  if (inputTokens === undefined && outputTokens === undefined) return undefined
  return {
    inputTokens,
    outputTokens,
    cacheReadTokens: countOf(input, 'cached_tokens') ?? countOf(usage, 'prompt_cache_hit_tokens'),
    cacheWriteTokens: countOf(input, 'cache_write_tokens'),
    reasoningTokens: countOf(output, 'reasoning_tokens'),
    audioInputTokens: countOf(input, 'audio_tokens'),
    audioOutputTokens: countOf(output, 'audio_tokens'),
  }
}
