import { describe, expect, test } from 'bun:test'
import { parseUsdToNano, reportedCost } from './reported-cost'

test.each<[unknown, number | undefined]>([
  [0, 0],
  [0.00014, 140_000],
  ['0.00014', 140_000],
  [1.4e-4, 140_000],
  ['1.4e-4', 140_000],
  [1e-7, 100],
  [2.5e-10, 0],
  [4.99e-10, 0],
  [5e-10, 1],
  [0.00000000149, 1],
  [0.1 + 0.2, 300_000_000],
  ['12.', 12_000_000_000],
  [12, 12_000_000_000],
  ['1e2', 100_000_000_000],
  [-1, undefined],
  ['', undefined],
  ['.5', undefined],
  ['1,5', undefined],
  ['$1', undefined],
  [Number.NaN, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  [1e300, undefined],
  [10_000_000, undefined],
  [null, undefined],
  [[1], undefined],
])('%p USD are %p nano-USD', (written, nano) => {
  expect(parseUsdToNano(written)).toBe(nano)
})

describe('what a host says it charged', () => {
  test.each<[string, Record<string, unknown>, number | undefined]>([
    ['nothing', { prompt_tokens: 1 }, undefined],
    ['ticks', { cost_in_usd_ticks: 37_756_000 }, 3_775_600],
    ['half a nano-dollar in ticks', { cost_in_usd_ticks: 5 }, 1],
    ['a total of parts', { cost: { request_cost: 0.005, total_cost: 0.0053 } }, 5_300_000],
    ['parts without a total', { cost: { request_cost: 0.005 } }, undefined],
    [
      'credits',
      { cost: 0.0035, is_byok: false, cost_details: { upstream_inference_cost: 0.0035 } },
      3_500_000,
    ],
    [
      'a fee on top of the own key',
      { cost: 0.95, is_byok: true, cost_details: { upstream_inference_cost: 19 } },
      19_950_000_000,
    ],
    ['credits without details', { cost: 0.5, cost_details: null }, 500_000_000],
    ['no number', { cost: null }, undefined],
  ])('is read from %s', (_, usage, nano) => {
    expect(reportedCost(usage)).toBe(nano)
  })
})
