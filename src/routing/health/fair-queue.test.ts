import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { FairQueue } from './fair-queue'

const item = (name: string) => ({ name })

describe('the queue', () => {
  test('takes turns by key, and within a key the first who came', () => {
    const queue = new FairQueue<{ name: string }>(100)
    for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'])
      queue.join(name.slice(0, 1), item(name))
    const served = Array.from({ length: 7 }, () => queue.next()?.name)
    expect(served).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', undefined])
    expect(queue.length).toBe(0)
  })

  test('with a thousand of one key lets a single one of another be next', () => {
    const queue = new FairQueue<{ name: string }>(2_000)
    for (let at = 0; at < 1_000; at++) expect(queue.join('busy', item(`busy${at}`))).toBe(true)
    expect(queue.next()?.name).toBe('busy0')
    expect(queue.join('quiet', item('quiet'))).toBe(true)
    expect([queue.next()?.name, queue.next()?.name]).toEqual(['busy1', 'quiet'])
  })

  test('always has room left for a key with none waiting', () => {
    const queue = new FairQueue<{ name: string }>(64)
    for (const key of ['a', 'b', 'c']) while (queue.join(key, item(key)));
    expect(queue.length).toBeLessThan(64)
    expect(queue.join('new', item('new'))).toBe(true)
  })

  test('is left once', () => {
    const queue = new FairQueue<{ name: string }>(10)
    const [first, second] = [item('first'), item('second')]
    queue.join('a', first)
    queue.join('a', second)
    expect([queue.leave('a', first), queue.leave('a', first)]).toEqual([true, false])
    expect(queue.next()).toBe(second)
    expect(queue.leave('a', second)).toBe(false)
    expect(queue.length).toBe(0)
  })

  test('is never longer than allowed, and serves each who stays exactly once', () => {
    const step = fc.record({
      what: fc.constantFrom('join', 'join', 'next', 'leave'),
      key: fc.constantFrom('a', 'b', 'c'),
      which: fc.nat(),
    })
    const run = fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new FairQueue<{ key: string }>(12)
      const waiting: { key: string }[] = []
      for (const { what, key, which } of steps) {
        if (what === 'join') {
          const joined = { key }
          if (queue.join(key, joined)) waiting.push(joined)
        } else if (what === 'next') {
          const served = queue.next()
          const at = waiting.findIndex((each) => each === served)
          expect(at === -1).toBe(waiting.length === 0)
          if (at !== -1) waiting.splice(at, 1)
        } else {
          const [left] = waiting.splice(which % Math.max(1, waiting.length), 1)
          if (left) expect(queue.leave(left.key, left)).toBe(true)
        }
        expect(queue.length).toBe(waiting.length)
        expect(queue.keys).toBe(new Set(waiting.map(({ key }) => key)).size)
        expect(queue.length).toBeLessThanOrEqual(12)
      }
    })
    fc.assert(run)
  })
})
