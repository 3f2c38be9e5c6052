import { expect, test } from 'bun:test'
import { createRefusalCounter } from './refusal-counter'

test('so many rows each second, and again in the next', () => {
  const counter = createRefusalCounter()
  const admitted = (nowMs: number) =>
    Array.from({ length: 9 }, () => counter.admits(nowMs, 4)).filter(Boolean).length
  expect([admitted(1_000), admitted(1_999), admitted(2_000)]).toEqual([4, 0, 4])
})

test('a window is given once, when its 10 s are over', () => {
  const counter = createRefusalCounter()
  counter.count(401, 'invalid_api_key', 5_000)
  counter.count(401, 'invalid_api_key', 9_000)
  counter.count(429, 'too_many', 12_000)
  expect(counter.take(14_999)).toEqual([])
  expect(counter.take(15_000)).toMatchObject([
    { status: 401, errorCode: 'invalid_api_key', count: 2, startedAtMs: 5_000, endedAtMs: 9_000 },
  ])
  expect(counter.isCounting()).toBe(true)
  expect(counter.take(15_000, true)).toMatchObject([{ status: 429, count: 1 }])
  expect(counter.isCounting()).toBe(false)
})
