import { describe, expect, test } from 'bun:test'
import { convertLiteLlmList } from './litellm-list'
import type { ModelCard } from './model-card'
import type { ModelPrice } from './price'

const VERSION = { version: 'litellm-0', taken: '2026-11-23' }

function convert(entries: Record<string, unknown>) {
  const { list, rounded } = convertLiteLlmList(entries, VERSION)
  const names = [...list.providers].flatMap(([provider, models]) =>
    [...models.keys()].map((model) => `${provider}/${model}`)
  )
  const find = (provider: string, model: string) => list.providers.get(provider)?.get(model)
  return { names, find, rounded }
}

/** The card of one chat model of OpenAI's with these members. */
function toCard(members: Record<string, unknown>): ModelCard | undefined {
  const entry = { litellm_provider: 'openai', mode: 'chat', ...members }
  return convert({ model: entry }).find('openai', 'model')
}

describe('a price', () => {
  const TOKENS = { input_cost_per_token: 1.5e-7, output_cost_per_token: 6e-7 }
  const RATES = { input: 150_000, output: 600_000 }

  test.each<[string, Record<string, unknown>, ModelPrice]>([
    ['in tokens', TOKENS, { rates: RATES }],
    [
      'of caches',
      {
        ...TOKENS,
        cache_read_input_token_cost: 7.5e-8,
        cache_creation_input_token_cost: 1.875e-7,
        cache_creation_input_token_cost_above_1hr: 3e-7,
      },
      { rates: { ...RATES, cacheRead: 75_000, cacheWrite: 187_500, cacheWrite1h: 300_000 } },
    ],
    [
      'of sound and images',
      {
        ...TOKENS,
        ...{ input_cost_per_audio_token: 1e-6, cache_read_input_audio_token_cost: 1e-7 },
        ...{ output_cost_per_audio_token: 2e-6 },
        ...{ input_cost_per_image_token: 3e-6, output_cost_per_image_token: 4e-6 },
      },
      {
        rates: {
          ...{ ...RATES, audioInput: 1_000_000, audioCacheRead: 100_000, audioOutput: 2_000_000 },
          ...{ imageInput: 3_000_000, imageOutput: 4_000_000 },
        },
      },
    ],
    [
      'by size, in members',
      {
        ...TOKENS,
        input_cost_per_token_above_272k_tokens: 3e-7,
        output_cost_per_token_above_128k_tokens: 9e-7,
      },
      {
        rates: RATES,
        steps: [
          { aboveInputTokens: 128_000, rates: { output: 900_000 } },
          { aboveInputTokens: 272_000, rates: { input: 300_000 } },
        ],
      },
    ],
    [
      'by size, in ranges',
      {
        tiered_pricing: [
          { ...TOKENS, range: [0, 256e3] },
          { input_cost_per_token: 1.2e-6, output_cost_per_token: 3.6e-6, range: [256e3, 1e6] },
        ],
      },
      {
        rates: RATES,
        steps: [{ aboveInputTokens: 256_000, rates: { input: 1_200_000, output: 3_600_000 } }],
      },
    ],
    [
      'of tiers, sized ones too',
      {
        ...TOKENS,
        input_cost_per_token_flex: 7.5e-8,
        input_cost_per_token_priority: 3e-7,
        input_cost_per_token_above_200k_tokens_priority: 5e-7,
        output_cost_per_token_batches: 3e-7,
      },
      {
        rates: RATES,
        tiers: {
          flex: { rates: { input: 75_000 } },
          priority: {
            rates: { input: 300_000 },
            steps: [{ aboveInputTokens: 200_000, rates: { input: 500_000 } }],
          },
          batch: { rates: { output: 300_000 } },
        },
      },
    ],
    [
      'of searches, by their context',
      {
        ...TOKENS,
        search_context_cost_per_query: {
          search_context_size_low: 0.005,
          search_context_size_medium: 0.008,
          search_context_size_high: 0.012,
        },
      },
      {
        rates: RATES,
        units: { search: 8_000_000, searchLow: 5_000_000, searchHigh: 12_000_000 },
      },
    ],
    [
      'of searches, alike whatever their context',
      {
        ...TOKENS,
        search_context_cost_per_query: {
          search_context_size_low: 0.01,
          search_context_size_medium: 0.01,
          search_context_size_high: 0.01,
        },
      },
      { rates: RATES, units: { search: 10_000_000 } },
    ],
    [
      'of a transcription, which says the same seconds twice',
      { mode: 'audio_transcription', input_cost_per_second: 1e-4, output_cost_per_second: 1e-4 },
      { rates: {}, units: { audioInputSecond: 100_000 } },
    ],
    [
      'of speech by the character',
      { mode: 'audio_speech', input_cost_per_character: 1.5e-5 },
      { rates: {}, units: { inputCharacter: 15_000 } },
    ],
    ['of a page', { mode: 'ocr', ocr_cost_per_page: 0.004 }, { rates: {}, units: { page: 4e6 } }],
    [
      'of images each, where they are not counted in tokens',
      { mode: 'image_generation', output_cost_per_image: 0.04 },
      { rates: {}, units: { imageOutput: 40_000_000 } },
    ],
    [
      'of images in tokens, and not each beside that',
      { ...TOKENS, output_cost_per_image: 0.039, output_cost_per_image_token: 3e-5 },
      { rates: { ...RATES, imageOutput: 30_000_000 } },
    ],
    [
      'of a rerank, whose tokens cost nothing',
      { mode: 'rerank', input_cost_per_query: 0.002, input_cost_per_token: 0 },
      { rates: { input: 0 }, units: { request: 2_000_000 } },
    ],
  ])('%s is read', (_, members, price) => {
    expect(toCard(members)?.price).toEqual(price)
  })

  test('that a part shares with its whole is the whole’s', () => {
    const same = { output_cost_per_reasoning_token: 6e-7, input_cost_per_audio_token: 1.5e-7 }
    expect(toCard({ ...TOKENS, ...same })?.price).toEqual({ rates: RATES })
  })

  test('of a part stays where the standard price of that part would count else', () => {
    const price = toCard({
      ...TOKENS,
      input_cost_per_audio_token: 1e-6,
      input_cost_per_token_flex: 1e-7,
      input_cost_per_audio_token_flex: 1e-7,
    })?.price
    expect(price?.tiers?.flex?.rates).toEqual({ input: 100_000, audioInput: 100_000 })
  })

  test('of nothing for writing to a cache is that of input, not none', () => {
    const price = toCard({ ...TOKENS, cache_creation_input_token_cost: 0 })?.price
    expect(price).toEqual({ rates: RATES })
  })

  test.each<[string, Record<string, unknown>]>([
    ['zeros alone', { input_cost_per_token: 0, output_cost_per_token: 0.0 }],
    ['nothing', {}],
    ['seconds of a machine', { output_cost_per_second: 0.01 }],
  ])('of %s is unknown, not free', (_, members) => {
    expect(toCard(members)?.price).toBeUndefined()
  })

  test('beside which tokens are zeros says nothing of the tokens', () => {
    const price = toCard({
      ...{ input_cost_per_token: 0, output_cost_per_token: 0, output_cost_per_image: 0.039 },
    })?.price
    expect(price).toEqual({ rates: {}, units: { imageOutput: 39_000_000 } })
  })

  test('that is no whole number of the unit is rounded half up, and listed', () => {
    const { find, rounded } = convert({
      model: {
        litellm_provider: 'openai',
        ...{ mode: 'chat', input_cost_per_token: 2.5e-12, output_cost_per_token: 1.2e-6 },
      },
    })
    expect(find('openai', 'model')?.price?.rates).toEqual({ input: 3, output: 1_200_000 })
    expect(rounded).toEqual(['model input_cost_per_token 2.5e-12'])
  })

  test.each([-1, '1e-7', {}])('of %p is a mistake that names the entry and member', (written) => {
    expect(() => toCard({ input_cost_per_token: written })).toThrow(
      'model: input_cost_per_token is no amount of USD'
    )
  })
})

