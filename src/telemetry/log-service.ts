import type { Database } from 'bun:sqlite'
import { type CounterRow, createCheckpointWriter, readCounter } from '../db/checkpoint-store'
import { type HeldEntry, readHeldEntries } from '../db/deferred-holds'
import { createLedgerReader, type LearnedEntry, type LedgerReader } from '../db/ledger-reader'
import { createLogReader } from '../db/log-reader'
import { createLogRetention } from '../db/log-retention'
import type { RequestRow } from '../db/log-schema'
import { createLogWriter, type JournalPosition } from '../db/log-writer'
import { openSqlite } from '../db/open'
import { deleteExpired, findOwned, listOwned, type OwnedObject } from '../db/owned-objects'
import { recountLimits } from '../ledger/recount-limits'
import type { CounterState } from './records'
import { bytesAfter, endOfJournal } from './journal-files'
import { createLogImporter, type LogImporter } from './log-importer'
import type {
  CounterName,
  LogProgress,
  LogRetentionSettings,
  LogServiceStart,
  OwnedQuestion,
  RecountQuestion,
} from './log-messages'

export type LogService = {
  /** Imports one piece of the journal; whether there may be more. */
  importNext(): boolean
  importAll(): void
  /** Whether a request is open that is to have a row once it has been open for long enough. */
  isWaiting(): boolean
  /** The row of a request as the journal stands now. */
  find(id: string): RequestRow | undefined
  /** What checkpoints have of counters as the journal stands now. */
  counters(names: readonly CounterName[]): CounterRow[]
  /** What was spent under limits of the configuration before a mark; `undefined` where that is not known. */
  recount(question: RecountQuestion): CounterState[] | undefined
  /** The holds that wait for their settlement as the journal stands now. */
  deferred(): HeldEntry[]
  /** Whose an id is, or the ids of a key, as the journal stands now. */
  owned(wanted: OwnedQuestion): OwnedObject[]
  /** Corrections that came since the last call, or the start: at most a thousand. */
  takeCorrections(): LearnedEntry[]
  /** Deletes journal segments that are done with, if it is time. */
  tidyJournal(): void
  /** One step of deletion; whether there is more to delete or give back. */
  retain(): boolean
  setRetention(retention: LogRetentionSettings): void
  progress(): LogProgress
  close(): void
}

const RETAIN_ROWS = 500
/** Fewer, for what makes a log large is bodies, and the newest rows are to stay. */
const SHRINK_ROWS = 50
const VACUUM_PAGES = 512
// A checkpoint waits for the disk twice, so they are few.
const CHECKPOINT_MS = 5_000

/**
 * All that happens to the log database, in steps that each take some milliseconds: whoever calls them
 * can listen in between.
 */
export function createLogService(start: LogServiceStart): LogService {
  const { journalPath } = start
  const database = openSqlite(start.logPath, { incrementalVacuum: true })
  const reader = createLogReader(database)
  const writer = createLogWriter(database)
  const retention = createLogRetention(database)
  const checkpoints = createCheckpointWriter(database)
  const importer = createLogImporter({
    ...{ reader, writer, checkpoints, directory: journalPath, firstSegment: start.firstSegment },
  })
  const corrections = new CorrectionFeed(database, start.correctedThrough)
  let limits = start.retention
  let deletedRows = 0
  let tidyAtMs = -Infinity

  const importAll = () => importUpTo(importer, endOfJournal(journalPath))

  function find(id: string): RequestRow | undefined {
    const row = reader.find(id)
    if (row !== undefined && row.outcome !== 'open') return row
    importAll()
    return reader.find(id)
  }

  function counters(names: readonly CounterName[]): CounterRow[] {
    importAll()
    return names.flatMap(({ limitId, name }) => readCounter(database, limitId, name) ?? [])
  }

  function recount({ mark, limits, own, correctedThrough }: RecountQuestion) {
    importAll()
    const through = importer.entryBefore(mark)
    if (through === undefined) return undefined
    const upTo = { through, correctedThrough: correctedThrough ?? corrections.first }
    return recountLimits(database, { limits, own }, upTo)
  }

  function tidyJournal(): void {
    const nowMs = performance.now()
    if (nowMs < tidyAtMs) return
    tidyAtMs = nowMs + CHECKPOINT_MS
    importer.deleteImported()
  }

  function retain(): boolean {
    const expired = deleteExpired(database, Date.now(), RETAIN_ROWS)
    let deleted = retention.deleteOldest(Date.now() - limits.ageMs, RETAIN_ROWS)
    if (deleted === 0 && retention.usedBytes() > limits.sizeBytes) {
      deleted = retention.shrink(SHRINK_ROWS)
    }
    deletedRows += deleted
    return retention.vacuum(VACUUM_PAGES) || deleted > 0 || expired > 0
  }

  function close(): void {
    importAll()
    importer.deleteImported()
    importer.close()
    writer.checkpoint()
    database.close()
  }

  return {
    importNext: () => importer.importNext(),
    isWaiting: () => importer.isWaiting(),
    ...{ importAll, find, counters, recount, tidyJournal, retain, close },
    owned: (wanted) => findOrImport(database, wanted, importer, importAll),
    deferred: () => (importAll(), readHeldEntries(database)),
    takeCorrections: () => corrections.take(),
    progress: () => toProgress(importer, journalPath, deletedRows),
    setRetention(settings) {
      limits = settings
    },
  }
}

/** What comes meanwhile can be more than this thread keeps up with. */
function importUpTo(importer: LogImporter, end: JournalPosition): void {
  while (importer.importNext() && !isBehind(importer.position(), end));
}

/** What the asking thread has written lately it knows itself: only what is not found may still be on its way. */
function findOrImport(
  database: Database,
  wanted: OwnedQuestion,
  importer: LogImporter,
  importAll: () => void
): OwnedObject[] {
  const found = 'id' in wanted && importer.hasRecovered() ? readOwned(database, wanted) : []
  if (found.length > 0) return found
  importAll()
  return readOwned(database, wanted)
}

function isBehind(position: JournalPosition, end: JournalPosition): boolean {
  if (position.segment !== end.segment) return position.segment > end.segment
  return position.offsetBytes > end.offsetBytes
}

function readOwned(database: Database, wanted: OwnedQuestion): OwnedObject[] {
  if ('page' in wanted) return listOwned(database, wanted.page)
  const found = findOwned(database, wanted.objectKind, wanted.id, Date.now())
  return found ? [found] : []
}

function toProgress(importer: LogImporter, journalPath: string, deletedRows: number): LogProgress {
  const position = importer.position()
  return {
    ...importer.stats(),
    ...{ position, deletedRows, unreadBytes: bytesAfter(journalPath, position) },
  }
}

const CORRECTIONS_AT_ONCE = 1_000

/** Corrections as they come, whoever writes them. */
class CorrectionFeed {
  readonly #reader: LedgerReader
  /** The last one that was known when it began. */
  readonly first: number
  #through: number

  constructor(database: Database, through: number | undefined) {
    this.#reader = createLedgerReader(database)
    this.first = through ?? this.#reader.lastCorrection()
    this.#through = this.first
  }

  take(): LearnedEntry[] {
    const entries = this.#reader.correctionsBehind(this.#through, CORRECTIONS_AT_ONCE)
    this.#through = entries.at(-1)?.sequence ?? this.#through
    return entries
  }
}
