import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { GatewayError } from '../../errors/gateway-error'
import type { Failure } from './classify-failure'
import { seededRandom, VirtualClock } from './fixtures/simulation'
import type { HealthCall } from './health-call'
import { type HealthOptions, TargetHealth } from './target-health'
import type { WaitingCall } from './waiting-call'

const failure = (rest: Partial<Failure>): Failure => ({
  kind: 'provider',
  cause: undefined,
  retryAfterMs: undefined,
  ...rest,
})

function setUp(options?: HealthOptions) {
  const clock = new VirtualClock()
  const health = new TargetHealth(
    'host/model',
    { now: clock.now, random: seededRandom(5) },
    options
  )
  return { clock, health }
}

describe('a target', () => {
  test('takes requests, and tells how it stands', () => {
    const { clock, health } = setUp()
    expect(health.admit()).toBeUndefined()
    const call = health.begin()
    expect(health.inFlight).toBe(1)
    clock.advance(300)
    call.firstToken()
    clock.advance(2_000)
    call.succeeded({ outputTokens: 100 })
    // Only the first end counts.
    call.failed(failure({}))
    call.left()
    expect(health.snapshot()).toEqual({
      name: 'host/model',
      state: 'closed',
      successShare: 1,
      firstTokenMs: 300,
      tokensPerSecond: 50,
      inFlight: 0,
      waiting: 0,
      limit: 10_000,
      requestsPerSecond: undefined,
      coolingForMs: 0,
    })
  })

  test('that asks to be left alone is, for so long', () => {
    const { clock, health } = setUp()
    health.begin().failed(failure({ kind: 'throttled', retryAfterMs: 3_000 }))
    expect(health.admit()).toEqual({ reason: 'cooling_down', retryAfterMs: 3_000 })
    clock.advance(2_999)
    expect(health.admit()?.retryAfterMs).toBe(1)
    clock.advance(1)
    expect(health.admit()?.reason).not.toBe('cooling_down')
  })

  test('whose credential is refused is left alone for longer each time', () => {
    const { clock, health } = setUp()
    const together = [health.begin(), health.begin()]
    clock.advance(10)
    for (const call of together) call.failed(failure({ kind: 'credential' }))
    expect(health.admit()).toEqual({ reason: 'cooling_down', retryAfterMs: 10_000 })
    clock.advance(10_000)
    health.begin().failed(failure({ kind: 'credential' }))
    expect(health.admit()?.retryAfterMs).toBe(20_000)
    clock.advance(20_000)
    health.begin().succeeded()
    health.begin().failed(failure({ kind: 'credential' }))
    expect(health.admit()?.retryAfterMs).toBe(10_000)
  })

  test.each([
    'request',
    'capability',
    'context_length',
    'content_policy',
    'client',
    'policy',
  ] as const)('is not blamed for what is %s', (kind) => {
    const { health } = setUp()
    for (let at = 0; at < 100; at++) health.begin().failed(failure({ kind }))
    expect(health.admit()).toBeUndefined()
    expect(health.snapshot()).toMatchObject({
      state: 'closed',
      inFlight: 0,
      successShare: undefined,
    })
  })

  test('bears fewer at once when many of them are late', () => {
    const { clock, health } = setUp()
    const calls = Array.from({ length: 100 }, () => health.begin())
    for (const call of calls.slice(0, 50)) call.firstToken()
    clock.advance(5_000)
    for (const call of calls.slice(50))
      call.failed(failure({ kind: 'throttled', cause: 'overloaded' }))
    expect(health.snapshot().limit).toBe(80)
  })

  test('that refuses streams beyond its number is not taken for dead', () => {
    const { health } = setUp()
    for (let at = 0; at < 20; at++) health.begin().failed(failure({ cause: 'overloaded' }))
    expect(health.snapshot()).toMatchObject({ state: 'closed', limit: 8 })
  })

  test('costs more once clients leave before it answers', () => {
    const { clock, health } = setUp()
    const first = health.begin()
    clock.advance(100)
    first.succeeded()
    const before = health.cost()
    const left = health.begin()
    clock.advance(5_000)
    left.left()
    expect(health.cost()).toBeGreaterThan(10 * before)
  })

  test('that breaks its streams off is passed by', () => {
    const { clock, health } = setUp()
    for (let at = 0; at < 20; at++) {
      const call = health.begin()
      call.firstToken()
      clock.advance(100)
      call.failed(failure({}))
    }
    expect(health.admit()?.reason).toBe('circuit_open')
  })

  test('is not taken for silent because long answers are late', () => {
    const { clock, health } = setUp()
    const calls = [health.begin(), health.begin(), health.begin(), health.begin()]
    for (const call of calls) call.firstToken()
    clock.advance(600_000)
    for (const call of calls) call.failed(failure({ cause: 'timeout' }))
    expect(health.snapshot().state).toBe('closed')
  })

  test('that throttles a probe is back', () => {
    const { clock, health } = setUp()
    for (let at = 0; at < 2; at++) health.begin().failed(failure({ cause: 'unreachable' }))
    clock.advance(6_000)
    health.begin().failed(failure({ kind: 'throttled', cause: 'overloaded' }))
    expect(health.snapshot().state).toBe('half_open')
    health.begin().failed(failure({ kind: 'throttled' }))
    expect(health.snapshot().state).toBe('recovering')
  })

  test('that is just back says so, and gets what it is sent all the same', () => {
    const { clock, health } = setUp({ breaker: { rampFrom: 0 } })
    for (let at = 0; at < 2; at++) health.begin().failed(failure({ cause: 'unreachable' }))
    clock.advance(6_000)
    health.begin().succeeded()
    expect(health.admit()?.reason).toBe('recovering')
    health.begin().succeeded()
    expect(health.inFlight).toBe(0)
  })

  test('has its retries counted', () => {
    const { health } = setUp({ retries: { floorPerSecond: 0.1, windowMs: 10_000 } })
    expect(health.mayRetry()).toBe(true)
    health.begin({ isRetry: true }).succeeded()
    expect(health.mayRetry()).toBe(false)
    for (let at = 0; at < 5; at++) health.begin().succeeded()
    expect(health.mayRetry()).toBe(true)
  })
})

