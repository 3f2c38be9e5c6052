import { expect, test } from 'bun:test'
import { backoffMs } from './backoff'
import { seededRandom } from './fixtures/simulation'

test('waits anything up to twice as long with every retry, and never longer than the cap', () => {
  const options = { baseMs: 100, capMs: 1_000 }
  expect([0, 1, 2, 3, 4, 50].map((retry) => backoffMs(retry, () => 1, options))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ])
  expect(backoffMs(5, () => 0, options)).toBe(0)
})

test('spreads those who failed together', () => {
  const random = seededRandom(3)
  const waits = Array.from({ length: 1_000 }, () =>
    backoffMs(2, random, { baseMs: 100, capMs: 1_000 })
  )
  const early = waits.filter((waitMs) => waitMs < 200).length
  expect(early).toBeGreaterThan(400)
  expect(early).toBeLessThan(600)
})
