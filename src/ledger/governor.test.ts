import { describe, expect, test } from 'bun:test'
import type { Limit } from '../limits/limit'
import { type Dimensions, parseSubject } from '../limits/subject'
import type { ModelCard } from '../models/model-card'
import { AccountBook } from './account-book'
import { Governor } from './governor'
import type { GovernorEvent } from './tell-budgets'

const CARD: ModelCard = {
  ...{ provider: 'openai', model: 'm', kind: 'chat', contextTokens: 8_000, maxOutputTokens: 100 },
  ...{ abilities: undefined, price: { rates: { input: 1_000, output: 2_000 } }, origin: 'list' },
}
const TARGET = { provider: 'openai', model: 'openai/m', card: CARD }
/** Worst: 10 tokens in at 1, 20 out at 2 nano-USD. */
const SIZE = {
  ...{ inputTokens: 10, outputLimit: 20, choices: 1, hasOutput: true, searches: 0 },
  serviceTier: undefined,
}
const ANYONE: Dimensions = {
  ...{ organization: 'default', team: 'red', key: 'app', keyId: 'id-1', user: 'u', tags: [] },
  session: undefined,
}

function createLimit(subject: string, more: Partial<Limit>): Limit {
  const parsed = parseSubject(subject)
  if (parsed === undefined) throw new Error(`${subject} is no subject`)
  return {
    ...{ id: `${subject} ${more.unit ?? 'usd'}`, subject: parsed, unit: 'usd', amount: 50 },
    ...{ window: { kind: 'once' }, overshoot: 0, unknownPrice: 'refuse', alertAt: [], ...more },
  }
}

function govern(...limits: Limit[]) {
  const events: GovernorEvent[] = []
  const book = new AccountBook(limits)
  const onEvent = (event: GovernorEvent) => void events.push(event)
  const clock = { nowMs: 0 }
  const governor = new Governor({ book, now: () => clock.nowMs, onEvent, alertAt: () => [0.5, 1] })
  const standings = () =>
    [...book.accounts()].map((account) => {
      const { spent, reserved } = account.standing(0)
      return [account.name, spent, reserved]
    })
  return { governor, book, events, standings, clock }
}