const SMALL: HealthOptions = {
  concurrency: { min: 1, max: 1 },
  maxWaiting: 2_000,
  maxWaitMs: 5_000,
}

/** Who got a turn so far, in order; each call is ended by the test. */
function collect(waits: Record<string, WaitingCall | undefined>) {
  const granted: { name: string; call: HealthCall }[] = []
  const errors: Record<string, unknown> = {}
  for (const [name, waiting] of Object.entries(waits))
    waiting?.granted.then(
      (call) => granted.push({ name, call }),
      (error: unknown) => {
        errors[name] = error
      }
    )
  return { granted, errors }
}

describe('waiting for a turn', () => {
  test('a single request of one tenant passes the thousand of another', async () => {
    const { health } = setUp(SMALL)
    const first = health.begin()
    expect(health.admit()?.reason).toBe('saturated')
    const busy = Array.from({ length: 1_000 }, () => health.wait('busy'))
    expect(busy.every((waiting) => waiting !== undefined)).toBe(true)
    const { granted } = collect({ busy: busy[0], quiet: health.wait('quiet'), later: busy[1] })
    first.succeeded()
    await Bun.sleep(0)
    expect(granted.map(({ name }) => name)).toEqual(['busy'])
    // Who just comes must not pass those who wait.
    expect(health.admit()?.reason).toBe('saturated')
    granted[0]?.call.succeeded()
    await Bun.sleep(0)
    granted[1]?.call.left()
    await Bun.sleep(0)
    expect(granted.map(({ name }) => name)).toEqual(['busy', 'quiet', 'later'])
    expect(health.inFlight).toBe(1)
  })

  test('ends with 503 and retry-after when it is too long', async () => {
    const { clock, health } = setUp(SMALL)
    health.begin()
    const waiting = health.wait('a')
    const { errors } = collect({ waiting })
    clock.advance(4_999)
    waiting?.tick(clock.now())
    await Bun.sleep(0)
    expect(errors.waiting).toBeUndefined()
    clock.advance(1)
    waiting?.tick(clock.now())
    await Bun.sleep(0)
    expect(errors.waiting).toMatchObject({ code: 'overloaded', status: 503, retryAfterSeconds: 1 })
    expect(health.snapshot()).toMatchObject({ waiting: 0, inFlight: 1 })
  })

  test('ends at once when the client leaves, and takes nobody’s turn', async () => {
    const { health } = setUp(SMALL)
    const first = health.begin()
    const leaving = health.wait('a')
    const staying = health.wait('a')
    const { granted, errors } = collect({ leaving, staying })
    leaving?.abort(new GatewayError('client_closed', 'gone'))
    first.succeeded()
    await Bun.sleep(0)
    expect(errors.leaving).toMatchObject({ code: 'client_closed' })
    expect(granted.map(({ name }) => name)).toEqual(['staying'])
    // It has its turn: what is told now changes nothing.
    staying?.abort(new GatewayError('client_closed', 'gone'))
    expect(health.inFlight).toBe(1)
  })

  test('for a throttled target ends when its rate has room again', async () => {
    const { clock, health } = setUp()
    health.begin().failed(failure({ kind: 'throttled' }))
    const refusal = health.admit()
    expect(refusal?.reason).toBe('throttled')
    const waiting = health.wait('a')
    const { granted } = collect({ waiting })
    clock.advance((refusal?.retryAfterMs ?? 0) - 1)
    waiting?.tick(clock.now())
    await Bun.sleep(0)
    expect(granted).toEqual([])
    clock.advance(2)
    // There is room, but not for who comes later.
    expect(health.admit()?.reason).toBe('saturated')
    waiting?.tick(clock.now())
    await Bun.sleep(0)
    expect(granted).toHaveLength(1)
  })

  test('of many at a recovering target is drawn once a tick, not by each of them', () => {
    const clock = new VirtualClock()
    let draws = 0
    const random = () => {
      draws++
      return 0.99
    }
    const health = new TargetHealth('host/model', { now: clock.now, random })
    for (let at = 0; at < 2; at++) health.begin().failed(failure({ cause: 'unreachable' }))
    clock.advance(6_000)
    health.begin().succeeded()
    const waits = Array.from({ length: 100 }, () => health.wait('a'))
    draws = 0
    for (const waiting of waits) waiting?.tick(clock.now())
    expect(draws).toBe(1)
    for (const waiting of waits) waiting?.granted.catch(() => undefined)
  })

  test('is refused when too many wait', () => {
    const { health } = setUp({ ...SMALL, maxWaiting: 4 })
    health.begin()
    const waits = ['a', 'a', 'a', 'b', 'b', 'c', 'd'].map((key) => health.wait(key) !== undefined)
    expect(waits).toEqual([true, true, false, true, false, true, false])
  })
})

