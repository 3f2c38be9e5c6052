import { expect, test } from 'bun:test'
import { createCorrectionWriter, type RequestTruth } from '../db/ledger-corrections'
import { createLedgerReader } from '../db/ledger-reader'
import { openSqlite } from '../db/open'
import { toLimits } from '../limits/from-configuration'
import { makeDataDirectory, openImporter } from '../telemetry/fixtures/log-directory'
import { beginRecord, endRecord } from '../telemetry/fixtures/records'
import { createJournal } from '../telemetry/journal'
import type { BeginRecord, EndRecord } from '../telemetry/records'
import { AccountBook } from './account-book'
import { restoreAccounts } from './restore'

const NOW_MS = 1_800_000_000_000
const PRICE = { tier: undefined, aboveInputTokens: undefined, priceOrigin: undefined, lines: [] }

const style = { reset: 'rolling', timezone: 'UTC', weekStart: 'monday' } as const
const LIMITS = toLimits(
  [
    {
      ...{ subject: 'organization', windowText: '1h', limitUsd: 1, overshootUsd: 0, alertAt: [] },
      ...{ ...style, unknownPrice: 7e-7 },
    },
  ],
  [
    {
      ...{ subject: 'organization', windowText: '1h', ...style },
      amounts: { requests: 100, tokens: 100_000, input_tokens: 100_000 },
    },
  ]
)

/** What a start counts after one request and these corrections of it, a line each limit. */
function countAfter(
  begin: Partial<BeginRecord>,
  end: Partial<EndRecord>,
  ...truths: Omit<RequestTruth, 'requestId' | 'reason'>[]
): Record<string, number> {
  const directory = makeDataDirectory()
  const journal = createJournal({ directory: directory.journalPath, epochNow: () => NOW_MS })
  const requestId = Bun.randomUUIDv7()
  journal.append(beginRecord(requestId, { admittedAtMs: NOW_MS - 1_000, ...begin }))
  journal.append(endRecord(requestId, end))
  journal.close()
  const importer = openImporter(directory, Number.MAX_SAFE_INTEGER)
  importer.importAll()
  importer.close()
  const database = openSqlite(directory.logPath)
  const corrections = createCorrectionWriter(database)
  for (const truth of truths)
    expect(corrections.correct({ ...truth, requestId, reason: 'bill' }).kind).toBe('corrected')
  const book = new AccountBook(LIMITS)
  restoreAccounts({
    ...{ book, checkpoint: undefined, limits: LIMITS, ownOf: () => [], nowMs: NOW_MS },
    counters: { isMany: () => false, of: () => [], one: () => undefined },
    entries: createLedgerReader(database),
  })
  database.close()
  return Object.fromEntries(
    [...book.accounts()].map((account) => [account.limit.unit, account.standing(NOW_MS).spent])
  )
}

const unknown = (held: number | null) =>
  [
    { held: { model: 'local/small', costNanoUsd: held ?? undefined } },
    { cost: { ...PRICE, costNanoUsd: undefined, provenance: 'unknown' } },
  ] as const

test('a correction counts money and tokens, but is no request', () => {
  const cost = { ...PRICE, costNanoUsd: 5_000, provenance: 'computed' as const }
  expect(countAfter({}, { cost })).toEqual({
    ...{ usd: 5_000, requests: 1, tokens: 13, input_tokens: 9 },
  })
  expect(countAfter({}, { cost }, { costNanoUsd: 2_000, inputTokens: 4 })).toEqual({
    ...{ usd: 2_000, requests: 1, tokens: 8, input_tokens: 4 },
  })
  expect(countAfter({}, { cost }, { costNanoUsd: 2_000 }, { costNanoUsd: 9_000 }).usd).toBe(9_000)
})

test('of a request whose cost was unknown, what was held no longer counts', () => {
  expect(countAfter(...unknown(900)).usd).toBe(900)
  expect(countAfter(...unknown(900), { costNanoUsd: 2_000 }).usd).toBe(2_000)
  const twice = [{ costNanoUsd: 2_000 }, { costNanoUsd: 100 }]
  expect(countAfter(...unknown(900), ...twice).usd).toBe(100)
})

test('of a request whose price was unknown, what stands in for it no longer counts', () => {
  expect(countAfter(...unknown(null)).usd).toBe(700)
  expect(countAfter(...unknown(null), { costNanoUsd: 2_000 }).usd).toBe(2_000)
  const twice = [{ costNanoUsd: 2_000 }, { costNanoUsd: 0 }]
  expect(countAfter(...unknown(null), ...twice).usd).toBe(0)
})
