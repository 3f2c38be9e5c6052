import { describe, expect, test } from 'bun:test'
import type { CredentialFault } from './credential-fault'
import { type BenchEvent, CredentialPool, type PooledCredential } from './credential-pool'
import { providerConfiguration } from './fixtures/configuration'
import { createProvider } from './provider'

type Given = { name: string; weight?: number; models?: string[]; key?: string }

const WANTED = { model: 'm', clientModel: 'm', mayUse: undefined }
const MINUTE_MS = 60_000

/** A pool whose clock stands until it is moved, and whose chance is a row of numbers that repeats. */
function start(
  given: readonly Given[],
  options: { chances?: number[]; previous?: CredentialPool } = {}
) {
  const clock = { nowMs: 1_000_000 }
  const events: BenchEvent[] = []
  const { chances = [0] } = options
  let drawn = 0
  const reached = given.map(({ name, weight = 1, models = [], key = `sk-${name}` }) => {
    const provider = providerConfiguration({ name: 'host', apiKey: key })
    const configuration = { name, weight, models, provider }
    return { configuration, provider: createProvider(provider) }
  })
  const pool = new CredentialPool(
    'host',
    reached,
    {
      random: () => chances[drawn++ % chances.length] ?? 0,
      now: () => clock.nowMs,
      onBench: (event) => events.push(event),
    },
    options.previous
  )
  return { pool, clock, events }
}

const A_AND_B = [{ name: 'a' }, { name: 'b' }]

function nameOf(credential: PooledCredential | undefined): string | undefined {
  return credential?.configuration.name
}

/** What is picked when each is excluded that was picked before. */
function namesOf(pool: CredentialPool, wanted = WANTED): (string | undefined)[] {
  const tried: PooledCredential[] = []
  for (;;) {
    const picked = pool.pick(wanted, tried)
    if (picked === undefined) return tried.map(nameOf)
    tried.push(picked)
  }
}

function fail(pool: CredentialPool, name: string, fault: CredentialFault, model = 'm'): void {
  const credential = pool.credentials.find((each) => nameOf(each) === name)
  if (credential) pool.fail(credential, model, fault)
}

const throttled = (retryAfterMs?: number): CredentialFault => ({ kind: 'throttled', retryAfterMs })
const REFUSED: CredentialFault = { kind: 'refused' }

describe('pick', () => {
  test('goes by weight', () => {
    const chances = Array.from({ length: 100 }, (_, at) => at / 100)
    const { pool } = start([{ name: 'a', weight: 3 }, { name: 'b' }], { chances })
    const picked = chances.map(() => nameOf(pool.pick(WANTED)))
    expect(picked.filter((name) => name === 'a')).toHaveLength(75)
    expect(picked.filter((name) => name === 'b')).toHaveLength(25)
  })

  test('leaves out what was tried, what is for other models and what the caller may not use', () => {
    const { pool } = start([...A_AND_B, { name: 'c', models: ['gpt-*', 'arn:*'] }])
    expect(namesOf(pool)).toEqual(['a', 'b'])
    expect(namesOf(pool, { ...WANTED, clientModel: 'gpt-5' })).toEqual(['a', 'b', 'c'])
    expect(namesOf(pool, { ...WANTED, model: 'arn:x' })).toEqual(['a', 'b', 'c'])
    const mayUse = (name: string) => name !== 'a'
    expect(pool.pick({ ...WANTED, mayUse })?.configuration.name).toBe('b')
  })

  test('gives nothing where nothing fits, and says why', () => {
    const { pool } = start([{ name: 'a', models: ['gpt-*'] }])
    expect(pool.pick(WANTED)).toBeUndefined()
    expect(pool.explain(WANTED)).toMatchObject({ code: 'model_not_found', status: 404 })
    const wanted = { ...WANTED, clientModel: 'gpt-5', mayUse: () => false }
    expect(pool.pick(wanted)).toBeUndefined()
    expect(pool.explain(wanted)).toMatchObject({ code: 'model_not_allowed', status: 403 })
  })
})

