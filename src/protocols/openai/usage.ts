import { countOf, isRecord, recordOf, stringOf } from '../../std/record'
import { reportedCost } from '../reported-cost'
import { moreOf, NO_USAGE, type Usage } from '../usage'

/**
 * Reads `usage` of a chat completion, a completion or an embedding answer. Cached and reasoning tokens are
 * parts of input and output; where xAI counts reasoning beside the completion, its total gives that away.
 * DeepSeek and Moonshot tell cache hits at the top level, Perplexity what it reasoned beside its answer.
 * https://platform.openai.com/docs/api-reference/chat/object, https://api-docs.deepseek.com/guides/kv_cache,
 * https://docs.x.ai/docs/guides/reasoning, https://docs.perplexity.ai/api-reference/chat-completions-post,
 * https://www.alibabacloud.com/help/en/model-studio/context-cache
 */
export function toUsage(usage: unknown): Usage | undefined {
  if (!isRecord(usage)) return undefined
  const input = recordOf(usage, 'prompt_tokens_details')
  const output = recordOf(usage, 'completion_tokens_details')
  const inputTokens = countOf(usage, 'prompt_tokens')
  const completionTokens = countOf(usage, 'completion_tokens')
  if (inputTokens === undefined && completionTokens === undefined) return undefined
  const apart = countOf(usage, 'reasoning_tokens')
  const reasoningTokens = countOf(output, 'reasoning_tokens') ?? apart
  const isBeside =
    reasoningTokens !== undefined &&
    completionTokens !== undefined &&
    reasoningTokens > 0 &&
    (countOf(usage, 'total_tokens') === (inputTokens ?? 0) + completionTokens + reasoningTokens ||
      (apart !== undefined && apart > completionTokens))
  return {
    inputTokens,
    outputTokens: isBeside ? completionTokens + reasoningTokens : completionTokens,
    cacheReadTokens:
      countOf(input, 'cached_tokens') ??
      countOf(usage, 'prompt_cache_hit_tokens') ??
      countOf(usage, 'cached_tokens'),
    cacheWriteTokens:
      countOf(input, 'cache_write_tokens') ?? countOf(input, 'cache_creation_input_tokens'),
    reasoningTokens,
    audioInputTokens: countOf(input, 'audio_tokens'),
    audioOutputTokens: countOf(output, 'audio_tokens'),
    ...moreOf({
      audioCacheReadTokens: countOf(recordOf(input, 'cached_tokens_details'), 'audio_tokens'),
      imageInputTokens: countOf(input, 'image_tokens'),
      imageOutputTokens: countOf(output, 'image_tokens'),
      searches: searchesOf(usage),
      searchContext: stringOf(usage, 'search_context_size'),
      reportedCostNanoUsd: reportedCost(usage),
    }),
  }
}

/** Perplexity charges for each search of its research, and once for a request that searched as it liked. */
function searchesOf(usage: Record<string, unknown>): number | undefined {
  const queries = countOf(usage, 'num_search_queries')
  if (queries !== undefined) return queries
  return stringOf(usage, 'search_context_size') === undefined ? undefined : 1
}

/**
 * Reads `usage` of an embedding answer, which has no output: where the total is all there is, as at Voyage, it counts
 * the input. https://docs.voyageai.com/reference/embeddings-api
 */
export function toEmbeddingUsage(usage: unknown): Usage | undefined {
  const read = toUsage(usage)
  if (read !== undefined) return read
  const inputTokens = countOf(usage, 'total_tokens')
  return inputTokens === undefined ? undefined : { ...NO_USAGE, inputTokens }
}

/**
 * Reads `usage` of what has images or sound in it or makes them: tokens, those of each kind, or the seconds that were
 * heard. https://platform.openai.com/docs/api-reference/images/object,
 * https://platform.openai.com/docs/api-reference/audio/json-object
 */
export function toMediaUsage(usage: unknown): Usage | undefined {
  if (!isRecord(usage)) return undefined
  const seconds = usage.seconds
  if (typeof seconds === 'number' && seconds >= 0)
    return { ...NO_USAGE, seconds: Math.ceil(seconds) }
  const input = recordOf(usage, 'input_tokens_details') ?? recordOf(usage, 'input_token_details')
  const output = recordOf(usage, 'output_tokens_details')
  const inputTokens = countOf(usage, 'input_tokens')
  const outputTokens = countOf(usage, 'output_tokens')
  if (inputTokens === undefined && outputTokens === undefined) return undefined
  return {
    ...NO_USAGE,
    inputTokens,
    outputTokens,
    cacheReadTokens: countOf(input, 'cached_tokens'),
    audioInputTokens: countOf(input, 'audio_tokens'),
    ...moreOf({
      imageInputTokens: countOf(input, 'image_tokens'),
      imageOutputTokens: countOf(output, 'image_tokens'),
    }),
  }
}
