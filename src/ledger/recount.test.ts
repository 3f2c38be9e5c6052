import { expect, test } from 'bun:test'
import type { CountedEntry } from '../db/ledger-reader'
import { toCheckpointLimit } from '../limits/checkpoint-limit'
import { toLimits } from '../limits/from-configuration'
import { Account, type Spent } from './account'
import { recount } from './recount'

const NOW_MS = 1_800_000_000_000
const HOUR_MS = 3_600_000

const LIMITS = toLimits(
  [
    {
      ...{ subject: 'organization', windowText: '12h', limitUsd: 1, overshootUsd: 0, alertAt: [] },
      ...{ reset: 'rolling', timezone: 'UTC', weekStart: 'monday', unknownPrice: 'allow' },
    },
  ],
  []
)

const entry = (sequence: number, admittedAtMs: number, costNanoUsd: number): CountedEntry => ({
  ...{ sequence, kind: 'request', admittedAtMs, organization: 'default', team: null, keyId: null },
  ...{ keyName: null, user: null, session: null, tags: null, provider: null, model: null },
  ...{ credential: null, costNanoUsd, heldNanoUsd: null, inputTokens: 0, outputTokens: 0 },
  provenance: 'computed',
})

function differencesOf(stretches: Spent, entries: readonly CountedEntry[]) {
  const [limit] = LIMITS
  if (limit === undefined) throw new Error('there is no limit')
  const row = { limitId: limit.id, name: '', through: 9, endsAtMs: null }
  return recount({
    limits: LIMITS.map(toCheckpointLimit),
    counters: [{ ...row, stretches: JSON.stringify(stretches) }],
    entries,
  }).differences
}

test('a counter of which the clock was set back agrees with its entries, and no other sum does', () => {
  const [limit] = LIMITS
  if (limit === undefined) throw new Error('there is no limit')
  const account = new Account('organization', limit)
  const book = (atMs: number, amount: number) => {
    account.advance(atMs)
    account.book(account.present(), amount)
  }
  book(NOW_MS, 5)
  book(NOW_MS + 5 * HOUR_MS, 7)
  book(NOW_MS + 2 * HOUR_MS, 11)
  const entries = [
    entry(1, NOW_MS, 5),
    entry(2, NOW_MS + 5 * HOUR_MS, 7),
    entry(3, NOW_MS + 2 * HOUR_MS, 11),
  ]
  const stretches = account.takeSpent()
  expect(differencesOf(stretches, entries)).toEqual([])
  expect(differencesOf(stretches, entries.slice(0, 2))).toMatchObject([
    { counted: 18, recounted: 0 },
  ])
  expect(differencesOf(stretches, [...entries, entry(4, NOW_MS + HOUR_MS, 1)])).toHaveLength(1)
})
