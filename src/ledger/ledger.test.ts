import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import type { Limit } from '../limits/limit'
import { parseSubject } from '../limits/subject'
import type { Window } from '../limits/window'
import { Account } from './account'
import { Hold } from './ledger'

const MINUTE_MS = 60_000
const ROLLING: Window = { kind: 'rolling', durationMs: MINUTE_MS }

function createAccount(amount: number, more: Partial<Limit> = {}): Account {
  const subject = parseSubject('organization')
  if (subject === undefined) throw new Error('no subject')
  const limit: Limit = {
    ...{ id: 'budgets.0', subject, unit: 'usd', amount, window: { kind: 'once' }, overshoot: 0 },
    ...{ unknownPrice: 'refuse', alertAt: [], ...more },
  }
  return new Account('organization', limit)
}

const all = (accounts: Account[], worst: number, expected = worst) =>
  accounts.map((account) => ({ account, expected, worst }))

describe('a hold', () => {
  test('is taken in every account or in none', () => {
    const [large, small] = [createAccount(100), createAccount(10)]
    const hold = new Hold()
    expect(hold.move(all([large, small], 11), 0)).toMatchObject({ wanted: 11, room: 10 })
    expect(large.standing(0)).toMatchObject({ spent: 0, reserved: 0 })
    expect(hold.move(all([large, small], 10), 0)).toBeUndefined()
    expect(new Hold().move(all([small], 1), 0)).toMatchObject({
      account: { name: 'organization' },
      standing: { spent: 0, reserved: 10 },
    })
    hold.settle(() => 4, 0)
    expect(large.standing(0)).toMatchObject({ spent: 4, reserved: 0 })
    expect(small.standing(0)).toMatchObject({ spent: 4, reserved: 0 })
  })

  test('moves by the difference, and leaves the accounts of the old target', () => {
    const [caller, first, second] = [createAccount(10), createAccount(10), createAccount(10)]
    const hold = new Hold()
    hold.move(all([caller, first], 6), 0)
    expect(hold.move(all([caller, second], 9), 0)).toBeUndefined()
    expect(caller.standing(0).reserved).toBe(9)
    expect(first.standing(0).reserved).toBe(0)
    expect(second.standing(0).reserved).toBe(9)
    expect(hold.move(all([caller, first], 11), 0)).toMatchObject({ wanted: 2, room: 1 })
    expect(second.standing(0).reserved).toBe(9)
  })

  test('that was too small is booked in full', () => {
    const account = createAccount(10)
    const hold = new Hold()
    hold.move(all([account], 10), 0)
    const booked: number[] = []
    hold.settle(
      () => 25,
      0,
      (_, spent, overrun) => void booked.push(spent, overrun)
    )
    expect(booked).toEqual([25, 15])
    expect(new Hold().move(all([account], 1), 0)).toBeDefined()
  })

  test('may go beyond the limit by the stated overshoot, if what is expected does not', () => {
    const account = createAccount(100, { overshoot: 50 })
    expect(new Hold().move(all([account], 140, 30), 0)).toBeUndefined()
    expect(new Hold().move(all([account], 11, 1), 0)).toBeDefined()
    expect(new Hold().move(all([account], 10, 1), 0)).toBeUndefined()
  })

  test('belongs to the window in which it was taken', () => {
    const account = createAccount(10, { window: ROLLING })
    const hold = new Hold()
    hold.move(all([account], 10), 0)
    expect(new Hold().move(all([account], 1), MINUTE_MS)).toBeDefined()
    const later = 2 * MINUTE_MS
    expect(new Hold().move(all([account], 10), later)).toBeUndefined()
    hold.settle(() => 10, later)
    expect(account.standing(later)).toMatchObject({ spent: 0, reserved: 10 })
  })
})

describe('a clock that is set', () => {
  test('back does not free what was spent, nor keep it longer than a window', () => {
    const account = createAccount(10, { window: ROLLING })
    const hour = 60 * MINUTE_MS
    const hold = new Hold()
    hold.move(all([account], 6), hour)
    new Hold().move(all([account], 4), hour)
    expect(new Hold().move(all([account], 1), 0)).toBeDefined()
    hold.settle(() => 6, 1_000)
    expect(account.standing(1_000)).toMatchObject({ spent: 6, reserved: 4 })
    expect(account.standing(2 * MINUTE_MS)).toMatchObject({ spent: 0, reserved: 0 })
  })

  test('forth forgets what is over', () => {
    const account = createAccount(10, { window: ROLLING })
    const hold = new Hold()
    hold.move(all([account], 10), 0)
    hold.settle(() => 10, 0)
    expect(new Hold().move(all([account], 10), 5 * MINUTE_MS)).toBeUndefined()
  })
})

describe('whatever happens in whatever order', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('hold' as const), worst: fc.nat(40), at: fc.nat(4) }),
    fc.record({ do: fc.constant('move' as const), worst: fc.nat(40), at: fc.nat(4) }),
    fc.record({
      do: fc.constant('settle' as const),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    fc.record({ do: fc.constant('release' as const) }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.nat(30_000) })
  )

  test('no window spends more than its limit, and nothing stays held', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        let nowMs = 1_000_000
        const accounts = [100, 60, 50, 40].map((amount) =>
          createAccount(amount, { window: ROLLING })
        )
        const spent: { atMs: number; amount: number; on: Account[] }[] = []
        const holds: { hold: Hold; worst: number; on: Account[]; atMs: number }[] = []
        for (const next of steps) {
          if (next.do === 'wait') nowMs += next.ms
          if (next.do === 'hold') {
            const on = accounts.slice(0, next.at)
            const hold = new Hold()
            if (hold.move(all(on, next.worst), nowMs) === undefined)
              holds.push({ hold, worst: next.worst, on, atMs: nowMs })
          }
          if (next.do === 'move' && holds[0]) {
            const on = accounts.slice(0, next.at)
            const moved = holds[0].hold.move(all(on, next.worst), nowMs) === undefined
            if (moved) Object.assign(holds[0], { worst: next.worst, on })
          }
          if (next.do === 'settle') {
            const held = holds.shift()
            const amount = Math.floor((held?.worst ?? 0) * next.part)
            held?.hold.settle(() => amount, nowMs)
            // What moved onto an account later counts from then; not before its request came.
            if (held) spent.push({ atMs: held.atMs, amount, on: held.on })
          }
          if (next.do === 'release') holds.shift()?.hold.release()
          for (const account of accounts) {
            const { spent: counted, reserved } = account.standing(nowMs)
            expect(counted).toBeGreaterThanOrEqual(0)
            expect(reserved).toBeGreaterThanOrEqual(0)
            expect(counted + reserved).toBeLessThanOrEqual(account.limit.amount)
            const inSpan = spent.filter(
              ({ atMs, on }) => on.includes(account) && nowMs - atMs < MINUTE_MS
            )
            const sum = inSpan.reduce((total, { amount }) => total + amount, 0)
            expect(sum).toBeLessThanOrEqual(counted)
          }
        }
        for (const { hold } of holds) hold.release()
        for (const account of accounts) expect(account.standing(nowMs).reserved).toBe(0)
      })
    )
  })
})
