import { afterEach, describe, expect, test } from 'bun:test'

import { createTicker, type Ticker, type Watch } from './ticker'

let ticker: Ticker
afterEach(() => ticker.stop())

class Counting implements Watch {
  ticks = 0
  tick(): void {
    this.ticks++
  }
}

const addMany = (count: number) =>
  Array.from({ length: count }, () => {
    const watch = new Counting()
    ticker.add(watch)
    return watch
  })

/** Resolves at a tick of a watch that stands behind all others. */
const lastTick = () =>
  new Promise<void>((resolve) => {
    const watch: Watch = {
      tick() {
        ticker.remove(watch)
        resolve()
      },
    }
    ticker.add(watch)
  })

describe('a ticker', () => {
  test.each([1, 99, 101, 2_500])(
    'looks at each of %i watches as often as at all others',
    async (count) => {
      ticker = createTicker(20)
      const watches = addMany(count)
      await lastTick()
      expect(new Set(watches.map(({ ticks }) => ticks))).toEqual(new Set([1]))
      await lastTick()
      for (const { ticks } of watches) expect(ticks).toBeGreaterThan(1)
    }
  )

  test('spreads many over its period', async () => {
    ticker = createTicker(50)
    const moments = new Set<number>()
    for (let at = 0; at < 1_000; at++) ticker.add({ tick: (nowMs) => void moments.add(nowMs) })
    await lastTick()
    expect(moments.size).toBeGreaterThanOrEqual(10)
  })

  test('leaves those alone that were removed, in the midst of a period too', async () => {
    ticker = createTicker(20)
    const watches: Counting[] = []
    ticker.add({ tick: () => watches.forEach((watch) => ticker.remove(watch)) })
    watches.push(...addMany(1_000))
    await lastTick()
    await lastTick()
    expect(watches.filter(({ ticks }) => ticks > 0)).toEqual([])
  })

  test('looks at those that come meanwhile with the next period', async () => {
    ticker = createTicker(20)
    const late = new Counting()
    ticker.add({ tick: () => ticker.add(late) })
    addMany(500)
    await lastTick()
    await lastTick()
    expect(late.ticks).toBeGreaterThan(0)
  })

  test('stops, and with it what is under way', async () => {
    ticker = createTicker(20)
    const watches = addMany(1_000)
    const [first] = watches
    while (first?.ticks === 0) await Bun.sleep(1)
    ticker.stop()
    const before = watches.map(({ ticks }) => ticks)
    await Bun.sleep(80)
    expect(watches.map(({ ticks }) => ticks)).toEqual(before)
  })
})
