import { expect, test } from 'bun:test'
import { atLeast, atMost, layOutFigures, median, passes, quantile, report } from './figures'

test('the median is the middle value, or between the two in the middle', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([10, 2, 9, 4])).toBe(6.5)
  expect(median([])).toBeNaN()
})

test('a quantile has its share of the values below it', () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index)
  expect(quantile(values, 0.99)).toBe(199)
  expect(quantile(values, 1)).toBe(200)
})

test('a limit is held by the median, and reached is not passed beyond', () => {
  expect(passes(atMost(5, 'p99', 'ms', [4, 5, 90]))).toBe(true)
  expect(passes(atMost(5, 'p99', 'ms', [6, 5.1, 1]))).toBe(false)
  expect(passes(atLeast(99, 'reused', '%', 99))).toBe(true)
  expect(passes(atLeast(99, 'reused', '%', [98, 100, 98.5]))).toBe(false)
})

test('what could not be measured keeps to no limit', () => {
  expect(passes(atMost(5, 'p99', 'ms', []))).toBe(false)
  expect(passes(atLeast(5, 'reused', '%', NaN))).toBe(false)
  expect(passes(report('p99', 'ms', []))).toBe(true)
})

test('the table shows the median, the range of the rounds, the budget and the verdict', () => {
  expect(
    layOutFigures([report('p50', 'ms', 1.234), atMost(2.8, 'CPU', '×', [3, 2.5, 3.5])])
  ).toEqual([
    'figure  median   rounds       budget    verdict',
    'p50     1.23 ms',
    'CPU     3 ×      2.50 … 3.50  ≤ 2.80 ×  FAIL',
  ])
})
