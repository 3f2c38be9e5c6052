import { expect, test } from 'bun:test'
import { NO_USAGE } from '../usage'
import { toUsage } from './usage'

test('images are read', () => {
  const read = toUsage({
    ...{ input_tokens: 1_131, output_tokens: 4_160, total_tokens: 5_291 },
    input_tokens_details: { image_tokens: 1_088, text_tokens: 43 },
    output_tokens_details: { image_tokens: 4_160, text_tokens: 0 },
  })
  expect(read).toEqual({
    ...NO_USAGE,
    ...{ inputTokens: 1_131, outputTokens: 4_160 },
    ...{ imageInputTokens: 1_088, imageOutputTokens: 4_160 },
  })
})

test.each([
  ['in ticks', { cost_in_usd_ticks: 20_000 }, 2_000],
  ['as a total', { cost: { currency: 'USD', total_cost: 0.00042 } }, 420_000],
])('what it cost is read %s', (_, cost, reportedCostNanoUsd) => {
  const read = toUsage({ input_tokens: 3, output_tokens: 4, ...cost })
  expect(read).toEqual({ ...NO_USAGE, inputTokens: 3, outputTokens: 4, reportedCostNanoUsd })
})