describe('a request', () => {
  test('is held at its worst for each attempt, and settled at what it cost', () => {
    const { governor, standings } = govern(createLimit('organization', {}))
    const grant = governor.admit({ of: ANYONE, own: [] })
    expect(grant.reserve(TARGET, SIZE)).toMatchObject({
      kind: 'held',
      worst: { inputTokens: 10, outputTokens: 20, costNanoUsd: 50 },
    })
    expect(standings()).toEqual([['organization', 0, 50]])
    grant.settle({ costNanoUsd: 31, inputTokens: 9, outputTokens: 11 })
    grant.leave()
    expect(standings()).toEqual([['organization', 31, 0]])
  })

  test('is refused by a limit of its caller, in words that say how to go on', () => {
    const { governor } = govern(createLimit('key/app', { amount: 49 }))
    const reservation = governor.admit({ of: ANYONE, own: [] }).reserve(TARGET, SIZE)
    expect(reservation).toMatchObject({
      kind: 'refused',
      error: { code: 'insufficient_quota', status: 429, shouldRetry: false },
    })
    const message = reservation.kind === 'refused' ? reservation.error.message : ''
    expect(message).toContain('key/app may use 0.000000049 USD')
    expect(message).toContain('at most 19 tokens (max_tokens) would fit')
  })

  test('holds two attempts at once, each of which is settled by itself', () => {
    const { governor, standings } = govern(
      createLimit('organization', { amount: 100 }),
      createLimit('organization', { unit: 'requests', amount: 9 }),
      createLimit('provider/openai', { unit: 'requests', amount: 9 })
    )
    const grant = governor.admit({ of: ANYONE, own: [] })
    grant.reserve(TARGET, SIZE)
    const second = grant.fork()
    expect(second.reserve(TARGET, SIZE).kind).toBe('held')
    expect(grant.fork().reserve(TARGET, SIZE).kind).toBe('refused')
    grant.exchange(second)
    second.settle({ costNanoUsd: 10, inputTokens: 10, outputTokens: 0 })
    expect(standings()).toContainEqual(['organization', 10, 50])
    grant.settle({ costNanoUsd: 31, inputTokens: 9, outputTokens: 11 })
    grant.leave()
    expect(standings().sort()).toEqual([
      ['organization', 1, 0],
      ['organization', 41, 0],
      ['provider/openai', 2, 0],
    ])
  })

  test('passes a target by that has no room of its own', () => {
    const { governor } = govern(createLimit('provider/openai', { amount: 49 }))
    const grant = governor.admit({ of: ANYONE, own: [] })
    expect(grant.reserve(TARGET, SIZE).kind).toBe('skipped')
    const other = { ...TARGET, provider: 'azure', model: 'azure/m' }
    expect(grant.reserve(other, SIZE).kind).toBe('held')
  })

  test('needs a price where money is counted, unless its budget says otherwise', () => {
    const priceless = { ...TARGET, card: undefined }
    const held = (unknownPrice: Limit['unknownPrice']) => {
      const { governor, standings } = govern(createLimit('organization', { unknownPrice }))
      const grant = governor.admit({ of: ANYONE, own: [] })
      const { kind } = grant.reserve(priceless, SIZE)
      grant.settle({ costNanoUsd: undefined, inputTokens: 1, outputTokens: 1 })
      return [kind, standings()[0]?.[1]]
    }
    expect(held('refuse')).toEqual(['skipped', 0])
    expect(held('allow')).toEqual(['held', 0])
    expect(held(7)).toEqual(['held', 7])
  })

  test('counts as it comes, and is in flight until it ends', () => {
    const { governor, standings } = govern(
      createLimit('key/*', { unit: 'requests', amount: 2 }),
      createLimit('user/*', { unit: 'in_flight', amount: 1 })
    )
    const first = governor.admit({ of: ANYONE, own: [] })
    expect(() => governor.admit({ of: ANYONE, own: [] })).toThrow('too much at once')
    first.leave()
    first.leave()
    first.settle()
    const second = governor.admit({ of: ANYONE, own: [] })
    second.leave()
    expect(standings()).toEqual([
      ['key/* id-1', 1, 1],
      ['user/* u', 0, 0],
    ])
    second.settle()
    expect(standings()).toEqual([
      ['key/* id-1', 2, 0],
      ['user/* u', 0, 0],
    ])
    expect(() => governor.admit({ of: ANYONE, own: [] })).toThrow('2 requests')
    governor.admit({ of: { ...ANYONE, keyId: 'id-2', user: 'v' }, own: [] }).leave()
  })

  test('meets limits of its own key as any other', () => {
    const { governor, standings } = govern()
    const own = [{ limit: createLimit('key/*', { amount: 60 }), name: 'key/id-1' }]
    const grant = governor.admit({ of: ANYONE, own })
    expect(grant.reserve(TARGET, SIZE).kind).toBe('held')
    expect(governor.admit({ of: ANYONE, own }).reserve(TARGET, SIZE).kind).toBe('refused')
    expect(standings()).toEqual([['key/* key/id-1', 0, 50]])
  })
})

describe('what is told', () => {
  test('is each threshold once, and what went beyond its hold', () => {
    const { governor, events } = govern(createLimit('organization', { alertAt: [0.5, 1] }))
    const spend = (costNanoUsd: number) => {
      const grant = governor.admit({ of: ANYONE, own: [] })
      grant.reserve(TARGET, { ...SIZE, inputTokens: 1, outputLimit: 1 })
      grant.settle({ costNanoUsd, inputTokens: 1, outputTokens: 1 })
    }
    spend(3)
    expect(events).toEqual([])
    spend(40)
    expect(events).toMatchObject([
      { kind: 'overrun', overrun: 37 },
      { kind: 'threshold', at: 0.5, spent: 43 },
    ])
    spend(3)
    expect(events).toHaveLength(2)
  })

  test('is told again in the next window, and of another amount', () => {
    const rolling = { window: { kind: 'rolling', durationMs: 60_000 }, alertAt: undefined } as const
    const { governor, book, events, clock } = govern(createLimit('organization', rolling))
    const spend = () => {
      const grant = governor.admit({ of: ANYONE, own: [] })
      expect(grant.reserve(TARGET, SIZE).kind).toBe('held')
      grant.settle({ costNanoUsd: 25, inputTokens: 1, outputTokens: 1 })
    }
    spend()
    governor.review()
    expect(events).toMatchObject([{ kind: 'threshold', at: 0.5, mark: { untilMs: 60_000 } }])
    clock.nowMs = 59_999
    governor.review()
    expect(events).toHaveLength(1)
    clock.nowMs = 130_000
    spend()
    expect(events).toHaveLength(2)
    book.configure([createLimit('organization', { ...rolling, amount: 40 })])
    governor.review()
    expect(events).toHaveLength(3)
  })

  test('is the first refusal of a budget, but not that of a request beyond any budget', () => {
    const { governor, events } = govern(createLimit('organization', {}))
    const ask = (outputLimit: number) => {
      const grant = governor.admit({ of: ANYONE, own: [] })
      return grant.reserve(TARGET, { ...SIZE, outputLimit }).kind
    }
    expect(ask(21)).toBe('refused')
    expect(events).toEqual([])
    expect(ask(20)).toBe('held')
    expect([ask(20), ask(20)]).toEqual(['refused', 'refused'])
    expect(events).toMatchObject([{ kind: 'exceeded', wanted: 50 }])
  })
})

