import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { Breaker, type BreakerOptions, type Pass } from './breaker'
import type { FailureCause } from './classify-failure'

const create = (options: Partial<BreakerOptions> = {}) => new Breaker(options, () => 0)

function fail(breaker: Breaker, nowMs: number, cause?: FailureCause): void {
  breaker.failed(breaker.begin(nowMs), { cause, begunAtMs: nowMs, inFlight: 1 }, nowMs)
}

describe('a breaker opens', () => {
  test.each<[FailureCause | undefined, number]>([
    [undefined, 5],
    ['timeout', 3],
    ['unreachable', 2],
  ])('for %p after %i in a row', (cause, count) => {
    const breaker = create()
    for (let at = 1; at < count; at++) fail(breaker, at, cause)
    // One success, and the row begins again.
    breaker.succeeded(breaker.begin(5), 5)
    for (let at = 1; at < count; at++) fail(breaker, 10 + at, cause)
    expect(breaker.waitMs(20)).toBe(0)
    fail(breaker, 20, cause)
    expect(breaker.state(20)).toBe('open')
    expect(breaker.waitMs(20)).toBeGreaterThan(0)
  })

  test('when half of many answers fail, even between successes', () => {
    const breaker = create()
    for (let at = 0; at < 9; at++) {
      breaker.succeeded(breaker.begin(at), at)
      fail(breaker, at)
    }
    expect(breaker.state(9)).toBe('closed')
    breaker.succeeded(breaker.begin(9), 9)
    fail(breaker, 9)
    expect(breaker.state(9)).toBe('open')
  })

  test('not for few failures among many answers, nor for old ones', () => {
    const breaker = create()
    for (let at = 0; at < 1_000; at++) {
      breaker.succeeded(breaker.begin(at), at)
      if (at % 3 === 0) fail(breaker, at)
    }
    expect(breaker.state(1_000)).toBe('closed')
    expect(breaker.successShare(1_000)).toBeCloseTo(0.75, 1)
    expect(breaker.successShare(60_000)).toBeUndefined()
  })

  test('with one deadline, when nobody heard anything all that time', () => {
    const silent = create()
    const lost = silent.begin(0)
    silent.begin(100)
    silent.failed(lost, { cause: 'timeout', begunAtMs: 0, inFlight: 2 }, 5_000)
    expect(silent.state(5_000)).toBe('open')
    const hurried = create()
    hurried.failed(hurried.begin(0), { cause: 'timeout', begunAtMs: 0, inFlight: 2 }, 300)
    expect(hurried.state(300)).toBe('closed')
    const heard = create()
    const [first, second] = [heard.begin(0), heard.begin(100)]
    heard.heard(second, 4_000)
    heard.failed(first, { cause: 'timeout', begunAtMs: 0, inFlight: 2 }, 5_000)
    expect(heard.state(5_000)).toBe('closed')
  })
})