test('what is in flight is never negative, within the limit where it is asked for, and ends as 0', () => {
  const step = fc.record({
    what: fc.constantFrom('begin', 'begin', 'wait', 'firstToken', 'succeeded', 'left', 'failed'),
    failed: fc.record({
      kind: fc.constantFrom('provider', 'throttled', 'credential', 'request', 'client'),
      cause: fc.constantFrom(undefined, 'timeout', 'unreachable', 'overloaded'),
      retryAfterMs: fc.constantFrom(undefined, 0, 700, 5_000),
    }),
    afterMs: fc.integer({ min: 0, max: 1_500 }),
    which: fc.nat(),
  })
  const run = fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
    const { clock, health } = setUp({ concurrency: { min: 1, max: 3 }, maxWaiting: 4 })
    const calls: HealthCall[] = []
    const waits = new Set<WaitingCall>()
    for (const { what, failed, afterMs, which } of steps) {
      clock.advance(afterMs)
      for (const waiting of waits) waiting.tick(clock.now())
      const call = calls[which % Math.max(1, calls.length)]
      if (what === 'begin' && health.admit() === undefined) calls.push(health.begin())
      if (what === 'wait') {
        const waiting = health.wait(`key ${which % 2}`)
        if (waiting) waits.add(waiting)
        waiting?.granted.then((call) => calls.push(call)).catch(() => undefined)
      }
      // Also twice for the same one.
      if (what === 'failed') call?.failed(failed)
      else if (what === 'firstToken' || what === 'succeeded' || what === 'left') call?.[what]()
      await Promise.resolve()
      const { inFlight, limit, waiting } = health.snapshot()
      expect(inFlight).toBeGreaterThanOrEqual(0)
      expect(inFlight).toBeLessThanOrEqual(3)
      expect(limit).toBeGreaterThanOrEqual(1)
      expect(waiting).toBeLessThanOrEqual(4)
    }
    for (const waiting of waits) waiting.abort(new GatewayError('client_closed', 'gone'))
    await Bun.sleep(0)
    for (const call of calls) call.left()
    expect(health.snapshot()).toMatchObject({ inFlight: 0, waiting: 0 })
  })
  return fc.assert(run, { numRuns: 60 })
})
