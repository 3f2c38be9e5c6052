import { describe, expect, test } from 'bun:test'
import { GatewayError } from '../../errors/gateway-error'
import { type FetchedCredential, KeptCredential } from './kept-credential'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

type State = {
  now: number
  asked: number
  lifeMs: number | undefined
  give: () => Promise<FetchedCredential<number>>
}

/** A giver that hands out 1, 2, 3 …, and a clock that stands still until it is moved. */
function setUp(lifeMs = HOUR_MS) {
  const state: State = {
    now: 0,
    asked: 0,
    lifeMs,
    give: async () => ({ value: state.asked, lifeMs: state.lifeMs }),
  }
  const kept = new KeptCredential<number>({
    noun: 'a token',
    secrets: ['hunter2'],
    clock: () => state.now,
    deadlineMs: 100,
    attemptMs: 100,
    pauseMs: 1,
    obtain: () => {
      state.asked++
      return state.give()
    },
  })
  return { state, kept }
}

const failing = async () => {
  throw new Error('gone')
}

describe('kept credential', () => {
  test('a crowd that finds none causes one fetch, and then gets it without waiting', async () => {
    const { state, kept } = setUp()
    const crowd = await Promise.all(Array.from({ length: 50 }, () => kept.current()))
    expect(new Set(crowd)).toEqual(new Set([1]))
    expect(kept.current()).toBe(1)
    expect(state.asked).toBe(1)
  })

  test.each([
    { life: 'an hour', lifeMs: HOUR_MS, before: 54 * MINUTE_MS, after: 55 * MINUTE_MS },
    { life: 'ten minutes', lifeMs: 10 * MINUTE_MS, before: 7.9 * MINUTE_MS, after: 8 * MINUTE_MS },
    { life: 'five seconds', lifeMs: 5_000, before: 3_900, after: 4_000 },
  ])('one of $life is renewed ahead of its end, while it serves', async (times) => {
    const { state, kept } = setUp(times.lifeMs)
    await kept.current()
    state.now = times.before
    expect(kept.current()).toBe(1)
    expect(state.asked).toBe(1)
    state.now = times.after
    expect(kept.current()).toBe(1)
    expect(state.asked).toBe(2)
    await Bun.sleep(1)
    expect(kept.current()).toBe(2)
  })

  test('one without an end is never asked for again', async () => {
    const { state, kept } = setUp()
    state.lifeMs = undefined
    await kept.current()
    state.now = 1000 * HOUR_MS
    expect(kept.current()).toBe(1)
    expect(state.asked).toBe(1)
  })

  test('one that seems to have ended before it came is used: the clock is what is wrong', async () => {
    const { state, kept } = setUp(-20 * MINUTE_MS)
    expect(await kept.current()).toBe(1)
    expect(kept.current()).toBe(1)
    expect(state.asked).toBe(1)
  })

  test('a renewal that fails leaves the old one to its end and is tried again with pauses', async () => {
    const { state, kept } = setUp()
    await kept.current()
    const give = state.give
    state.give = failing
    state.now = 55 * MINUTE_MS
    expect(kept.current()).toBe(1)
    await Bun.sleep(20)
    const askedOnce = state.asked
    expect(kept.current()).toBe(1)
    expect(state.asked).toBe(askedOnce)
    state.give = give
    state.now += 2_000
    expect(kept.current()).toBe(1)
    await Bun.sleep(1)
    expect(kept.current()).toBe(askedOnce + 1)
  })

  test('past its end nobody gets it, and who waits gets the next one', async () => {
    const { state, kept } = setUp()
    await kept.current()
    state.now = HOUR_MS
    expect(await kept.current()).toBe(2)
  })

  test('a refused one is replaced once, however many say so', async () => {
    const { state, kept } = setUp()
    await kept.current()
    for (let i = 0; i < 50; i++) kept.refused()
    const crowd = await Promise.all(Array.from({ length: 50 }, () => kept.current()))
    expect(new Set(crowd)).toEqual(new Set([2]))
    kept.refused()
    expect(kept.current()).toBe(2)
    state.now += 5_000
    kept.refused()
    expect(await kept.current()).toBe(3)
  })

  test('a refusal of an earlier one says nothing about the one at hand', async () => {
    const { kept } = setUp()
    await kept.current()
    kept.refused((value) => value === 0)
    expect(kept.current()).toBe(1)
  })

  test('a refused one still serves where no other can be had', async () => {
    const { state, kept } = setUp()
    await kept.current()
    state.give = failing
    kept.refused()
    expect(await kept.current()).toBe(1)
  })

  test('none to be had: all who wait are told, and the giver is left alone for a moment', async () => {
    const { state, kept } = setUp()
    state.give = failing
    const crowd = await Promise.allSettled(Array.from({ length: 50 }, () => kept.current()))
    expect(crowd.every(({ status }) => status === 'rejected')).toBe(true)
    const { asked } = state
    expect(asked).toBeLessThanOrEqual(3)
    await expect(kept.current()).rejects.toMatchObject({
      code: 'upstream_unauthorized',
      detail: 'Error: gone',
    })
    expect(state.asked).toBe(asked)
    state.now += 1_000
    state.give = async () => ({ value: 7, lifeMs: HOUR_MS })
    expect(await kept.current()).toBe(7)
  })

  test('a giver that hangs is given up at the deadline', async () => {
    const { state, kept } = setUp()
    state.give = () => new Promise(() => undefined)
    await expect(kept.current()).rejects.toMatchObject({ code: 'upstream_unauthorized' })
  })

  test('no secret gets into an error', async () => {
    const { state, kept } = setUp()
    state.give = async () => {
      throw new Error('apikey=hunter2 is wrong', { cause: 'hunter2' })
    }
    const error = await Promise.resolve(kept.current()).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(GatewayError)
    expect(Bun.inspect(error)).not.toContain('hunter2')
    expect(Bun.inspect(error)).toContain('apikey=[secret] is wrong')
  })

  test('closed, it gives none', async () => {
    const { kept } = setUp()
    await kept.current()
    kept.close()
    await expect(kept.current()).rejects.toMatchObject({ code: 'upstream_unauthorized' })
  })
})
