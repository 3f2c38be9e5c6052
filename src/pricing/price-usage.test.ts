import { describe, expect, test } from 'bun:test'
import type { ModelPrice } from '../models/price'
import { NO_USAGE, type Usage } from '../protocols/usage'
import { priceUsage } from './price-usage'

const PRICE: ModelPrice = {
  rates: { input: 150_000, output: 600_000, cacheRead: 75_000 },
}

const PRICE_OF_GOLD: ModelPrice = { rates: { input: 1_000_000_000 } }

function bill(usage: Partial<Usage>, price: ModelPrice = PRICE, tier?: string) {
  const cost = priceUsage({ ...NO_USAGE, outputTokens: 0, ...usage }, price, {
    origin: 'a list',
    serviceTier: tier,
  })
  const lines = cost.lines.map(({ kind, quantity, costNanoUsd }) => [kind, quantity, costNanoUsd])
  return { ...cost, lines }
}

describe('a cost', () => {
  test('is the sum of its lines, each rounded once, half up', () => {
    // 3 × 0.15 USD a million are 450 nano-USD; 1 at 0.0005 a million is half a nano-USD.
    expect(bill({ inputTokens: 3, outputTokens: 2 })).toMatchObject({
      costNanoUsd: 450 + 1_200,
      provenance: 'computed',
      priceOrigin: 'a list',
      lines: [
        ['input', 3, 450],
        ['output', 2, 1_200],
      ],
    })
    expect(bill({ inputTokens: 1 }, { rates: { input: 500, output: 1 } }).costNanoUsd).toBe(1)
    expect(bill({ inputTokens: 1 }, { rates: { input: 499, output: 1 } }).costNanoUsd).toBe(0)
  })

  test('counts each token once, in its own kind', () => {
    const price: ModelPrice = {
      rates: {
        ...{ input: 1_000_000, cacheRead: 100_000, cacheWrite: 1_250_000, cacheWrite1h: 2_000_000 },
        ...{ output: 4_000_000, reasoning: 3_000_000, audioInput: 8_000_000, imageInput: 500_000 },
        ...{ audioOutput: 9_000_000, imageOutput: 7_000_000 },
      },
    }
    const usage = {
      ...{ inputTokens: 100, cacheReadTokens: 40, cacheWriteTokens: 30, cacheWrite1hTokens: 10 },
      ...{ audioInputTokens: 5, imageInputTokens: 3, outputTokens: 50, reasoningTokens: 20 },
      ...{ audioOutputTokens: 4, imageOutputTokens: 6 },
    }
    expect(bill(usage, price).lines).toEqual([
      ['input', 22, 22_000],
      ['cache-read', 40, 4_000],
      ['cache-write', 20, 25_000],
      ['cache-write-1h', 10, 20_000],
      ['audio-input', 5, 40_000],
      ['image-input', 3, 1_500],
      ['output', 20, 80_000],
      ['reasoning', 20, 60_000],
      ['audio-output', 4, 36_000],
      ['image-output', 6, 42_000],
    ])
  })

  test('takes a kind without a rate as what holds it', () => {
    const usage = { inputTokens: 10, cacheReadTokens: 4, outputTokens: 5, reasoningTokens: 5 }
    const { lines } = bill(usage, { rates: { input: 1_000, output: 2_000 } })
    expect(lines).toEqual([
      ['input', 6, 6],
      ['cache-read', 4, 4],
      ['output', 5, 10],
    ])
  })

  test('is never less than nothing, whatever the counts claim', () => {
    const { lines } = bill({ inputTokens: 5, cacheReadTokens: 9, reasoningTokens: 7 })
    expect(lines).toEqual([['cache-read', 5, 375]])
  })

  test('goes by the size of the request, for all of its tokens', () => {
    const price: ModelPrice = {
      rates: { input: 1_000_000, output: 2_000_000 },
      steps: [
        { aboveInputTokens: 100, rates: { input: 2_000_000 } },
        { aboveInputTokens: 200, rates: { input: 3_000_000, output: 5_000_000 } },
      ],
    }
    expect(bill({ inputTokens: 100, outputTokens: 1 }, price).costNanoUsd).toBe(102_000)
    expect(bill({ inputTokens: 101, outputTokens: 1 }, price)).toMatchObject({
      costNanoUsd: 204_000,
      aboveInputTokens: 100,
    })
    expect(bill({ inputTokens: 201, outputTokens: 1 }, price).costNanoUsd).toBe(608_000)
  })

  test('counts cached sound once, at its own rate or at that of the cache', () => {
    const usage = {
      ...{ inputTokens: 100, cacheReadTokens: 60, audioInputTokens: 50, audioCacheReadTokens: 20 },
    }
    const rates = { input: 1_000, cacheRead: 100, audioInput: 3_000, output: 1 }
    expect(bill(usage, { rates }).lines).toEqual([
      ['input', 10, 10],
      ['cache-read', 60, 6],
      ['audio-input', 30, 90],
    ])
    expect(bill(usage, { rates: { ...rates, audioCacheRead: 300 } }).lines).toEqual([
      ['input', 10, 10],
      ['cache-read', 40, 4],
      ['audio-cache-read', 20, 6],
      ['audio-input', 30, 90],
    ])
  })

  test.each<[string, Partial<Usage>]>([
    [
      'more written than there was',
      { inputTokens: 5, cacheWriteTokens: 9, cacheWrite1hTokens: 20 },
    ],
    [
      'everything at once',
      { inputTokens: 5, cacheReadTokens: 5, audioInputTokens: 5, imageInputTokens: 5 },
    ],
    [
      'more sound than output',
      { inputTokens: 0, outputTokens: 5, audioOutputTokens: 9, imageOutputTokens: 3 },
    ],
    [
      'cached sound that is no sound',
      { inputTokens: 5, audioCacheReadTokens: 5, audioInputTokens: 1 },
    ],
  ])('charges five tokens for %s', (_, usage) => {
    const price: ModelPrice = { rates: { input: 1_000, output: 1_000, audioCacheRead: 1_000 } }
    const { lines, costNanoUsd } = bill(usage, price)
    expect(lines.every(([, quantity]) => Number(quantity) > 0)).toBe(true)
    expect(costNanoUsd).toBe(5)
  })

  test('takes what a tier does not say from the standard rates of that size', () => {
    const price: ModelPrice = {
      rates: { input: 1_000, cacheRead: 100, output: 1 },
      steps: [{ aboveInputTokens: 10, rates: { input: 2_000, cacheRead: 200 } }],
      tiers: { flex: { rates: { input: 500 } } },
    }
    const usage = { inputTokens: 12, cacheReadTokens: 2, serviceTier: 'flex' }
    expect(bill(usage, price)).toMatchObject({
      aboveInputTokens: 10,
      lines: [
        ['input', 10, 5],
        ['cache-read', 2, 0],
      ],
    })
  })

  test('is of a batch, whatever tier its answer names', () => {
    const price: ModelPrice = { ...PRICE, tiers: { batch: { rates: { input: 75_000 } } } }
    const usage = { ...NO_USAGE, inputTokens: 1_000, outputTokens: 0, serviceTier: 'default' }
    const options = { origin: 'a list', isBatch: true }
    expect(priceUsage(usage, price, options)).toMatchObject({ costNanoUsd: 75_000, tier: 'batch' })
    expect(priceUsage(usage, PRICE, options).provenance).toBe('unknown')
  })

  test.each(['scale', 'reserved', 'PROVISIONED_THROUGHPUT', 'performance', 'fast'])(
    'is unknown in %s, which no list prices',
    (serviceTier) => {
      expect(bill({ inputTokens: 1_000, serviceTier })).toMatchObject({
        costNanoUsd: undefined,
        provenance: 'unknown',
        tier: serviceTier.toLowerCase(),
      })
    }
  )

  test.each(['default', 'standard', 'ON_DEMAND', 'on_demand', 'auto', 'TRAFFIC_TYPE_UNSPECIFIED'])(
    'is the standard one in %s',
    (serviceTier) => {
      expect(bill({ inputTokens: 1_000, serviceTier })).toMatchObject({
        costNanoUsd: 150_000,
        tier: undefined,
      })
    }
  )

  test('is of rates that a provider raises for all tokens, but not for searches', () => {
    const price: ModelPrice = { ...PRICE, units: { search: 10_000_000 } }
    const usage = { inputTokens: 1_000, outputTokens: 10, searches: 1, ratePercent: 110 }
    expect(bill(usage, price).lines).toEqual([
      ['input', 1_000, 165_000],
      ['output', 10, 6_600],
      ['search', 1, 10_000_000],
    ])
  })

  test('of units alone needs no tokens', () => {
    const price: ModelPrice = { rates: {}, units: { search: 2_000_000 } }
    const usage = { outputTokens: undefined, searches: 3 }
    expect(bill(usage, price)).toMatchObject({ costNanoUsd: 6_000_000, provenance: 'computed' })
  })

  test('is marked where the usage is an estimate', () => {
    const usage = { ...NO_USAGE, inputTokens: 3, outputTokens: 0 }
    const options = { origin: 'a list', isEstimated: true }
    expect(priceUsage(usage, PRICE, options).provenance).toBe('estimated')
  })

  test('goes by the tier of the answer before the one asked for', () => {
    const price: ModelPrice = { ...PRICE, tiers: { flex: { rates: { input: 75_000 } } } }
    const asked = (serviceTier: string | undefined, tier?: string) =>
      bill({ inputTokens: 1_000, serviceTier }, price, tier)
    expect(asked(undefined, 'flex')).toMatchObject({ costNanoUsd: 75_000, tier: 'flex' })
    expect(asked('default', 'flex')).toMatchObject({ costNanoUsd: 150_000, tier: undefined })
    expect(asked('ON_DEMAND_FLEX')).toMatchObject({ tier: 'flex' })
    expect(asked('priority')).toMatchObject({ costNanoUsd: undefined, provenance: 'unknown' })
  })

  test.each<[string, Partial<Usage>, ModelPrice]>([
    ['no rate for output', { inputTokens: 1, outputTokens: 1 }, { rates: { input: 1 } }],
    ['no count of input', { outputTokens: 1 }, PRICE],
    ['no count of output', { inputTokens: 1, outputTokens: undefined }, PRICE],
    ['a price of nothing', {}, { rates: {} }],
    ['counts beyond this world', { inputTokens: Number.MAX_SAFE_INTEGER }, PRICE_OF_GOLD],
    ['a search without a price', { inputTokens: 1, searches: 1 }, PRICE],
  ])('is unknown, not zero, with %s', (_, usage, price) => {
    expect(bill(usage, price)).toMatchObject({ costNanoUsd: undefined, provenance: 'unknown' })
  })

  test('is unknown without a price or a usage, but for what the provider reports', () => {
    const options = { origin: undefined }
    expect(priceUsage(undefined, PRICE, options).provenance).toBe('unknown')
    expect(priceUsage({ ...NO_USAGE, inputTokens: 1 }, undefined, options)).toMatchObject({
      costNanoUsd: undefined,
      provenance: 'unknown',
    })
    const reported = { ...NO_USAGE, inputTokens: 1, reportedCostNanoUsd: 7 }
    expect(priceUsage(reported, undefined, options)).toMatchObject({
      costNanoUsd: 7,
      provenance: 'reported',
    })
  })

  test('of an embedding needs no output', () => {
    const price: ModelPrice = { rates: { input: 20_000 } }
    expect(bill({ inputTokens: 50, outputTokens: undefined }, price).costNanoUsd).toBe(1_000)
  })

  test('has units beside tokens', () => {
    const units = { request: 5_000_000, search: 10_000_000, searchLow: 4_000_000 }
    const price: ModelPrice = { ...PRICE, units }
    expect(bill({ inputTokens: 0, searches: 2 }, price).costNanoUsd).toBe(25_000_000)
    const low = { inputTokens: 0, searches: 2, searchContext: 'low' }
    expect(bill(low, price).costNanoUsd).toBe(13_000_000)
  })

  test('is exact beyond what a double holds', () => {
    const price: ModelPrice = { rates: { input: 999_999_999, output: 1 } }
    const { costNanoUsd } = bill({ inputTokens: 99_999_999 }, price)
    expect(costNanoUsd).toBe(Number((99_999_999n * 999_999_999n + 500n) / 1_000n))
  })
})
