import type { Database } from 'bun:sqlite'
import type { DataDirectory } from '../db/data-directory'
import { hasManyCounters, readCheckpoint, readCounter, readCounters } from '../db/checkpoint-store'
import { readHeldEntries } from '../db/deferred-holds'
import { createLedgerReader } from '../db/ledger-reader'
import { openSqlite } from '../db/open'
import type { AccountBook, OwnLimit } from '../ledger/account-book'
import type { DeferredHold } from '../ledger/deferred-holds'
import { restoreAccounts, restoreHolds, type Restoring } from '../ledger/restore'
import { type CheckpointLimit, toCheckpointLimit } from '../limits/checkpoint-limit'
import type { Limit } from '../limits/limit'
import { listSegments } from '../telemetry/journal-files'

/** Keys that may have limits of their own. */
export type LimitedKeys = {
  /** What of limits there is among all keys, teams and organizations. */
  limits(): Iterable<Omit<Limit, 'subject'>>
  /** The limits of a key and of those above it, by its id. */
  ownOf(keyId: string): readonly OwnLimit[]
}

/** What a start has counted. */
export type RestoredLedger = {
  /** Entries that were read one by one. */
  readonly entries: number
  /** The mark of the checkpoint that it began from; 0 for none. */
  readonly after: number
  /** The limits whose counters are complete. */
  readonly limits: readonly CheckpointLimit[]
  /** What was held for requests beyond their ends; `undefined` where it was not looked for. */
  readonly deferred: readonly DeferredHold[] | undefined
  /** The last correction that is counted; `undefined` where none was looked for. */
  readonly correctedThrough: number | undefined
}

const NOTHING_RESTORED: RestoredLedger = {
  ...{ entries: 0, after: 0, limits: [], deferred: undefined, correctedThrough: undefined },
}

/** Counters of one limit that a start reads: more are read one by one, as requests fall on them. */
const MANY_COUNTERS = 100_000

const NO_LIMITS: readonly OwnLimit[] = []

/** Nothing is deleted here: the log's own thread does that. */
const KEEP_ALL = { ageMs: Infinity, sizeBytes: Infinity }

/**
 * Counts what was spent before this start. What the last process left in its journal is brought into the database first;
 * a request that was under way when it died counts at its worst case.
 */
export function restoreLedger(
  { logPath, journalPath }: DataDirectory,
  book: AccountBook,
  limits: readonly Limit[],
  keys: LimitedKeys,
  nowMs: number
): RestoredLedger {
  const counted = distinct([...limits, ...keys.limits()])
  if (counted.length === 0) return NOTHING_RESTORED
  const segments = listSegments(journalPath)
  if (segments.length > 0) {
    const firstSegment = (segments.at(-1) ?? 0) + 1
    // Loaded for those who have limits: the start of others is spared it.
    const service: typeof import('../telemetry/log-service') = require('../telemetry/log-service')
    const log = service.createLogService({
      logPath,
      journalPath,
      firstSegment,
      retention: KEEP_ALL,
      correctedThrough: undefined,
    })
    log.importAll()
    log.close()
  }
  const known = new Map<string, readonly OwnLimit[]>()
  const ownOf = (keyId: string | null): readonly OwnLimit[] => {
    if (keyId === null) return NO_LIMITS
    let own = known.get(keyId)
    if (own === undefined) known.set(keyId, (own = keys.ownOf(keyId)))
    return own
  }
  const database = openSqlite(logPath, { readonly: true })
  try {
    // All of it as of one moment: somebody may write corrections meanwhile.
    return database.transaction(() => count(database, { book, limits: counted, ownOf, nowMs }))()
  } finally {
    database.close()
  }
}

function count(
  database: Database,
  counting: Pick<Restoring, 'book' | 'ownOf' | 'nowMs'> & {
    limits: readonly Parameters<typeof toCheckpointLimit>[0][]
  }
): RestoredLedger {
  const reader = createLedgerReader(database)
  const checkpoint = readCheckpoint(database)
  const restoring: Restoring = {
    ...{ ...counting, checkpoint },
    entries: reader,
    counters: {
      isMany: (limitId) => hasManyCounters(database, limitId, MANY_COUNTERS),
      of: (limitId, atMs) => readCounters(database, limitId, atMs),
      one: (limitId, name) => readCounter(database, limitId, name),
    },
  }
  return {
    entries: restoreAccounts(restoring),
    deferred: restoreHolds(restoring, readHeldEntries(database)),
    ...{ after: checkpoint?.mark ?? 0, limits: counting.limits.map(toCheckpointLimit) },
    correctedThrough: reader.lastCorrection(),
  }
}

/** Those of many keys are the same. */
function distinct<L extends { id: string }>(limits: readonly L[]): L[] {
  return [...new Map(limits.map((limit) => [limit.id, limit])).values()]
}
