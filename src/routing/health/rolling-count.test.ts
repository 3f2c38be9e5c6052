import { expect, test } from 'bun:test'
import { RollingCount } from './rolling-count'

test('sums what the window has, and forgets it slot by slot', () => {
  const count = new RollingCount(1_000, 10)
  for (let nowMs = 0; nowMs < 1_000; nowMs += 100) count.add(1, nowMs)
  expect(count.total(999)).toBe(10)
  expect(count.total(1_000)).toBe(9)
  expect(count.total(1_550)).toBe(4)
  count.add(5, 1_550)
  expect(count.total(1_900)).toBe(5)
  expect(count.total(10_000)).toBe(0)
  count.add(2, 10_000)
  expect(count.total(10_050)).toBe(2)
  count.clear()
  expect(count.total(10_050)).toBe(0)
})

test('a clock that stands or steps back loses nothing', () => {
  const count = new RollingCount(1_000, 10)
  count.add(1, 5_000)
  count.add(1, 4_900)
  expect(count.total(5_000)).toBe(2)
})
