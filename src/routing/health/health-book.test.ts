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

  test('passes by all targets of a provider that fails its probes, until it is well', () => {
    const book = create()
    book.of('a/x')
    expect(book.probed('a', { isWell: false })).toBe(true)
    expect(book.probed('a', { isWell: false })).toBe(false)
    for (const name of ['a/x', 'a/new', 'a/org/y'])
      expect(book.of(name).admit()?.reason).toBe('probe_failed')
    for (const name of ['ab/x', 'b/a']) expect(book.of(name).admit()).toBeUndefined()
    expect(book.probed('a', { isWell: true })).toBe(true)
    expect(book.probed('a', { isWell: true })).toBe(false)
    for (const name of ['a/x', 'a/new', 'a/later']) expect(book.of(name).admit()).toBeUndefined()
  })

  test('forgets what was found by probes that are no more', () => {
    const book = create()
    for (const provider of ['a', 'b']) book.probed(provider, { isWell: false })
    book.keepProbed(['b'])
    expect(book.of('a/x').admit()).toBeUndefined()
    expect(book.of('b/x').admit()?.reason).toBe('probe_failed')
  })

  test('tries a target sooner whose provider answers its probe', () => {
    const book = create()
    for (let at = 0; at < 2; at++) book.of('a/x').begin().failed(REFUSED)
    expect(book.of('a/x').admit()?.reason).toBe('circuit_open')
    book.probed('a', { isWell: true })
    expect(book.of('a/x').admit()).toBeUndefined()
    // One request finds out; until then there is no other.
    const call = book.of('a/x').begin()
    expect(book.of('a/x').admit()?.reason).toBe('circuit_open')
    call.failed(REFUSED)
    expect(book.of('a/x').admit()?.reason).toBe('circuit_open')
  })
})