describe('an open breaker', () => {
  function open(options: Partial<BreakerOptions> = {}): Breaker {
    const breaker = create({ openMs: 1_000, maxOpenMs: 5_000, rampMs: 10_000, ...options })
    fail(breaker, 0, 'unreachable')
    fail(breaker, 0, 'unreachable')
    return breaker
  }

  test('stays so twice as long with every relapse, up to a bound', () => {
    const breaker = open()
    let nowMs = 0
    const waits: number[] = []
    for (let at = 0; at < 5; at++) {
      const waitMs = breaker.waitMs(nowMs)
      waits.push(waitMs)
      nowMs += waitMs
      fail(breaker, nowMs)
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 5_000, 5_000])
  })

  test('begins anew with a short time once it has recovered', () => {
    const breaker = open()
    fail(breaker, 1_000)
    expect(breaker.waitMs(1_000)).toBe(2_000)
    breaker.succeeded(breaker.begin(3_000), 3_000)
    expect(breaker.state(13_000)).toBe('closed')
    fail(breaker, 13_000, 'unreachable')
    fail(breaker, 13_000, 'unreachable')
    expect(breaker.waitMs(13_000)).toBe(1_000)
  })

  test('sends one probe, and another when that one says nothing', () => {
    const breaker = open()
    const probe = breaker.begin(1_000)
    expect(breaker.waitMs(1_000)).toBeGreaterThan(0)
    breaker.left(probe)
    expect(breaker.waitMs(1_001)).toBe(0)
  })

  test('recovers with an answer to a request that was sent all the same', () => {
    const breaker = open()
    breaker.succeeded(breaker.begin(100), 200)
    expect(breaker.state(200)).toBe('recovering')
  })

  test('recovers with the first token of a probe, however long its answer is', () => {
    const breaker = open()
    breaker.heard(breaker.begin(1_000), 1_100)
    expect(breaker.state(1_100)).toBe('recovering')
  })

  test('relapses with a failure early in the ramp, and bears some among many successes', () => {
    const early = open()
    early.succeeded(early.begin(1_000), 1_000)
    fail(early, 1_500)
    expect(early.state(1_500)).toBe('open')
    const later = open()
    for (let at = 0; at < 20; at++) later.succeeded(later.begin(1_000), 1_000 + at)
    fail(later, 2_000)
    expect(later.state(2_000)).toBe('recovering')
    for (let at = 0; at < 3; at++) fail(later, 2_000)
    expect(later.state(2_000)).toBe('open')
  })

  test('admits a share that rises from a tenth to all', () => {
    let drawn = 0
    const breaker = new Breaker({ openMs: 1_000, rampMs: 10_000 }, () => drawn)
    fail(breaker, 0, 'unreachable')
    fail(breaker, 0, 'unreachable')
    breaker.succeeded(breaker.begin(2_000), 2_000)
    const admits = (draw: number, nowMs: number) => {
      drawn = draw
      return breaker.waitMs(nowMs) === 0
    }
    expect([admits(0.09, 2_000), admits(0.11, 2_000)]).toEqual([true, false])
    expect([admits(0.49, 7_000), admits(0.51, 7_000)]).toEqual([true, false])
    expect(admits(0.99, 12_000)).toBe(true)
    expect(breaker.state(12_000)).toBe('closed')
  })
})

test('never more probes under way than allowed, whatever happens', () => {
  const step = fc.record({
    afterMs: fc.integer({ min: 0, max: 2_000 }),
    what: fc.constantFrom('begin', 'begin', 'heard', 'succeeded', 'failed', 'left'),
    which: fc.nat(),
  })
  const run = fc.property(
    fc.integer({ min: 1, max: 3 }),
    fc.array(step, { maxLength: 200 }),
    (maxProbes, steps) => {
      const breaker = new Breaker({ maxProbes, openMs: 1_000, rampMs: 3_000 }, () => 0.5)
      const underWay: Pass[] = []
      let nowMs = 0
      for (const { afterMs, what, which } of steps) {
        nowMs += afterMs
        if (what === 'begin') {
          if (breaker.waitMs(nowMs) === 0) underWay.push(breaker.begin(nowMs))
        } else if (underWay.length > 0) {
          const at = which % underWay.length
          const pass = underWay[at]
          if (pass === undefined) throw new Error('unreachable')
          if (what !== 'heard') underWay.splice(at, 1)
          if (what === 'failed')
            breaker.failed(pass, { cause: 'unreachable', begunAtMs: nowMs, inFlight: 1 }, nowMs)
          else breaker[what](pass, nowMs)
        }
        if (breaker.state(nowMs) !== 'half_open') continue
        const newest = Math.max(-1, ...underWay.map(({ generation }) => generation))
        const probes = underWay.filter(
          ({ isProbe, generation }) => isProbe && generation === newest
        )
        expect(probes.length).toBeLessThanOrEqual(maxProbes)
      }
    }
  )
  fc.assert(run)
})
