import { expect, test } from 'bun:test'
import { seededRandom } from './fixtures/simulation'
import { chooseOfTwo } from './power-of-two'

test('nothing of nothing, and the only one of one', () => {
  expect(chooseOfTwo([], () => 0, Math.random)).toBeUndefined()
  expect(chooseOfTwo([5], () => 0, Math.random)).toBe(5)
})

test('the dearest is never chosen, all others are', () => {
  const random = seededRandom(1)
  const counts = [0, 0, 0, 0]
  for (let at = 0; at < 4_000; at++) {
    const chosen = chooseOfTwo([0, 1, 2, 3], (cost) => cost, random) ?? 0
    counts[chosen] = (counts[chosen] ?? 0) + 1
  }
  // Of six pairs the cheapest is in three, the next in two that it wins, and so on.
  for (const [at, share] of [3 / 6, 2 / 6, 1 / 6, 0].entries())
    expect(Math.abs((counts[at] ?? 0) / 4_000 - share)).toBeLessThan(0.03)
})

test('of equals each is as likely', () => {
  const random = seededRandom(2)
  let first = 0
  for (let at = 0; at < 4_000; at++) if (chooseOfTwo(['a', 'b'], () => 1, random) === 'a') first++
  expect(Math.abs(first / 4_000 - 0.5)).toBeLessThan(0.03)
})
