import { describe, expect, test } from 'bun:test'
import { VirtualClock } from './fixtures/simulation'
import { HealthBook } from './health-book'

const create = (maxTargets?: number) => {
  const clock = new VirtualClock()
  return new HealthBook({ now: clock.now, random: () => 0 }, undefined, maxTargets)
}

const REFUSED = { kind: 'provider', cause: 'unreachable', retryAfterMs: undefined } as const

describe('the book of healths', () => {
  test('knows a target by its name, each for itself', () => {
    const book = create()
    for (let at = 0; at < 2; at++) book.of('a/x').begin().failed(REFUSED)
    expect(book.of('a/x').admit()?.reason).toBe('circuit_open')
    expect(book.of('a/y').admit()).toBeUndefined()
    expect(book.snapshots().map(({ name, state }) => [name, state])).toEqual([
      ['a/x', 'open'],
      ['a/y', 'closed'],
    ])
    book.forget('a/x')
    expect(book.of('a/x').admit()).toBeUndefined()
  })

  test('gives each what its name is to have', () => {
    const clock = new VirtualClock()
    const book = new HealthBook({ now: clock.now, random: () => 0 }, (name) =>
      name === 'small' ? { concurrency: { min: 1, max: 1 } } : {}
    )
    book.of('small').begin()
    book.of('large').begin()
    expect(book.of('small').admit()?.reason).toBe('saturated')
    expect(book.of('large').admit()).toBeUndefined()
  })

  test('forgets the longest unused, but none that is at work', () => {
    const book = create(3)
    const working = book.of('working').begin()
    const kept = book.of('kept')
    book.of('unused')
    expect(book.of('kept')).toBe(kept)
    book.of('new')
    expect(book.snapshots().map(({ name }) => name)).toEqual(['working', 'kept', 'new'])
    working.succeeded()
  })

  test('is bounded, even when all are at work', () => {
    const book = create(20)
    const calls = Array.from({ length: 100 }, (_, at) => book.of(`a/${at}`).begin())
    expect(book.size).toBe(20)
    for (const call of calls) call.succeeded()
  })
})
