import { describe, expect, test } from 'bun:test'
import type { Failure } from './classify-failure'
import { seededRandom, VirtualClock } from './fixtures/simulation'
import { chooseOfTwo } from './power-of-two'
import { type HealthOptions, TargetHealth } from './target-health'

const failure = (rest: Partial<Failure>): Failure => ({
  kind: 'provider',
  cause: undefined,
  retryAfterMs: undefined,
  ...rest,
})
const REFUSED = failure({ cause: 'unreachable' })
const TIMEOUT = failure({ cause: 'timeout' })

function setUp(options?: HealthOptions) {
  const clock = new VirtualClock()
  const random = seededRandom(7)
  const create = (name: string) => new TargetHealth(name, { now: clock.now, random }, options)
  return { clock, random, create }
}

/** How many of the requests of each second from now on went where. */
class Tally {
  readonly #counts = new Map<string, number>()
  readonly #clock: VirtualClock
  readonly #startMs: number

  constructor(clock: VirtualClock) {
    this.#clock = clock
    this.#startMs = clock.now()
  }

  add(name: string): void {
    const second = Math.floor((this.#clock.now() - this.#startMs) / 1_000)
    const key = `${name} ${second}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  /** Of the seconds from `from` up to `to`. */
  of(name: string, from: number, to: number): number {
    let sum = 0
    for (let at = from; at < to; at++) sum += this.#counts.get(`${name} ${at}`) ?? 0
    return sum
  }
}

describe('load is balanced by what targets cost', () => {
  test('a target that turns ten times slower loses 95 % of its load within 5 s', () => {
    const { clock, random, create } = setUp()
    const targets = [create('steady'), create('slowed')]
    const latencyMs = new Map([
      ['steady', 100],
      ['slowed', 100],
    ])
    const ask = (tally: Tally) => {
      const target = chooseOfTwo(targets, (each) => each.cost(), random)
      if (!target || target.admit()) throw new Error('a healthy target refused')
      tally.add(target.name)
      const call = target.begin()
      clock.after((latencyMs.get(target.name) ?? 0) * (0.8 + 0.4 * random()), () =>
        call.succeeded()
      )
    }
    const before = new Tally(clock)
    clock.every(200, 20_000, () => ask(before))
    clock.advance(20_000)
    expect(before.of('slowed', 0, 20) / 4_000).toBeGreaterThan(0.4)
    latencyMs.set('slowed', 1_000)
    const after = new Tally(clock)
    clock.every(200, 20_000, () => ask(after))
    clock.advance(20_000)
    expect(after.of('slowed', 5, 20)).toBeLessThan(0.05 * 200 * 15)
    // It is still asked now and then, so that its recovery is noticed.
    expect(after.of('slowed', 5, 20)).toBeGreaterThan(0)
  })

  test('a target that refuses everything at once is not taken for the fastest', () => {
    const { clock, random, create } = setUp({
      breaker: { consecutiveUnreachable: 1e9, minAnswers: 1e9 },
    })
    const targets = [create('steady'), create('refusing')]
    const tally = new Tally(clock)
    clock.every(200, 20_000, () => {
      const target = chooseOfTwo(targets, (each) => each.cost(), random)
      if (!target) return
      tally.add(target.name)
      const call = target.begin()
      if (target.name === 'refusing') clock.after(1, () => call.failed(REFUSED))
      else clock.after(100, () => call.succeeded())
    })
    clock.advance(20_000)
    expect(tally.of('refusing', 5, 20)).toBeLessThan(0.02 * 200 * 15)
  })
})

describe('a primary that fails', () => {
  test('is passed by for 99.9 % of requests once its connections are refused', () => {
    const { clock, create } = setUp()
    const primary = create('primary')
    const tally = new Tally(clock)
    clock.every(200, 60_000, () => {
      if (primary.admit()) return tally.add('elsewhere')
      tally.add('primary')
      const call = primary.begin()
      clock.after(1, () => call.failed(REFUSED))
      return undefined
    })
    clock.advance(60_000)
    expect(tally.of('primary', 0, 1)).toBeLessThanOrEqual(3)
    expect(tally.of('elsewhere', 1, 60)).toBeGreaterThanOrEqual(0.999 * 200 * 59)
    expect(primary.snapshot().state).toBe('open')
  })

  test.each([1, 2, 200])(
    'is passed by at most 2 s after the first deadline when it swallows %i requests a second',
    (perSecond) => {
      const { clock, create } = setUp()
      const primary = create('primary')
      const deadlineMs = 5_000
      let openedAtMs: number | undefined
      const startMs = clock.now()
      clock.every(perSecond, 10_000, () => {
        if (primary.admit()) {
          openedAtMs ??= clock.now()
          return
        }
        const call = primary.begin()
        // Deadlines are looked at four times a second.
        const dueMs = clock.now() + deadlineMs
        clock.after(Math.ceil(dueMs / 250) * 250 - clock.now(), () => call.failed(TIMEOUT))
      })
      clock.advance(10_000)
      expect((openedAtMs ?? Infinity) - startMs - deadlineMs).toBeLessThanOrEqual(2_000)
    }
  )

  test('comes back over the ramp, without a second dip', () => {
    const { clock, create } = setUp({ breaker: { rampMs: 10_000 } })
    const primary = create('primary')
    let isUp = false
    let failures = 0
    const tally = new Tally(clock)
    const states: string[] = []
    clock.after(7_000, () => {
      isUp = true
    })
    clock.every(200, 40_000, () => {
      const { state } = primary.snapshot()
      if (states.at(-1) !== state) states.push(state)
      if (primary.admit()) return
      tally.add('primary')
      const call = primary.begin()
      if (isUp) clock.after(50, () => call.succeeded())
      else
        clock.after(1, () => {
          failures++
          call.failed(REFUSED)
        })
    })
    clock.advance(40_000)
    const shares = Array.from(
      { length: 40 },
      (_, second) => tally.of('primary', second, second + 1) / 200
    )
    expect(failures).toBeLessThanOrEqual(4)
    const start = shares.findIndex((share) => share > 0.05)
    // Each three seconds have more than the three before, up to all.
    const means = [0, 3, 6].map((at) => (shares[start + at] ?? 0) + (shares[start + at + 2] ?? 0))
    expect(means.every((mean, at) => at === 0 || mean > (means[at - 1] ?? 0))).toBe(true)
    expect(shares.slice(start + 12).every((share) => share === 1)).toBe(true)
    expect(states).toEqual([
      'closed',
      'open',
      'half_open',
      'open',
      'half_open',
      'recovering',
      'closed',
    ])
  })

  test('an answer of before the failure does not disturb the recovery', () => {
    const { clock, create } = setUp()
    const primary = create('primary')
    const late = [primary.begin(), primary.begin(), primary.begin()]
    primary.begin().failed(REFUSED)
    primary.begin().failed(REFUSED)
    expect(primary.admit()?.reason).toBe('circuit_open')
    clock.advance(6_000)
    expect(primary.admit()).toBeUndefined()
    primary.begin().succeeded()
    for (const call of late) call.failed(REFUSED)
    expect(primary.snapshot().state).toBe('recovering')
  })
})

/** Takes so many a second and so many at once, and refuses the rest: a token bucket. */
class RateLimited {
  perSecond: number
  #tokens: number
  #atMs: number

  constructor(perSecond: number, nowMs: number) {
    this.perSecond = perSecond
    this.#tokens = perSecond
    this.#atMs = nowMs
  }

  takes(nowMs: number): boolean {
    const filled = this.#tokens + ((nowMs - this.#atMs) * this.perSecond) / 1_000
    this.#tokens = Math.min(Math.max(1, this.perSecond), filled)
    this.#atMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}

describe('a target that throttles', () => {
  function offer(perSecond: number, limit: number, latencyMs: number, retryAfterMs?: number) {
    const { clock, create } = setUp()
    const target = create('throttled')
    const upstream = new RateLimited(limit, clock.now())
    const tally = new Tally(clock)
    const ask = () => {
      if (target.admit()) return
      tally.add('offered')
      const call = target.begin()
      const isTaken = upstream.takes(clock.now())
      if (isTaken) tally.add('taken')
      clock.after(latencyMs, () => {
        if (isTaken) call.succeeded()
        else call.failed(failure({ kind: 'throttled', retryAfterMs }))
      })
    }
    const run = (durationMs: number) => {
      clock.every(perSecond, durationMs, ask)
      clock.advance(durationMs)
    }
    return { run, tally, upstream, target }
  }

  test.each([
    [100, undefined],
    [100, 1_000],
    [1_000, undefined],
  ])('is offered what it takes (latency %i ms, retry-after %p ms)', (latencyMs, retryAfterMs) => {
    const { run, tally } = offer(500, 100, latencyMs, retryAfterMs)
    run(40_000)
    for (const from of [10, 20, 30]) {
      expect(tally.of('offered', from, from + 10) / 10).toBeLessThanOrEqual(110)
      expect(tally.of('taken', from, from + 10) / 10).toBeGreaterThanOrEqual(80)
    }
  })

  test('gets all again within half a minute of the limit being lifted', () => {
    const { run, tally, upstream } = offer(500, 100, 100)
    run(20_000)
    upstream.perSecond = 1e6
    run(40_000)
    expect(tally.of('offered', 50, 60)).toBeGreaterThan(0.95 * 500 * 10)
  })

  test('with a quota for each minute is asked seldom while it is used up, and gets all of the next', () => {
    const { clock, create } = setUp()
    const target = create('quota')
    const tally = new Tally(clock)
    let minute = 0
    let taken = 0
    clock.every(100, 600_000, () => {
      if (target.admit()) return
      tally.add('offered')
      const call = target.begin()
      if (Math.floor(clock.now() / 60_000) > minute) {
        minute = Math.floor(clock.now() / 60_000)
        taken = 0
      }
      const isTaken = ++taken <= 600
      if (isTaken) tally.add('taken')
      clock.after(100, () => {
        if (isTaken) call.succeeded()
        else call.failed(failure({ kind: 'throttled' }))
      })
    })
    clock.advance(600_000)
    expect(tally.of('offered', 0, 600)).toBeLessThan(1.1 * 600 * 10)
    expect(tally.of('taken', 0, 600)).toBeGreaterThan(0.9 * 600 * 10)
  })

  test('of a few a minute is found too', () => {
    const { run, tally } = offer(5, 0.5, 200)
    run(300_000)
    expect(tally.of('offered', 200, 300)).toBeLessThan(75)
    expect(tally.of('taken', 200, 300)).toBeGreaterThan(35)
  })
})
