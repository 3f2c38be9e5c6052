import { expect, test } from 'bun:test'
import { scaleDecimal } from './decimal'

test.each([
  [1.5e-7, 12, 150_000],
  [0.15, 6, 150_000],
  [2.5, 6, 2_500_000],
  [30, 6, 30_000_000],
  [0.1 + 0.2, 17, 30_000_000_000_000_004],
  [7.5e-8, 12, 75_000],
  [0, 12, 0],
  [1e21, -15, 1_000_000],
  [4.35, 2, 435],
])('%p by %p places is exactly %p', (number, places, value) => {
  if (Number.isSafeInteger(value)) {
    expect(scaleDecimal(number, places)).toEqual({ value, isExact: true })
  } else expect(scaleDecimal(number, places)).toBeUndefined()
})

test.each([
  [0.0000015, 6, 2],
  [0.0000014, 6, 1],
  [4e-7, 6, 0],
  [5e-7, 6, 1],
  [5e-9, 6, 0],
  [1.0000000000000002e-6, 12, 1_000_000],
])('%p by %p places is rounded half up to %p, and says so', (number, places, value) => {
  expect(scaleDecimal(number, places)).toEqual({ value, isExact: false })
})

test.each([-1, Number.NaN, Infinity, 1e300])('%p is no amount', (number) => {
  expect(scaleDecimal(number, 6)).toBeUndefined()
})