describe('a card', () => {
  test('has limits, kind, abilities and the version', () => {
    const found = toCard({
      ...{ max_input_tokens: 128_000, max_output_tokens: '16384', mode: 'responses' },
      ...{ supports_vision: true, supports_function_calling: true, supports_reasoning: false },
    })
    expect(found).toEqual({
      ...{ provider: 'openai', model: 'model', kind: 'responses', origin: 'litellm-0' },
      ...{ contextTokens: 128_000, maxOutputTokens: 16_384, price: undefined },
      abilities: ['vision', 'tools'],
    })
  })

  test('without a word on abilities has unknown ones', () => {
    expect(toCard({ supports_tool_choice: true })?.abilities).toBeUndefined()
    expect(toCard({ supports_vision: false })?.abilities).toEqual([])
  })

  test.each([
    ['image_edit', 'image'],
    ['audio_transcription', 'transcription'],
    ['realtime', 'other'],
    [undefined, 'other'],
  ])('of mode %p is of the kind %p', (mode, kind) => {
    expect<string | undefined>(toCard({ mode })?.kind).toBe(kind)
  })
})

describe('an entry', () => {
  test.each<[string, string, string | undefined]>([
    ['gpt-4o', 'openai', 'openai/gpt-4o'],
    ['openai/sora-2', 'openai', 'openai/sora-2'],
    ['gpt-3.5-turbo-instruct', 'text-completion-openai', 'openai/gpt-3.5-turbo-instruct'],
    ['azure/gpt-4o', 'azure', 'azure/gpt-4o'],
    ['azure_ai/grok-4', 'azure_ai', 'azure/grok-4'],
    ['azure/eu/gpt-4o', 'azure', undefined],
    ['azure/hd/1024-x-1024/dall-e-3', 'azure', undefined],
    ['low/1024-x-1024/gpt-image-1', 'openai', undefined],
    ['gemini/gemini-2.5-pro', 'gemini', 'gemini/gemini-2.5-pro'],
    ['gemini-2.5-pro', 'vertex_ai-language-models', 'vertex/gemini-2.5-pro'],
    ['vertex_ai/claude-opus-5', 'vertex_ai-anthropic_models', 'vertex/claude-opus-5'],
    [
      'vertex_ai/openai/gpt-oss-20b-maas',
      'vertex_ai-openai_models',
      'vertex/openai/gpt-oss-20b-maas',
    ],
    ['us.amazon.nova-pro-v1:0', 'bedrock_converse', 'bedrock/us.amazon.nova-pro-v1:0'],
    ['bedrock/eu-west-2/qwen.qwen3', 'bedrock', 'bedrock/eu-west-2/qwen.qwen3'],
    ['bedrock/us-east-1/1-month-commitment/anthropic.claude-v2:1', 'bedrock', undefined],
    ['bedrock/invoke/anthropic.claude-3', 'bedrock', 'bedrock/anthropic.claude-3'],
    ['bedrock/claude_platform/claude-sonnet-5', 'bedrock', undefined],
    ['groq/openai/gpt-oss-120b', 'groq', 'groq/openai/gpt-oss-120b'],
    ['together-ai-8.1b-21b', 'together_ai', undefined],
    ['together_ai/Qwen/Qwen3-32B', 'together_ai', 'together/Qwen/Qwen3-32B'],
    ['perplexity/perplexity/kimi-k3', 'perplexity', 'perplexity/perplexity/kimi-k3'],
    ['perplexity/sonar', 'perplexity', 'perplexity/sonar'],
    ['jina-reranker', 'jina_ai', 'jina/jina-reranker'],
    ['fal_ai/flux', 'fal_ai', undefined],
    ['sample_spec', 'openai', undefined],
    ['x', 'toString', undefined],
  ])('%s of %s is %p', (key, host, name) => {
    const { names } = convert({ [key]: { litellm_provider: host, mode: 'chat' } })
    expect(names).toEqual(name === undefined ? [] : [name])
  })

  test("with the host's prefix comes before one without, whichever is first", () => {
    const bare = { litellm_provider: 'deepseek', max_input_tokens: 1 }
    const prefixed = { litellm_provider: 'deepseek', max_input_tokens: 2 }
    for (const entries of [
      { 'deepseek-chat': bare, 'deepseek/deepseek-chat': prefixed },
      { 'deepseek/deepseek-chat': prefixed, 'deepseek-chat': bare },
    ]) {
      expect(convert(entries).find('deepseek', 'deepseek-chat')?.contextTokens).toBe(2)
    }
  })

  test('that is no object is a mistake that names it', () => {
    expect(() => convert({ 'gpt-4o': 1 })).toThrow('gpt-4o is no object')
  })
})
