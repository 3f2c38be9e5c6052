import { describe, expect, test } from 'bun:test'
import { card, listOf } from './fixtures/cards'
import {
  type BookProvider,
  type ModelOverride,
  createModelBook,
  listedProviders,
} from './model-book'
import type { ModelCard } from './model-card'

const PRICE = { rates: { input: 150_000, output: 600_000 } }
const OTHER_PRICE = { rates: { input: 1_000_000, output: 2_000_000 } }

/** Finds `provider/model` among listed cards, with overrides. */
function find(name: string, cards: readonly ModelCard[], overrides: ModelOverride[] = []) {
  const provider = name.slice(0, name.indexOf('/'))
  const providers = [{ name: provider, catalogName: provider }]
  const book = createModelBook({ list: listOf(...cards), overrides, providers })
  return book.find(provider, name.slice(provider.length + 1))
}

describe('a model is found by other names, at the same price,', () => {
  test.each([
    ['openai', 'ft:gpt-4o-mini-2024-07-18:acme::9abc', 'ft:gpt-4o-mini-2024-07-18'],
    ['anthropic', 'claude-sonnet-4-5-20250929', 'claude-sonnet-4-5'],
    ['anthropic', 'claude-sonnet-4-5-latest', 'claude-sonnet-4-5'],
    ['gemini', 'models/gemini-2.5-flash', 'gemini-2.5-flash'],
    ['vertex', 'google/gemini-2.5-flash', 'gemini-2.5-flash'],
    ['vertex', 'publishers/google/models/gemini-2.5-flash', 'gemini-2.5-flash'],
    ['vertex', 'claude-sonnet-4-5@20250929', 'claude-sonnet-4-5'],
    ['vertex', 'publishers/anthropic/models/claude-opus-4-7@default', 'claude-opus-4-7@default'],
    ['vertex', 'publishers/anthropic/models/claude-opus-4-7@20260416', 'claude-opus-4-7'],
    [
      'bedrock',
      'arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0',
      'amazon.nova-pro-v1:0',
    ],
    [
      'bedrock',
      'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0',
      'us.amazon.nova-pro-v1:0',
    ],
    ['fireworks', 'kimi-k2p7-code', 'accounts/fireworks/models/kimi-k2p7-code'],
    ['fireworks', 'accounts/fireworks/models/glm-4p7', 'glm-4p7'],
    ['ollama', 'llama3:latest', 'llama3'],
  ])('%s: %s as %s', (provider, model, listed) => {
    const found = find(`${provider}/${model}`, [card(provider, listed, { price: PRICE })])
    expect(found).toMatchObject({ model: listed, price: PRICE, origin: 'list-1' })
  })
})

describe('a model is found by other names, at no price,', () => {
  test.each([
    ['openai', 'gpt-4o-2029-01-01', 'gpt-4o'],
    ['azure', 'gpt-4o-2029-01-01', 'gpt-4o'],
    ['bedrock', 'eu.anthropic.claude-sonnet-4-5-v1:0', 'anthropic.claude-sonnet-4-5-v1:0'],
    [
      'bedrock',
      'arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-pro-v1:0',
      'amazon.nova-pro-v1:0',
    ],
    ['openrouter', 'openai/gpt-5.2:nitro', 'openai/gpt-5.2'],
    ['huggingface', 'openai/gpt-oss-120b:groq', 'openai/gpt-oss-120b'],
  ])('%s: %s as %s', (provider, model, listed) => {
    const told = { price: PRICE, contextTokens: 128_000 }
    const found = find(`${provider}/${model}`, [card(provider, listed, told)])
    expect(found).toMatchObject({ model: listed, contextTokens: 128_000, price: undefined })
  })
})

test.each([
  ['openai', 'gpt-4o-mini', 'gpt-4o'],
  ['mistral', 'mistral-large-2407', 'mistral-large'],
  ['vertex', 'mistral-large@2407', 'mistral-large'],
  ['bedrock', 'us.unknown', 'unknown'],
  ['bedrock', 'arn:aws:bedrock:us-east-1:1:application-inference-profile/abc', 'abc'],
  ['openrouter', 'deepseek/deepseek-r1:thinking', 'deepseek/deepseek-r1'],
  ['groq', 'toString', 'gpt-oss-20b'],
])('%s: %s is not taken for %s', (provider, model, listed) => {
  expect(find(`${provider}/${model}`, [card(provider, listed, { price: PRICE })])).toBeUndefined()
})

test('the name itself comes before others', () => {
  const cards = [
    card('openai', 'gpt-4o', { price: PRICE }),
    card('openai', 'gpt-4o-2024-05-13', { price: OTHER_PRICE }),
  ]
  expect(find('openai/gpt-4o-2024-05-13', cards)?.price).toEqual(OTHER_PRICE)
})

test("OpenRouter's free variants cost nothing, and nobody else's", () => {
  const free = { rates: { input: 0, output: 0 } }
  expect(find('openrouter/meta-llama/llama-3.3-70b:free', [])).toMatchObject({
    price: free,
    contextTokens: undefined,
  })
  expect(find('groq/meta-llama/llama-3.3-70b:free', [])).toBeUndefined()
})

