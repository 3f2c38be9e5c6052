import { expect, test } from 'bun:test'
import { formatUsd, parseUsdToNano } from './format-usd'

test.each([
  [0, '0'],
  [1, '0.000000001'],
  [150, '0.00000015'],
  [123_400, '0.0001234'],
  [1_000_000_000, '1'],
  [12_345_600_000_000, '12345.6'],
  [Number.MAX_SAFE_INTEGER, '9007199.254740991'],
])('%p nano-USD are %p, and back', (nano, text) => {
  expect(formatUsd(nano)).toBe(text)
  expect(parseUsdToNano(text)).toBe(nano)
})

test('less than nothing has a sign', () => {
  expect(formatUsd(-1_500_000_000)).toBe('-1.5')
})
