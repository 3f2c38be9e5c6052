import { describe, expect, test } from 'bun:test'
import { z } from 'zod'
import { ABILITIES, MODEL_KINDS } from '../models/model-card'
import { createModelBook } from '../models/model-book'
import { TOKEN_RATE_NAMES, UNIT_PRICE_NAMES } from '../models/read-price'
import {
  MODEL_SETTINGS_ABILITIES,
  MODEL_SETTINGS_KINDS,
  PRICE_RATES,
  PRICE_UNITS,
  resolveModels,
} from './model-settings'
import { modelListField, modelsSection } from './models-fields'

const read = (section: unknown) => resolveModels(modelsSection().parse(section))

/** What is said of the one thing that is wrong, behind its path. */
function findProblem(section: unknown): string {
  const { error } = modelsSection().safeParse(section)
  const [issue] = error?.issues ?? []
  return `${issue?.path.join('.')}: ${issue?.message}`
}

describe('a price', () => {
  test.each([
    [0.15, 150_000],
    [0.6, 600_000],
    [0.075, 75_000],
    [0.000001, 1],
    [1e-6, 1],
    [0, 0],
    [75, 75_000_000],
    [4.35, 4_350_000],
    [1.1, 1_100_000],
    [1_000_000, 1_000_000_000_000],
  ])('of %p USD a million tokens is %p micro-USD', (written, rate) => {
    expect(read({ 'a/b': { price: { input: written } } })[0]?.price?.rates.input).toBe(rate)
  })

  test('of a unit is in nano-USD', () => {
    const [settings] = read({ 'a/b': { price: { search: 0.01, image_output_each: 1e-9 } } })
    expect(settings?.price).toEqual({ rates: {}, units: { search: 10_000_000, imageOutput: 1 } })
  })

  test.each([
    [
      { input: 0.0000001 },
      'a/b.price.input: USD a million tokens from 0 to 1000000, with at most 6',
    ],
    [
      { input: 0.1234567 },
      'a/b.price.input: USD a million tokens from 0 to 1000000, with at most 6',
    ],
    [{ search: 1e-10 }, 'a/b.price.search: USD each from 0 to 1000000, with at most 9 decimals'],
    [{ input: -1 }, 'a/b.price.input: USD a million tokens from 0'],
    [{ input: '0.15' }, 'a/b.price.input: USD a million tokens from 0'],
    [{ input: 1_000_001 }, 'a/b.price.input: USD a million tokens from 0'],
    [{ inputs: 1 }, 'a/b.price: input, output, cache_read'],
    [{}, 'a/b.price: at least one amount'],
  ])('%p is refused: %s', (price, problem) => {
    expect(findProblem({ 'a/b': { price } })).toStartWith(problem)
  })

  test('can say every kind that a list can', () => {
    expect<string[]>(Object.values(PRICE_RATES).sort()).toEqual([...TOKEN_RATE_NAMES].sort())
    expect<string[]>(Object.values(PRICE_UNITS).sort()).toEqual([...UNIT_PRICE_NAMES].sort())
    for (const field of [...Object.keys(PRICE_RATES), ...Object.keys(PRICE_UNITS)]) {
      expect(modelsSection().safeParse({ 'a/b': { price: { [field]: 1 } } }).success).toBe(true)
    }
  })
})

test('settings have what was written, in its order, and a book takes them', () => {
  const overrides = read({
    'local/*': { context: 8192, max_output: 1024, abilities: ['tools'], kind: 'chat' },
    'local/gpt-4o-mini': {
      price: { input: 0.15, output: 0.6, cache_read: 0.075, cache_write: 0.15 },
    },
  })
  expect(overrides.map(({ key }) => key)).toEqual(['local/*', 'local/gpt-4o-mini'])
  const list = { version: '', taken: '', providers: new Map() }
  const providers = [{ name: 'local', catalogName: undefined }]
  expect(createModelBook({ list, overrides, providers }).find('local', 'gpt-4o-mini')).toEqual({
    ...{ provider: 'local', model: 'gpt-4o-mini', kind: 'chat', origin: 'configuration' },
    ...{ contextTokens: 8192, maxOutputTokens: 1024, abilities: ['tools'] },
    price: { rates: { input: 150_000, output: 600_000, cacheRead: 75_000, cacheWrite: 150_000 } },
  })
})

test.each([
  ['gpt-4o', 'gpt-4o: provider/model, or a glob'],
  ['OpenAI/gpt-4o', 'OpenAI/gpt-4o: provider/model, or a glob'],
  ['openai/', 'openai/: provider/model, or a glob'],
  ['openai/two words', 'openai/two words: provider/model, or a glob'],
])('the key %p is refused', (key, problem) => {
  expect(findProblem({ [key]: {} })).toStartWith(problem)
})

test.each([
  [{ 'a/b': { context: 0 } }, 'a/b.context: a whole number of tokens'],
  [{ 'a/b': { max_output: 1.5 } }, 'a/b.max_output: a whole number of tokens'],
  [{ 'a/b': { abilities: ['flying'] } }, 'a/b.abilities.0: vision, audio-input'],
  [{ 'a/b': { abilities: 'tools' } }, 'a/b.abilities: a list of vision'],
  [{ 'a/b': { kind: 'robot' } }, 'a/b.kind: chat, responses'],
  [{ 'a/b': { contxt: 1 } }, 'a/b: kind, context, max_output, abilities, price'],
  [[], ': a mapping of provider/model to its settings'],
])('%j is refused', (section, problem) => {
  expect(findProblem(section)).toStartWith(problem)
})

test('kinds and abilities are those that models/ knows', () => {
  expect<readonly string[]>(MODEL_SETTINGS_KINDS).toEqual(MODEL_KINDS)
  expect<readonly string[]>(MODEL_SETTINGS_ABILITIES).toEqual(ABILITIES)
})

test('a list is a path, or nothing', () => {
  expect(modelListField().parse(undefined)).toBeUndefined()
  expect(modelListField().parse('models.json')).toBe('models.json')
  expect(modelListField().safeParse('').success).toBe(false)
})

test('the section has a JSON Schema', () => {
  const schema = z.toJSONSchema(modelsSection(), { io: 'input' })
  expect(JSON.stringify(schema)).toContain('USD a million tokens: input.')
})