describe('a provider', () => {
  const cards = [
    card('openai', 'gpt-4o', { price: PRICE }),
    card('azure', 'gpt-4o', { price: OTHER_PRICE }),
    card('bedrock', 'qwen.qwen3', { price: PRICE }),
    card('bedrock', 'eu-west-2/qwen.qwen3', { price: OTHER_PRICE }),
  ]
  const bookOf = (...providers: BookProvider[]) =>
    createModelBook({ list: listOf(...cards), providers })

  test('is known by its own name and by the catalog’s', () => {
    const book = bookOf({ name: 'main', catalogName: 'openai' })
    expect(book.find('main', 'gpt-4o')?.price).toEqual(PRICE)
    expect(book.find('openai', 'gpt-4o')?.price).toEqual(PRICE)
  })

  test('under the name of another host has its own prices', () => {
    const book = bookOf(
      { name: 'openai', catalogName: 'azure' },
      { name: 'x', catalogName: 'openai' }
    )
    expect(book.find('openai', 'gpt-4o')?.price).toEqual(OTHER_PRICE)
    expect(book.find('x', 'gpt-4o')?.price).toEqual(PRICE)
  })

  test('that the catalog has not has no listed models', () => {
    expect(
      bookOf({ name: 'local', catalogName: undefined }).find('local', 'gpt-4o')
    ).toBeUndefined()
    expect(bookOf().find('openai', 'gpt-4o')).toBeUndefined()
  })

  test.each(['azure-deployments', 'azure-anthropic'])('%s has the prices of azure', (name) => {
    const provider = { name, catalogName: name }
    expect(bookOf(provider).find(name, 'gpt-4o')?.price).toEqual(OTHER_PRICE)
    expect([...listedProviders([provider])]).toEqual(['azure'])
  })

  test('of one region has the prices of that region where they differ', () => {
    const find = (region?: string) =>
      bookOf({ name: 'bedrock', catalogName: 'bedrock', region }).find('bedrock', 'qwen.qwen3')
    expect(find('eu-west-2')?.price).toEqual(OTHER_PRICE)
    expect(find('us-east-1')?.price).toEqual(PRICE)
    expect(find()?.price).toEqual(PRICE)
  })
})

describe('an override', () => {
  const listed = card('openai', 'gpt-4o', {
    contextTokens: 128_000,
    abilities: ['vision'],
    price: { ...PRICE, tiers: { flex: { rates: { input: 1 } } } },
  })

  test("replaces the list's price as a whole, and leaves the rest", () => {
    expect(find('openai/gpt-4o', [listed], [{ key: 'openai/gpt-4o', price: OTHER_PRICE }])).toEqual(
      {
        ...listed,
        price: OTHER_PRICE,
        origin: 'configuration',
      }
    )
  })

  test('of something else leaves the price to the list that it stands in', () => {
    const override = { key: 'openai/gpt-4o', contextTokens: 1_000, abilities: [] }
    expect(find('openai/gpt-4o', [listed], [override])).toEqual({
      ...listed,
      contextTokens: 1_000,
      abilities: [],
    })
  })

  test('makes a card of what no list has', () => {
    expect(find('local/mine', [], [{ key: 'local/mine', price: PRICE }])).toEqual(
      card('local', 'mine', { price: PRICE, origin: 'configuration' })
    )
    expect(find('local/other', [], [{ key: 'local/mine', price: PRICE }])).toBeUndefined()
  })

  test('counts the more, the more specific it is, member by member', () => {
    const overrides: ModelOverride[] = [
      { key: '*/*', contextTokens: 1, maxOutputTokens: 1, kind: 'other' },
      { key: 'openai/gpt-4o', price: OTHER_PRICE },
      { key: 'openai/*', contextTokens: 2, maxOutputTokens: 2 },
      { key: 'openai/gpt-*', contextTokens: 3 },
    ]
    expect(find('openai/gpt-4o', [listed], overrides)).toMatchObject({
      ...{ contextTokens: 3, maxOutputTokens: 2, kind: 'other', price: OTHER_PRICE },
    })
  })

  test('speaks of a provider by its own name, and of a model by the name it is asked for', () => {
    const book = createModelBook({
      list: listOf(card('openai', 'gpt-4o', { price: PRICE })),
      overrides: [
        { key: 'main/gpt-4o', price: OTHER_PRICE },
        { key: 'openai/gpt-4o', contextTokens: 1 },
        { key: 'main/gpt-4o-2029-01-01', price: OTHER_PRICE },
      ],
      providers: [{ name: 'main', catalogName: 'openai' }],
    })
    expect(book.find('main', 'gpt-4o')).toMatchObject({
      price: OTHER_PRICE,
      contextTokens: undefined,
    })
    expect(book.find('main', 'gpt-4o-2029-01-01')).toMatchObject({ price: OTHER_PRICE })
  })
})

test('the list is read at the first lookup, once', () => {
  let reads = 0
  const list = () => {
    reads++
    return listOf(card('openai', 'gpt-4o', { price: PRICE }))
  }
  const book = createModelBook({ list, providers: [{ name: 'openai', catalogName: 'openai' }] })
  expect(reads).toBe(0)
  book.find('nobody', 'gpt-4o')
  expect(reads).toBe(0)
  expect(book.find('openai', 'gpt-4o')).toBe(book.find('openai', 'gpt-4o'))
  expect(book.find('openai', 'nothing')).toBeUndefined()
  expect(reads).toBe(1)
})

test('whatever names clients make up, what is listed is found', () => {
  const models = listOf(card('openai', 'gpt-4o', { price: PRICE }))
  const book = createModelBook({
    list: models,
    providers: [{ name: 'openai', catalogName: 'openai' }],
  })
  for (let at = 0; at < 10_000; at++) expect(book.find('openai', `made-up-${at}`)).toBeUndefined()
  expect(book.find('openai', 'x'.repeat(100_000))).toBeUndefined()
  expect(book.find('openai', 'gpt-4o')?.price).toEqual(PRICE)
})
