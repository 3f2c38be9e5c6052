import { afterEach, describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { rmSync } from 'node:fs'
import { readCheckpoint, readCounter, readCounters } from '../db/checkpoint-store'
import { createCorrectionWriter } from '../db/ledger-corrections'
import { createLedgerReader } from '../db/ledger-reader'
import { createLedgerReports } from '../db/ledger-reports'
import { openSqlite } from '../db/open'
import { NO_USAGE } from '../protocols/usage'
import { readCheckpointLimits, toCheckpointLimit } from '../limits/checkpoint-limit'
import { toLimits } from '../limits/from-configuration'
import type { Dimensions } from '../limits/subject'
import { createJournal } from '../telemetry/journal'
import { attemptRecord, beginRecord, endRecord } from '../telemetry/fixtures/records'
import { makeDataDirectory, openImporter } from '../telemetry/fixtures/log-directory'
import { AccountBook } from './account-book'
import { Checkpointer } from './checkpointer'
import { Governor, type Grant } from './governor'
import { recount } from './recount'
import { restoreAccounts } from './restore'

const START_MS = 1_800_000_000_000
const MINUTE_MS = 60_000

const style = { reset: 'rolling', timezone: 'UTC', weekStart: 'monday' } as const
const budget = (subject: string, windowText: string | undefined) => ({
  ...{ subject, windowText, limitUsd: 1_000, overshootUsd: 0, alertAt: [] },
  ...style,
  unknownPrice: 'allow' as const,
})
const rate = (subject: string, windowText: string) => ({
  ...{ subject, windowText, amounts: { requests: 100_000, tokens: 1e9 } },
  ...style,
})

const LIMITS = toLimits(
  [budget('organization', undefined), budget('key/*', '1h'), budget('user/*+provider/sim', '1m')],
  [rate('key/*', '1m'), rate('provider/sim', '2m')]
)

const TARGET = { provider: 'sim', model: 'sim/m', card: undefined }
const SIZE = {
  ...{ inputTokens: 100, outputLimit: 100, choices: 1, hasOutput: true, searches: 0 },
  serviceTier: undefined,
}

const NO_PRICE = { lines: [], tier: undefined, aboveInputTokens: undefined, priceOrigin: undefined }

const NO_COUNTERS = { isMany: () => false, of: () => [], one: () => undefined }

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

type UnderWay = { id: string; grant: Grant; provider: string; attempts: number }

/** One gateway after another on the same data directory, on a clock of the test's. */
function openBooks(limits = LIMITS, more: { isMany?: boolean; manyAccounts?: number } = {}) {
  const directory = makeDataDirectory()
  cleanups.push(() => rmSync(directory.path, { recursive: true, force: true }))
  const clock = { nowMs: START_MS, segmentMs: START_MS }
  let current = start(limits)

  function start(present: typeof LIMITS) {
    importAll(Number.MAX_SAFE_INTEGER)
    const book = new AccountBook(present, more)
    const database = openSqlite(directory.logPath, { readonly: true })
    const checkpoint = readCheckpoint(database)
    const read = restoreAccounts({
      ...{ book, checkpoint, limits: present, ownOf: () => [], nowMs: clock.nowMs },
      entries: createLedgerReader(database),
      counters: {
        isMany: () => more.isMany === true,
        of: (limitId, nowMs) => readCounters(database, limitId, nowMs),
        one: (limitId, name) => readCounter(database, limitId, name),
      },
    })
    database.close()
    const journal = createJournal({
      directory: directory.journalPath,
      epochNow: () => (clock.segmentMs += 1_000),
    })
    const checkpointer = new Checkpointer({
      ...{ book, after: checkpoint?.mark ?? 0 },
      limits: () => present.map(toCheckpointLimit),
      segment: () => journal.segment,
      append: (record) => journal.append(record),
      now: () => clock.nowMs,
    })
    const firstSegment = journal.segment
    const governor = new Governor({
      book,
      now: () => clock.nowMs,
      onEvent() {},
      readCounters: async (names) => {
        journal.flush()
        importAll(Number.MAX_SAFE_INTEGER, firstSegment)
        const log = openSqlite(directory.logPath, { readonly: true })
        const rows = names.flatMap(({ limitId, name }) => readCounter(log, limitId, name) ?? [])
        log.close()
        return rows
      },
    })
    const underWay: UnderWay[] = []
    return { book, journal, firstSegment, checkpointer, governor, read, underWay }
  }

  /** Brings so many pieces of the journal into the database, as a thread does that may end at any time. */
  function importAll(pieces: number, firstSegment = Number.MAX_SAFE_INTEGER) {
    const imported = openImporter(directory, firstSegment, { chunkBytes: 4_096 })
    for (let piece = 0; piece < pieces && imported.importer.importNext(); piece++);
    imported.close()
  }

  return {
    clock,
    get current() {
      return current
    },
    async begin(user: string) {
      const { governor, journal, underWay } = current
      const of: Dimensions = {
        ...{ organization: 'default', team: undefined, key: user, keyId: `id-${user}`, user },
        ...{ session: undefined, tags: [] },
      }
      await governor.prepare({ of, own: [] }, [{ provider: { name: 'sim' }, name: 'sim/m' }])
      const grant = governor.admit({ of, own: [] })
      const id = Bun.randomUUIDv7()
      const reserved = grant.reserve(TARGET, SIZE)
      expect(reserved.kind).toBe('held')
      const begin = { admittedAtMs: clock.nowMs, keyId: `id-${user}`, keyName: user, of }
      journal.append(beginRecord(id, { ...begin, held: { model: 'sim/m', costNanoUsd: 0 } }))
      underWay.push({ id, grant, provider: 'sim', attempts: 0 })
    },
    /** The attempt fails, and another target is tried. */
    fall() {
      const request = current.underWay[0]
      if (request === undefined) return
      const { id, grant } = request
      const number = ++request.attempts
      current.journal.append(attemptRecord(id, { number, provider: request.provider, model: 'm' }))
      request.provider = request.provider === 'sim' ? 'other' : 'sim'
      const model = `${request.provider}/m`
      expect(grant.reserve({ ...TARGET, provider: request.provider, model }, SIZE).kind).toBe(
        'held'
      )
      current.journal.append({ kind: 'hold', requestId: id, model, costNanoUsd: 0 })
    },
    /** The client leaves before anything was used. */
    abort() {
      const request = current.underWay.shift()
      if (request === undefined) return
      request.grant.leave()
      request.grant.settle()
      current.journal.append(
        endRecord(request.id, {
          ...{ provider: request.provider, servedModel: `${request.provider}/m` },
          ...{ outcome: 'cancelled', usage: undefined, cost: undefined },
        })
      )
    },
    end(costNanoUsd: number) {
      const request = current.underWay.shift()
      if (request === undefined) return
      const used = { costNanoUsd, inputTokens: costNanoUsd % 7, outputTokens: 3 }
      request.grant.settle(used)
      request.grant.leave()
      current.journal.append(
        endRecord(request.id, {
          ...{ provider: request.provider, servedModel: `${request.provider}/m` },
          endedAtMs: clock.nowMs,
          usage: { ...NO_USAGE, inputTokens: used.inputTokens, outputTokens: 3 },
          cost: { ...NO_PRICE, costNanoUsd, provenance: 'computed' },
        })
      )
    },
    /** Somebody learns what every request so far really cost. */
    correctAll(costNanoUsd: number) {
      current.journal.flush()
      importAll(Number.MAX_SAFE_INTEGER, current.firstSegment)
      const database = openSqlite(directory.logPath)
      const { correct } = createCorrectionWriter(database)
      const found = createLedgerReports(database).entries({
        ...{ fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, where: { kind: ['request'] } },
        ...{ isUncorrected: false, limit: 100 },
      })
      for (const { requestId } of found) correct({ requestId, costNanoUsd, reason: 'bill' })
      database.close()
    },
    importSome(pieces: number) {
      current.journal.flush()
      importAll(pieces, current.firstSegment)
    },
    /** Ends the process without a word; what was under way is lost. */
    restart(present = limits) {
      current.journal.close()
      current = start(present)
    },
    counted() {
      return [...current.book.accounts()]
        .map((account) => {
          const { spent, reserved } = account.standing(clock.nowMs)
          return `${account.limit.id} ${account.key}: ${spent} ${reserved}`
        })
        .filter((line) => !line.endsWith(': 0 0'))
        .sort()
    },
    /** What of the checkpoint the entries don't say. */
    differences() {
      const database = openSqlite(directory.logPath, { readonly: true })
      const checkpoint = readCheckpoint(database)
      const limits = readCheckpointLimits(checkpoint?.limits ?? '[]')
      const found = recount({
        limits,
        counters: limits.flatMap(({ id }) => Array.from(readCounters(database, id, 0))),
        entries: createLedgerReader(database).behind(0),
      })
      database.close()
      return found
    },
    /** Adds to what the checkpoint has of every counter. */
    falsify() {
      const database = openSqlite(directory.logPath)
      database.run(`UPDATE ledger_counters SET stretches = replace(stretches, ',5]', ',6]')`)
      database.close()
    },
    /** The same by all entries, without any checkpoint. */
    recounted() {
      current.journal.flush()
      importAll(Number.MAX_SAFE_INTEGER, current.firstSegment)
      const book = new AccountBook(limits)
      const database = openSqlite(directory.logPath, { readonly: true })
      restoreAccounts({
        ...{ book, checkpoint: undefined, counters: NO_COUNTERS, limits, ownOf: () => [] },
        ...{ entries: createLedgerReader(database), nowMs: clock.nowMs },
      })
      database.close()
      return [...book.accounts()]
        .map((account) => {
          const { spent, reserved } = account.standing(clock.nowMs)
          return `${account.limit.id} ${account.key}: ${spent} ${reserved}`
        })
        .filter((line) => !line.endsWith(': 0 0'))
        .sort()
    },
  }
}

describe('a start from a checkpoint', () => {
  test('reads no entry before it, and counts the same', async () => {
    const books = openBooks()
    for (let request = 0; request < 50; request++) {
      await books.begin(`u${request % 3}`)
      books.end(1_000 + request)
    }
    books.current.checkpointer.finish()
    const before = books.counted()
    books.restart()
    expect(books.current.read).toBe(0)
    for (const user of ['u0', 'u1', 'u2']) await books.begin(user)
    for (let request = 0; request < 3; request++) books.end(0)
    expect(books.counted().length).toBe(before.length)
    expect(books.counted()).toEqual(books.recounted())
  })

  test('counts corrections whether they came before or after it, and every time anew', async () => {
    const books = openBooks()
    await books.begin('u')
    books.end(50)
    books.current.checkpointer.finish()
    books.correctAll(30)
    books.restart()
    expect(books.counted()).toContain('budget key/* 1h id-u: 30 0')
    await books.begin('u')
    books.end(7)
    books.current.checkpointer.finish()
    expect(books.differences().differences).toEqual([])
    books.restart()
    expect(books.counted()).toContain('budget key/* 1h id-u: 37 0')
    expect(books.counted()).toContain('budget organization for good : 37 0')
    books.correctAll(2)
    books.restart()
    expect(books.counted()).toContain('budget key/* 1h id-u: 4 0')
    expect(books.counted()).toContain('limit key/* requests 1m id-u: 2 0')
    expect(books.counted()).toEqual(books.recounted())
  })

  test('reads all that counts for a limit that is new', async () => {
    const books = openBooks(LIMITS.slice(0, 1))
    await books.begin('u')
    books.end(5)
    books.current.checkpointer.finish()
    books.restart(LIMITS)
    expect(books.current.read).toBe(1)
    expect(books.counted()).toContain('budget key/* 1h id-u: 5 0')
  })

  test('is found out when it does not say what the entries say', async () => {
    const books = openBooks()
    await books.begin('u')
    books.end(5)
    books.current.checkpointer.finish()
    books.restart()
    expect(books.differences()).toEqual({ counters: 7, differences: [] })
    books.falsify()
    expect(books.differences().differences).toContainEqual({
      limitId: 'budget key/* 1h',
      name: 'id-u',
      counted: 6,
      recounted: 5,
    })
  })

  test('is not fooled by a checkpoint of which a piece is missing', async () => {
    const books = openBooks()
    await books.begin('u')
    books.end(5)
    const { journal, checkpointer } = books.current
    const append = journal.append.bind(journal)
    journal.append = (record) => record.kind === 'counters' || append(record)
    checkpointer.finish()
    await books.begin('u')
    books.end(7)
    checkpointer.finish()
    books.restart()
    expect(books.current.read).toBe(2)
    expect(books.counted()).toContain('budget organization for good : 12 0')
  })
})

test.each([
  ['all counters in memory', {}],
  ['those that are idle only in the checkpoint', { isMany: true, manyAccounts: 2 }],
])(
  'whatever happens in whatever order, a start counts what all entries say: %s',
  async (_, more) => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('begin' as const), user: fc.nat(3) }) },
      { weight: 6, arbitrary: fc.record({ do: fc.constant('end' as const), cost: fc.nat(1_000) }) },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(10 * MINUTE_MS) }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('step' as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('fall' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('finish' as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('import' as const), count: fc.nat(3) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) }
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
        const books = openBooks(LIMITS, more)
        for (const next of steps) {
          if (next.do === 'begin') await books.begin(`u${next.user}`)
          if (next.do === 'end') books.end(next.cost)
          if (next.do === 'wait') books.clock.nowMs += next.ms
          if (next.do === 'fall') books.fall()
          if (next.do === 'abort') books.abort()
          if (next.do === 'step') books.current.checkpointer.step()
          if (next.do === 'finish') books.current.checkpointer.finish()
          if (next.do === 'import') books.importSome(next.count)
          if (next.do === 'restart') books.restart()
        }
        for (const isNew of [false, true]) {
          if (isNew) books.restart()
          // Those that nobody asked for lately are read at the first look.
          for (const user of [0, 1, 2, 3]) await books.begin(`u${user}`)
          while (books.current.underWay.length > 0) books.end(1)
          expect(books.counted()).toEqual(books.recounted())
          expect(books.differences().differences).toEqual([])
        }
        for (const cleanup of cleanups.splice(0)) cleanup()
      }),
      { numRuns: 60 }
    )
  },
  MINUTE_MS
)
