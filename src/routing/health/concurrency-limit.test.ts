import { describe, expect, test } from 'bun:test'
import { ConcurrencyLimit } from './concurrency-limit'
import { VirtualClock } from './fixtures/simulation'

/** A target that answers in 100 ms while it has at most `capacity` under way, else misses a deadline of 1 s. */
function load(clock: VirtualClock, limit: ConcurrencyLimit, perSecond: number, seconds: number) {
  const bears = { capacity: 50 }
  let underWay = 0
  const most = { inFlight: 0 }
  clock.every(perSecond, seconds * 1_000, () => {
    if (!limit.hasRoom) return
    const begunAtMs = clock.now()
    limit.begin(begunAtMs)
    most.inFlight = Math.max(most.inFlight, limit.inFlight)
    const isTooMuch = ++underWay > bears.capacity
    clock.after(isTooMuch ? 1_000 : 100, () => {
      underWay--
      if (isTooMuch) limit.overloaded(begunAtMs, clock.now())
      else limit.succeeded(clock.now())
    })
  })
  return { bears, most }
}

describe('the limit of concurrency', () => {
  test('is wide until the target is overloaded, then near what it bears, then wide again', () => {
    const clock = new VirtualClock()
    const limit = new ConcurrencyLimit()
    expect(limit.limit).toBe(10_000)
    const { bears } = load(clock, limit, 1_000, 120)
    clock.advance(30_000)
    expect(limit.limit).toBeLessThanOrEqual(75)
    expect(limit.limit).toBeGreaterThanOrEqual(20)
    bears.capacity = 1_000
    clock.advance(60_000)
    expect(limit.limit).toBeGreaterThan(100)
  })

  test('is not lowered by two lost requests, nor by some among many', () => {
    const limit = new ConcurrencyLimit()
    for (let at = 0; at < 2; at++) {
      limit.begin(at)
      limit.overloaded(at, at)
    }
    expect(limit.limit).toBe(10_000)
    for (let at = 0; at < 100; at++) {
      limit.begin(at)
      limit.succeeded(at)
    }
    limit.begin(200)
    limit.overloaded(200, 200)
    expect(limit.limit).toBe(10_000)
  })

  test('is lowered once by what was under way together, and never below its least', () => {
    const limit = new ConcurrencyLimit({ min: 4 })
    for (let at = 0; at < 100; at++) limit.begin(0)
    for (let at = 0; at < 50; at++) limit.overloaded(0, 1_000)
    expect(limit.limit).toBe(80)
    for (let round = 1; round < 50; round++) {
      limit.begin(1_000 * round)
      limit.overloaded(1_000 * round, 1_000 * round)
    }
    expect(limit.limit).toBe(4)
  })

  test('grows faster the longer nothing was overloaded', () => {
    const limit = new ConcurrencyLimit()
    for (let at = 0; at < 1_000; at++) limit.begin(0)
    for (let at = 0; at < 1_000; at++) limit.overloaded(0, 1_000)
    const grown = (nowMs: number) => {
      const before = limit.limit
      for (let at = 0; at < 800; at++) limit.begin(nowMs)
      for (let at = 0; at < 300; at++) limit.succeeded(nowMs)
      for (let at = 0; at < 500; at++) limit.end()
      return limit.limit - before
    }
    expect(limit.limit).toBe(800)
    expect(grown(2_000)).toBeLessThan(10)
    expect(grown(61_000)).toBeGreaterThan(100)
  })

  test('does not grow while it is not used', () => {
    const limit = new ConcurrencyLimit()
    for (let at = 0; at < 100; at++) limit.begin(0)
    for (let at = 0; at < 100; at++) limit.overloaded(0, 1_000)
    for (let at = 0; at < 1_000; at++) {
      limit.begin(2_000)
      limit.succeeded(2_000)
    }
    expect(limit.limit).toBe(80)
  })
})
