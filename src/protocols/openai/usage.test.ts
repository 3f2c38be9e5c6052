import { expect, test } from 'bun:test'
import { NO_USAGE, type Usage } from '../usage'
import { toEmbeddingUsage, toUsage } from './usage'

test.each<[string, Record<string, unknown>, Partial<Usage>]>([
  [
    'cached sound and images',
    {
      prompt_tokens: 900,
      completion_tokens: 80,
      prompt_tokens_details: {
        ...{ cached_tokens: 512, audio_tokens: 300, image_tokens: 85 },
        cached_tokens_details: { text_tokens: 412, audio_tokens: 100 },
      },
      completion_tokens_details: { image_tokens: 60 },
    },
    {
      ...{ inputTokens: 900, outputTokens: 80, cacheReadTokens: 512, audioInputTokens: 300 },
      ...{ audioCacheReadTokens: 100, imageInputTokens: 85, imageOutputTokens: 60 },
    },
  ],
  [
    'what DashScope wrote to its cache',
    { prompt_tokens: 2_000, prompt_tokens_details: { cache_creation_input_tokens: 1_500 } },
    { inputTokens: 2_000, cacheWriteTokens: 1_500 },
  ],
  [
    'searches of research, and what was reasoned beside the answer',
    { prompt_tokens: 19, completion_tokens: 498, num_search_queries: 48, reasoning_tokens: 95_305 },
    { inputTokens: 19, outputTokens: 95_803, reasoningTokens: 95_305, searches: 48 },
  ],
  [
    'reasoning at the top that is part of the answer',
    { prompt_tokens: 19, completion_tokens: 498, total_tokens: 517, reasoning_tokens: 300 },
    { inputTokens: 19, outputTokens: 498, reasoningTokens: 300 },
  ],
  [
    'one search of a request, by how much it read',
    { prompt_tokens: 14, completion_tokens: 286, search_context_size: 'low' },
    { inputTokens: 14, outputTokens: 286, searches: 1, searchContext: 'low' },
  ],
  [
    'what it cost',
    { prompt_tokens: 14, completion_tokens: 2, cost_in_usd_ticks: 1_721_250 },
    { inputTokens: 14, outputTokens: 2, reportedCostNanoUsd: 172_125 },
  ],
])('%s is read', (_, usage, read) => {
  expect(toUsage(usage)).toEqual({ ...NO_USAGE, ...read })
})

test('a cost of nothing is one', () => {
  const read = toUsage({ prompt_tokens: 1, completion_tokens: 1, cost: 0, is_byok: false })
  expect(read?.reportedCostNanoUsd).toBe(0)
})

test('of an embedding the total is the input where nothing else is said', () => {
  expect(toEmbeddingUsage({ total_tokens: 10 })).toEqual({ ...NO_USAGE, inputTokens: 10 })
  expect(toEmbeddingUsage({ prompt_tokens: 8, total_tokens: 9 })?.inputTokens).toBe(8)
  expect(toEmbeddingUsage({})).toBeUndefined()
})

test('what few hosts say leaves no member behind where it is nothing', () => {
  const read = toUsage({
    ...{ prompt_tokens: 1, completion_tokens: 1, num_search_queries: 0, cost: null },
    prompt_tokens_details: { image_tokens: 0 },
  })
  expect(Object.keys(read ?? {}).sort()).toEqual(Object.keys(NO_USAGE).sort())
})
