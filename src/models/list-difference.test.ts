import { expect, test } from 'bun:test'
import { card, listOf } from './fixtures/cards'
import { compareLists } from './list-difference'

const PRICE = {
  rates: { input: 150_000, output: 600_000 },
  steps: [{ aboveInputTokens: 272_000, rates: { input: 300_000 } }],
  tiers: { flex: { rates: { input: 75_000 } } },
  units: { search: 10_000_000 },
}
const plain = { isUnit: false, tier: undefined, aboveInputTokens: undefined }

test('two equal lists differ in nothing', () => {
  const list = listOf(card('openai', 'a', { price: PRICE }), card('groq', 'b'))
  expect(compareLists(list, list)).toEqual({ added: [], removed: [], changed: [] })
})

test('models come and go', () => {
  const before = listOf(card('openai', 'a'), card('openai', 'b'), card('groq', 'c'))
  const after = listOf(card('openai', 'd'), card('openai', 'b'), card('cohere', 'c'))
  expect(compareLists(before, after)).toEqual({
    added: ['cohere/c', 'openai/d'],
    removed: ['groq/c', 'openai/a'],
    changed: [],
  })
})

test('every amount of a price that changes, comes or goes is told', () => {
  const before = listOf(card('openai', 'a', { price: PRICE }))
  const price = {
    rates: { input: 160_000, output: 600_000, cacheRead: 1 },
    steps: [{ aboveInputTokens: 200_000, rates: { input: 300_000 } }],
    tiers: { flex: { rates: { input: 70_000 } } },
    units: { search: 11_000_000 },
  }
  const { changed } = compareLists(before, listOf(card('openai', 'a', { price })))
  expect(changed).toHaveLength(1)
  expect(changed[0]?.name).toBe('openai/a')
  expect(changed[0]?.changes).toHaveLength(6)
  expect(changed[0]?.changes).toEqual(
    expect.arrayContaining([
      { ...plain, kind: 'input', before: 150_000, after: 160_000 },
      { ...plain, kind: 'cacheRead', before: undefined, after: 1 },
      { ...plain, kind: 'input', aboveInputTokens: 272_000, before: 300_000, after: undefined },
      { ...plain, kind: 'input', aboveInputTokens: 200_000, before: undefined, after: 300_000 },
      { ...plain, kind: 'input', tier: 'flex', before: 75_000, after: 70_000 },
      { ...plain, kind: 'search', isUnit: true, before: 10_000_000, after: 11_000_000 },
    ])
  )
})

test('a price that is lost is told', () => {
  const { changed } = compareLists(
    listOf(card('openai', 'a', { price: { rates: { input: 1 } } })),
    listOf(card('openai', 'a'))
  )
  expect(changed).toEqual([
    { name: 'openai/a', changes: [{ ...plain, kind: 'input', before: 1, after: undefined }] },
  ])
})