describe('a budget that may be overshot', () => {
  test('goes by what requests have cost, once some have', () => {
    const overshot = createLimit('organization', { amount: 500, overshoot: 1_000 })
    const { governor } = govern(overshot)
    const held = () => {
      const grants = []
      for (;;) {
        const grant = governor.admit({ of: ANYONE, own: [] })
        if (grant.reserve(TARGET, SIZE).kind !== 'held') return grants
        grants.push(grant)
      }
    }
    const first = held()
    // Ten of 50 are all that is known to fit.
    expect(first).toHaveLength(10)
    for (const grant of first) grant.settle({ costNanoUsd: 5, inputTokens: 1, outputTokens: 1 })
    // Now the sum of worst cases is what stops them: 50 spent, 29 x 50 held.
    expect(held()).toHaveLength(29)
  })
})

describe('a limit with another amount for a time', () => {
  test('has its own again when that has ended', () => {
    let nowMs = 0
    const override = { amount: 100, untilMs: 1_000 }
    const book = new AccountBook([createLimit('organization', { override })])
    const governor = new Governor({ book, now: () => nowMs, onEvent() {} })
    const ask = () => governor.admit({ of: ANYONE, own: [] }).reserve(TARGET, SIZE)
    expect([ask().kind, ask().kind]).toEqual(['held', 'held'])
    expect(ask()).toMatchObject({
      kind: 'refused',
      error: { message: expect.stringContaining('organization may use 0.0000001 USD') },
    })
    nowMs = 1_000
    expect(ask()).toMatchObject({
      kind: 'refused',
      error: { message: expect.stringContaining('organization may use 0.00000005 USD') },
    })
  })
})

describe('limits that change', () => {
  test('keep what was counted, and refuse below it', () => {
    const { governor, book, standings } = govern(createLimit('organization', {}))
    const grant = governor.admit({ of: ANYONE, own: [] })
    grant.reserve(TARGET, SIZE)
    grant.settle({ costNanoUsd: 40, inputTokens: 1, outputTokens: 1 })
    book.configure([createLimit('organization', { amount: 30 })])
    const refused = governor.admit({ of: ANYONE, own: [] }).reserve(TARGET, SIZE)
    expect(refused.kind).toBe('refused')
    book.configure([createLimit('organization', { amount: 90 })])
    expect(governor.admit({ of: ANYONE, own: [] }).reserve(TARGET, SIZE).kind).toBe('held')
    expect(standings()).toEqual([['organization', 40, 50]])
  })
})

describe('what is left of a budget', () => {
  const usd = (amount: number, id: string) => ({ amount: amount * 1e9, id })

  test('is that of the tightest one of exactly the subject', () => {
    const { governor } = govern(
      createLimit('organization', usd(1, 'a')),
      createLimit('team/red', usd(9, 'b')),
      createLimit('team/*', usd(5, 'c')),
      createLimit('team/red', { ...usd(2, 'd'), unit: 'requests' }),
      createLimit('team/red+model/openai/m', usd(3, 'e'))
    )
    expect(governor.budgetRemaining('team/red')).toBe(5)
    expect(governor.budgetRemaining('team/blue')).toBe(5)
    expect(governor.budgetRemaining('organization')).toBe(1)
    expect(governor.budgetRemaining('key/app')).toBeUndefined()
    expect(governor.budgetRemaining('team/*')).toBeUndefined()
    expect(governor.budgetRemaining('nonsense')).toBeUndefined()
  })

  test('falls with what is spent and held, and counts budgets of the caller', () => {
    const own = [{ limit: createLimit('key/app', usd(0.5, 'own')), name: 'key/id-1' }]
    const { governor } = govern(createLimit('team/red', usd(1, 'a')))
    const card = { ...CARD, price: { rates: { input: 1e9, output: 2e9 } } }
    const grant = governor.admit({ of: ANYONE, own })
    grant.reserve({ ...TARGET, card }, SIZE)
    expect(governor.budgetRemaining('team/red')).toBe(0.95)
    expect(governor.budgetRemaining('key/app', own)).toBe(0.45)
    grant.settle({ costNanoUsd: 100_000_000, inputTokens: 9, outputTokens: 11 })
    expect(governor.budgetRemaining('team/red')).toBe(0.9)
  })
})
