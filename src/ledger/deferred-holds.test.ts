import { afterEach, expect, test } from 'bun:test'
import { createLedgerReader } from '../db/ledger-reader'
import { openSqlite } from '../db/open'
import { toLimits } from '../limits/from-configuration'
import type { Dimensions } from '../limits/subject'
import { card } from '../models/fixtures/cards'
import { makeDataDirectory, openImporter } from '../telemetry/fixtures/log-directory'
import { beginRecord, endRecord } from '../telemetry/fixtures/records'
import { createJournal } from '../telemetry/journal'
import { AccountBook } from './account-book'
import { DeferredHolds } from './deferred-holds'
import { Governor } from './governor'
import { restoreAccounts } from './restore'

// What a batch may cost is held from one process to the next, until somebody knows what it did.

const START_MS = 1_800_000_000_000
const style = { reset: 'rolling', timezone: 'UTC', weekStart: 'monday' } as const
const LIMITS = toLimits(
  [
    {
      ...{ subject: 'organization', windowText: '30d', limitUsd: 1e-6, overshootUsd: 0 },
      ...{ ...style, unknownPrice: 'refuse', alertAt: [] },
    },
  ],
  [{ subject: 'organization', windowText: '1h', ...style, amounts: { requests: 9, tokens: 999 } }]
)
const OF: Dimensions = {
  ...{ organization: 'default', team: undefined, key: 'app', keyId: 'key-1' },
  ...{ user: undefined, session: undefined, tags: [] },
}
const TARGET = {
  ...{ provider: 'local', model: 'local/small' },
  card: card('local', 'small', { price: { rates: { input: 1_000_000, output: 1_000_000 } } }),
}
const size = (inputTokens: number) => ({
  ...{ inputTokens, outputLimit: 0, choices: 1, hasOutput: false, searches: 0 },
  serviceTier: undefined,
})

const directory = makeDataDirectory()
let segmentMs = START_MS
const nowMs = START_MS

/** The next process on the same data directory. */
function start() {
  const importAll = (firstSegment: number) => {
    const importer = openImporter(directory, firstSegment)
    importer.importAll()
    importer.close()
  }
  importAll(Number.MAX_SAFE_INTEGER)
  const book = new AccountBook(LIMITS)
  const deferred = new DeferredHolds()
  const database = openSqlite(directory.logPath)
  const reader = createLedgerReader(database)
  let through = reader.last()
  restoreAccounts({
    ...{ book, deferred, checkpoint: undefined, limits: LIMITS, ownOf: () => [], nowMs },
    counters: { isMany: () => false, of: () => [], one: () => undefined },
    entries: reader,
  })
  const journal = createJournal({
    directory: directory.journalPath,
    epochNow: () => (segmentMs += 1_000),
  })
  const governor = new Governor({ book, deferred, now: () => nowMs, onEvent() {} })
  const request = { of: OF, own: [] }
  return {
    /** A batch that may cost so many nano-USD; whether it was let in. */
    begin(id: string, worst: number): boolean {
      const grant = governor.admit(request)
      const reservation = grant.reserve(TARGET, size(worst / 1_000))
      if (reservation.kind !== 'held') {
        grant.settle()
        return false
      }
      const held = { model: 'local/small', costNanoUsd: reservation.worst?.costNanoUsd }
      journal.append(beginRecord(id, { of: { ...OF, user: undefined }, admittedAtMs: nowMs, held }))
      journal.append({ kind: 'defer', requestId: id, reference: `batch of ${id}` })
      grant.leave()
      grant.defer(id)
      journal.append(endRecord(id, { usage: undefined, cost: undefined }))
      journal.flush()
      return true
    },
    /** It has come to so much. */
    async settle(requestId: string, costNanoUsd: number): Promise<void> {
      const more = { inputTokens: 5, outputTokens: undefined, reason: 'polled' }
      journal.append({ kind: 'settled', requestId, costNanoUsd, ...more })
      journal.flush()
      importAll(journal.segment)
      const corrections = reader.correctionsBehind(through)
      through = corrections.at(-1)?.sequence ?? through
      await governor.correct(corrections, () => [])
    },
    async standing() {
      const [requests, ...others] = (await governor.standings(request)).map(
        ({ limit, standing: { spent, reserved } }) => [limit.unit, spent, reserved]
      )
      return [requests, ...others].toSorted()
    },
    totals: () => reader.totals(),
    stop(): void {
      journal.close()
      database.close()
    },
  }
}

let running: ReturnType<typeof start> | undefined
afterEach(() => running?.stop())

function restart() {
  running?.stop()
  return (running = start())
}

test('what a deferred request may cost stays held until it is known, whichever process runs', async () => {
  let gateway = restart()
  expect(gateway.begin('one', 2_000)).toBe(false)
  expect(gateway.begin('two', 1_000)).toBe(true)
  expect(await gateway.standing()).toEqual([
    ['requests', 2, 0],
    ['tokens', 0, 0],
    ['usd', 0, 1_000],
  ])
  for (let process = 0; process < 2; process++) {
    gateway = restart()
    expect((await gateway.standing()).at(-1)).toEqual(['usd', 0, 1_000])
    expect(gateway.totals()).toMatchObject({ deferred: 1, deferredNanoUsd: 1_000, costNanoUsd: 0 })
    // There is room for nothing more.
    expect(gateway.begin('three', 1_000)).toBe(false)
  }
  await gateway.settle('two', 400)
  expect((await gateway.standing()).at(-1)).toEqual(['usd', 400, 0])
  gateway = restart()
  expect((await gateway.standing()).at(-1)).toEqual(['usd', 400, 0])
  expect(gateway.totals()).toMatchObject({ deferred: 0, costNanoUsd: 400 })
  // Told once more, e.g. by a journal that is read again, it counts once.
  await gateway.settle('two', 400)
  expect((await gateway.standing()).at(-1)).toEqual(['usd', 400, 0])
})
