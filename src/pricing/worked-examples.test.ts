import { describe, expect, test } from 'bun:test'
import { readUsage, toModelPrice, type WorkedExample } from './fixtures/worked-example'
import { WORKED_EXAMPLES } from './fixtures/worked-examples'
import { priceUsage } from './price-usage'

const titled = WORKED_EXAMPLES.map((example): [string, WorkedExample] => {
  const { model, source, name } = example
  return [`${model ? `${model.provider}/${model.name}` : new URL(source).host}: ${name}`, example]
})

/** An amount in USD as `10 ** -places` of it, exact. */
function scaled(usd: number, places: number): bigint {
  const [whole = '', fraction = ''] = usd.toFixed(places).split('.')
  return BigInt(whole + fraction)
}

/** The sum that stands in the example, in another arithmetic than that of the code: nano-USD. */
function addUp({ tokens, units }: WorkedExample): bigint {
  let sum = 0n
  for (const [count, usd] of tokens) sum += (BigInt(count) * scaled(usd, 6) + 500n) / 1_000n
  for (const [count, usd] of units ?? []) sum += BigInt(count) * scaled(usd, 9)
  return sum
}

describe('a worked example', () => {
  test('is there for every big provider, and each only once', () => {
    expect(WORKED_EXAMPLES.length).toBeGreaterThanOrEqual(60)
    expect(new Set(titled.map(([title]) => title)).size).toBe(titled.length)
    expect(new Set(WORKED_EXAMPLES.map(({ source }) => new URL(source).host)).size).toBeGreaterThan(
      15
    )
  })

  test.each(titled)('%s', (_, example) => {
    const { price, askedTier, isBatch = false, provenance = 'computed' } = example
    const cost = priceUsage(readUsage(example), toModelPrice(price), {
      origin: example.source,
      serviceTier: askedTier,
      isBatch,
    })
    expect(addUp(example)).toBe(BigInt(example.costNanoUsd))
    expect(cost).toMatchObject({
      costNanoUsd: example.costNanoUsd,
      provenance,
      aboveInputTokens: example.aboveInputTokens,
    })
    // What a provider reports, our lines explain.
    expect(cost.lines.reduce((sum, line) => sum + line.costNanoUsd, 0)).toBe(example.costNanoUsd)
  })
})