describe('a credential that is throttled', () => {
  test.each([
    ['as long as the host asks for', 7_000, 7_000],
    ['a second where it asks for nothing', undefined, 1_000],
    ['five minutes at most', 86_400_000, 5 * MINUTE_MS],
  ])('cools down %s', (_, askedMs, coolMs) => {
    const { pool, clock } = start(A_AND_B)
    fail(pool, 'a', throttled(askedMs))
    clock.nowMs += coolMs - 1
    expect(namesOf(pool)).toEqual(['b'])
    clock.nowMs += 1
    expect(namesOf(pool)).toEqual(['a', 'b'])
  })

  test('serves other models still, and is not talked back by a success', () => {
    const { pool } = start(A_AND_B)
    fail(pool, 'a', throttled(5_000))
    expect(namesOf(pool, { ...WANTED, model: 'other' })).toEqual(['a', 'b'])
    const [a] = pool.credentials
    if (a) pool.succeed(a, 'm')
    expect(namesOf(pool)).toEqual(['b'])
  })

  test('is told of with the time until the first is back', () => {
    const { pool } = start([...A_AND_B, { name: 'c' }])
    fail(pool, 'a', throttled(30_000))
    fail(pool, 'b', throttled(4_200))
    fail(pool, 'c', REFUSED)
    expect(pool.pick(WANTED)).toBeUndefined()
    expect(pool.explain(WANTED)).toMatchObject({ status: 429, retryAfterSeconds: 5 })
  })

  test('costs no more memory, however many models it is', () => {
    const { pool } = start(A_AND_B)
    fail(pool, 'a', REFUSED)
    for (let model = 0; model < 1_000; model++) fail(pool, 'a', throttled(), `model-${model}`)
    // What is forgotten are models, not what keeps it from all of them.
    expect(namesOf(pool)).toEqual(['b'])
  })
})

describe('a credential that is refused', () => {
  test('comes to the bench for longer and longer, told once each time, and back by a success', () => {
    const { pool, clock, events } = start(A_AND_B)
    const minutes: number[] = []
    for (let round = 0; round < 9; round++) {
      expect(nameOf(pool.pick(WANTED))).toBe('a')
      // All that were under way with it are refused.
      for (let again = 0; again < 5; again++) fail(pool, 'a', REFUSED)
      expect(namesOf(pool)).toEqual(['b'])
      expect(events).toHaveLength(round + 1)
      const forMs = events.at(-1)?.forMs ?? 0
      minutes.push(forMs / MINUTE_MS)
      clock.nowMs += forMs
    }
    expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
    const a = pool.pick(WANTED)
    if (a) pool.succeed(a, 'm')
    expect(namesOf(pool)).toEqual(['a', 'b'])
    fail(pool, 'a', REFUSED)
    expect(events.at(-1)).toEqual({
      ...{ provider: 'host', credential: 'a', model: undefined },
      ...{ fault: 'refused', forMs: MINUTE_MS },
    })
  })

  test('is tried by one request at first when it comes back', () => {
    const { pool, clock } = start(A_AND_B)
    fail(pool, 'a', REFUSED)
    clock.nowMs += MINUTE_MS
    expect([1, 2, 3].map(() => nameOf(pool.pick(WANTED)))).toEqual(['a', 'b', 'b'])
    // That one learned nothing: another may.
    clock.nowMs += 2_000
    expect(nameOf(pool.pick(WANTED))).toBe('a')
  })

  test('for one model serves the others', () => {
    const { pool, events } = start(A_AND_B)
    fail(pool, 'a', { kind: 'forbidden' })
    expect(namesOf(pool)).toEqual(['b'])
    expect(namesOf(pool, { ...WANTED, model: 'other' })).toEqual(['a', 'b'])
    expect(events).toMatchObject([{ credential: 'a', model: 'm', fault: 'forbidden' }])
  })

  test('like all the others leaves the error of one', () => {
    const { pool } = start(A_AND_B)
    fail(pool, 'a', REFUSED)
    fail(pool, 'b', { kind: 'unpaid' })
    expect(pool.explain(WANTED)).toMatchObject({ code: 'upstream_unauthorized', status: 502 })
  })

  test('whose token can not be had is tried again soon, and is no case for a warning', () => {
    const { pool, clock, events } = start(A_AND_B)
    fail(pool, 'a', { kind: 'unobtainable' })
    expect(namesOf(pool)).toEqual(['b'])
    clock.nowMs += 5_000
    expect(namesOf(pool)).toEqual(['a', 'b'])
    expect(events).toEqual([])
  })
})

describe('after a reload', () => {
  test('goes on cooling who kept its name and secret, and comes back from the bench', () => {
    const { pool: previous } = start([...A_AND_B, { name: 'c' }, { name: 'd' }])
    for (const name of ['a', 'b', 'c']) fail(previous, name, throttled(MINUTE_MS))
    fail(previous, 'd', REFUSED)
    const given = [
      { name: 'd' },
      { name: 'b', key: 'sk-new' },
      { name: 'a' },
      { name: 'e', key: 'sk-c' },
    ]
    const { pool } = start(given, { previous })
    expect(namesOf(pool)).toEqual(['d', 'b', 'e'])
  })

  test('learns from requests that began before it', () => {
    const { pool: previous } = start(A_AND_B)
    const { pool } = start(A_AND_B, { previous })
    fail(previous, 'a', REFUSED)
    expect(namesOf(pool)).toEqual(['b'])
  })
})
