import type { DataDirectory } from '../db/data-directory'
import { createLedgerReader } from '../db/ledger-reader'
import { openSqlite } from '../db/open'
import type { AccountBook, OwnLimit } from '../ledger/account-book'
import { oldestThatCounts, restoreAccounts } from '../ledger/restore'
import type { Limit } from '../limits/limit'
import { listSegments } from '../telemetry/journal-files'

/** Keys that may have limits of their own. */
export type LimitedKeys = {
  /** What of limits there is among all keys, teams and organizations. */
  limits(): Iterable<Pick<Limit, 'unit' | 'window'>>
  /** The limits of a key and of those above it, by its id. */
  ownOf(keyId: string): readonly OwnLimit[]
}

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
): void {
  const oldestMs = oldestThatCounts([...limits, ...keys.limits()], nowMs)
  if (oldestMs === undefined) return
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
    restoreAccounts(book, createLedgerReader(database).since(oldestMs), ownOf, nowMs)
  } finally {
    database.close()
  }
}
