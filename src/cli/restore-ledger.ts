import type { DataDirectory } from '../db/data-directory'
import { createLedgerReader } from '../db/ledger-reader'
import { openSqlite } from '../db/open'
import type { AccountBook } from '../ledger/account-book'
import { oldestThatCounts, restoreAccounts } from '../ledger/restore'
import type { Limit } from '../limits/limit'
import { listSegments } from '../telemetry/journal-files'

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
  nowMs: number
): void {
  const oldestMs = oldestThatCounts(limits, nowMs)
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
  const database = openSqlite(logPath, { readonly: true })
  try {
    restoreAccounts(book, createLedgerReader(database).since(oldestMs), () => [], nowMs)
  } finally {
    database.close()
  }
}
