import { describe, expect, test } from 'bun:test'
import { readBundledModelList } from './bundled-list'
import { renderCompactList } from './compact-list'
import { card, listOf } from './fixtures/cards'
import { loadModelListFile, parseModelList } from './load-model-list'
import { ABILITIES, type ModelCard } from './model-card'
import type { ModelList } from './model-list'
import { CATALOG } from '../providers/catalog'

const FULL = card('openai', 'full', {
  ...{ contextTokens: 128_000, maxOutputTokens: 16_384, abilities: ['vision', 'prefill'] },
  price: {
    rates: { input: 150_000, output: 600_000 },
    steps: [{ aboveInputTokens: 272_000, rates: { input: 300_000 } }],
    tiers: { flex: { rates: { input: 75_000 } } },
    units: { search: 10_000_000 },
  },
})
const CARDS = [
  FULL,
  card('openai', 'empty', { kind: 'embedding' }),
  card('openai', 'able to do nothing', { abilities: [] }),
  card('groq', 'a/"quoted"\u2028', { abilities: ABILITIES }),
]

function cardsOf({ providers }: ModelList): (ModelCard | undefined)[] {
  return [...providers.values()].flatMap((models) =>
    [...models.keys()].map((model) => models.get(model))
  )
}

const byName = (cards: readonly (ModelCard | undefined)[]) =>
  cards.toSorted((a, b) => `${a?.provider}/${a?.model}`.localeCompare(`${b?.provider}/${b?.model}`))

describe('our own format', () => {
  test('holds all of a list', () => {
    const list = parseModelList(renderCompactList(listOf(...CARDS)))
    expect(list).toMatchObject({ version: 'list-1', taken: '2026-11-23' })
    expect(byName(cardsOf(list))).toEqual(byName(CARDS))
  })

  test('is the same text in whatever order a list is', () => {
    const text = renderCompactList(listOf(...CARDS))
    expect(renderCompactList(listOf(...CARDS.toReversed()))).toBe(text)
  })

  test('is read for the wanted providers alone', () => {
    const text = renderCompactList(listOf(...CARDS))
    const { providers } = parseModelList(text, { providers: new Set(['groq', 'nobody']) })
    expect([...providers.keys()]).toEqual(['groq'])
  })

  test('may have abilities and kinds that are not known yet', () => {
    const text = renderCompactList(listOf(FULL))
      .replace('"abilities": ["vision"', '"abilities": ["telepathy"')
      .replace('"chat"', '"dream"')
    const found = parseModelList(text).providers.get('openai')?.get('full')
    expect(found).toMatchObject({ kind: 'other', abilities: ['prefill'] })
  })
})

describe('a file', () => {
  const LITELLM = {
    'gpt-4o': { litellm_provider: 'openai', mode: 'chat', input_cost_per_token: 2.5e-6 },
    'groq/openai/gpt-oss-20b': { litellm_provider: 'groq', mode: 'chat' },
  }

  test('in our own format has the cards, under a version of its name and text', () => {
    const text = renderCompactList(listOf(...CARDS))
    const list = loadModelListFile(text, 'new.json')
    expect(list.version).toMatch(/^new\.json@[0-9a-f]{12}$/)
    const origin = list.version
    expect(byName(cardsOf(list))).toEqual(byName(CARDS.map((one) => ({ ...one, origin }))))
    const other = loadModelListFile(text.replace('128000', '128001'), 'new.json')
    expect(other.version).not.toBe(list.version)
  })

  test("in LiteLLM's format is converted", () => {
    const list = loadModelListFile(JSON.stringify(LITELLM), 'litellm.json')
    const found = list.providers.get('openai')?.get('gpt-4o')
    expect(found).toMatchObject({ price: { rates: { input: 2_500_000 } }, origin: list.version })
  })

  test.each([JSON.stringify(LITELLM), renderCompactList(listOf(...CARDS))])(
    'keeps the wanted providers alone',
    (text) => {
      const { providers } = loadModelListFile(text, 'x', { providers: new Set(['groq']) })
      expect([...providers.keys()]).toEqual(['groq'])
    }
  )

  const valid = renderCompactList(listOf(FULL))
  test.each([
    ['', 'it is no JSON'],
    ['[]', 'it is no JSON object'],
    ['{}', "it is neither a list of ours nor of LiteLLM's format"],
    ['{"a": {}}', "it is neither a list of ours nor of LiteLLM's format"],
    [valid.replace('"list-1"', '""'), 'version is no text'],
    [valid.replace('"2026-11-23"', '1'), 'taken is no text'],
    [valid.replace('["chat",', '['), 'providers.openai.full has not 5 items'],
    [valid.replace('"chat"', '1'), 'providers.openai.full: the kind is no text'],
    [
      valid.replace('128000', '"128000"'),
      'providers.openai.full: the context is neither a whole number nor null',
    ],
    [
      valid.replace('150000', '0.15'),
      'providers.openai.full: price.rates.input is no whole number',
    ],
    [valid.replace('150000', '-1'), 'providers.openai.full: price.rates.input is no whole number'],
    [
      valid.replace('"output"', '"Output"'),
      'providers.openai.full: price.rates.Output is not known',
    ],
    [
      valid.replace('"aboveInputTokens":272000', '"aboveInputTokens":0'),
      'providers.openai.full: price.steps is not rising',
    ],
    [valid.replace('"flex"', '"slow"'), 'providers.openai.full: price.tiers.slow is not known'],
    [
      valid.replace('"rates":{"input":75000}', '"rates":{"input":null}'),
      'providers.openai.full: price.tiers.flex.rates.input is no whole number',
    ],
    [valid.replace('"search"', '"find"'), 'providers.openai.full: price.units.find is not known'],
  ])('%# with a mistake is refused with its place', (text, message) => {
    expect(() => loadModelListFile(text, 'x')).toThrow(message)
  })
})

describe('the bundled list', () => {
  const list = readBundledModelList()

  test('has nothing but cards that can be read, of providers that the catalog has', () => {
    const names = new Set(CATALOG.map((row) => row.name))
    expect([...list.providers.keys()].filter((provider) => !names.has(provider))).toEqual([])
    expect(cardsOf(list).length).toBeGreaterThan(2_000)
    for (const found of cardsOf(list)) expect(found?.origin).toBe(list.version)
  })

  test('has a price of zero for nobody', () => {
    const free = cardsOf(list).filter(
      ({ kind, price } = FULL) =>
        kind === 'chat' && price?.rates.input === 0 && price.units?.request === undefined
    )
    expect(free).toEqual([])
  })

  test('has what is published of a well-known model', () => {
    // https://platform.openai.com/docs/pricing: 0.15 USD in, 0.075 cached, 0.60 out; half of it in a batch.
    expect(list.providers.get('openai')?.get('gpt-4o-mini')).toMatchObject({
      ...{ kind: 'chat', contextTokens: 128_000, maxOutputTokens: 16_384 },
      price: {
        rates: { input: 150_000, cacheRead: 75_000, output: 600_000 },
        tiers: { batch: { rates: { input: 75_000, output: 300_000 } } },
      },
    })
  })

  test('has its licence beside it', async () => {
    const licence = await Bun.file(`${import.meta.dir}/bundled/LICENSE-litellm`).text()
    expect(licence).toContain('MIT License')
    expect(licence).toContain('Berri AI')
  })
})
