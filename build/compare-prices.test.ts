import { expect, test } from 'bun:test'
import { readBundledModelList } from '../src/models/bundled-list'
import type { ModelPrice } from '../src/models/price'
import { DIFFERENCES_PATH, compareWithOtherList, nameOtherList } from './compare-prices'

/** A list with one model of OpenAI's. */
function listOf(model: string, price: ModelPrice | undefined) {
  const unknown = { contextTokens: undefined, maxOutputTokens: undefined, abilities: undefined }
  const card = { provider: 'openai', model, kind: 'chat', ...unknown, price, origin: 'a' } as const
  return { version: 'a', taken: '', providers: new Map([['openai', new Map([[model, card]])]]) }
}

test('the two lists agree, or the difference is listed', async () => {
  const listed: unknown = await Bun.file(DIFFERENCES_PATH).json()
  const found = compareWithOtherList(readBundledModelList(), await nameOtherList())
  expect<unknown>(JSON.parse(JSON.stringify(found))).toEqual(listed)
  expect(found.compared).toBeGreaterThan(500)
})

test.each<[string, ModelPrice | undefined, readonly string[]]>([
  ['the same price', { rates: { input: 200_000, cacheRead: 20_000, output: 1_250_000 } }, []],
  [
    'another price of a kind',
    { rates: { input: 210_000, cacheRead: 20_000, output: 1_250_000 } },
    ['input: 0.21 / 0.2'],
  ],
  [
    'a kind without a price, which is charged as its whole',
    { rates: { input: 200_000, output: 1_250_000 } },
    ['cacheRead: 0.2 / 0.02'],
  ],
  [
    'a step that the other has not',
    {
      rates: { input: 200_000, cacheRead: 20_000, output: 1_250_000 },
      steps: [{ aboveInputTokens: 272_000, rates: { output: 2_500_000 } }],
    },
    ['output above 272000: 2.5 / 1.25'],
  ],
  [
    'no price at all',
    undefined,
    ['input: none / 0.2', 'cacheRead: none / 0.02', 'output: none / 1.25'],
  ],
])('%s is told', (_, price, expected) => {
  // gpt-5.4-nano: 0.20 USD in, 0.02 cached, 1.25 out in the other list.
  const { differences } = compareWithOtherList(listOf('gpt-5.4-nano', price), 'b')
  const found = (differences['openai/gpt-5.4-nano'] ?? []).filter(
    (line) => !line.startsWith('search')
  )
  expect(found).toEqual([...expected])
})

test('a model that the other list does not know is not compared', () => {
  const price = { rates: { input: 1, output: 1 } }
  expect(compareWithOtherList(listOf('nobody-knows-it', price), 'b').compared).toBe(0)
})
