import { unlinkSync } from 'node:fs'
import type { CheckpointWriter } from '../db/checkpoint-store'
import type { LogReader } from '../db/log-reader'
import type { JournalPosition, LogWriter } from '../db/log-writer'
import { decodeLines } from './journal-decode'
import { listSegments, segmentPath } from './journal-files'
import { createJournalReader } from './journal-reader'
import type { JournalReader } from './journal-reader'
import { toAttemptRow, toAttemptsColumn, toBeginRecord, toBodiesRow } from './log-rows'
import {
  toBesideEntries,
  toCounterColumns,
  toDeferredEntry,
  toFinalRow,
  toAttemptEntry,
  toLedgerEntry,
  toOpenRow,
  toRefusalsRow,
  toSpentEntry,
} from './log-rows'
import { noteHold, noteSpent, type OpenRequest, readHeldColumn, toHeldColumn } from './open-holds'
import type { AttemptRecord, BeginRecord, EndRecord, HoldRecord } from './records'
import type { DeferRecord, LogRecord, SpentRecord } from './records'

export type LogImporterOptions = {
  reader: LogReader
  writer: LogWriter
  checkpoints: CheckpointWriter
  /** The journal's folder. */
  directory: string
  /** The first segment of this process: what was open in earlier ones has lost its process. */
  firstSegment: number
  /** A request open for longer gets a row of its own, so that it holds up no segment. */
  openAfterMs?: number
  chunkBytes?: number
  /** Monotonic milliseconds. */
  now?: () => number
}

export type ImportStats = {
  /** Rows of requests that have ended, or were lost. */
  rows: number
  lost: number
  /** Lines that could not be read, torn ones included. */
  unreadableLines: number
}

export type LogImporter = {
  /**
   * Brings the next piece of the journal into the database, in one transaction with the place to go
   * on from; whether there may be more. After a throw the importer is to be thrown away.
   */
  importNext(): boolean
  /** Deletes imported segments, once the database with their rows is on the disk; says how many. */
  deleteImported(): number
  /** Whether a request is open that has no row yet. */
  isWaiting(): boolean
  /** Whether all is imported that earlier processes left. */
  hasRecovered(): boolean
  /** The last entry before a mark; `undefined` where it was not one of the last, or is not known. */
  entryBefore(mark: number): number | undefined
  /** Where the next read starts. */
  position(): JournalPosition
  stats(): ImportStats
  close(): void
}

type Tracked = OpenRequest & {
  id: string
  /** Where reading must start again to see its begin. */
  from: JournalPosition
  seenAtMs: number
  /** The open row has fewer attempts than this. */
  isStale: boolean
  /** What is held for it stays held behind its end. */
  isDeferred: boolean
}

/**
 * Joins the journal's records into rows. Everything it writes may be written twice without harm, since
 * after a crash it reads again from the oldest begin that had neither row nor end.
 */
export function createLogImporter(options: LogImporterOptions): LogImporter {
  return new JoiningImporter(options)
}

class JoiningImporter implements LogImporter {
  readonly #options: LogImporterOptions
  readonly #writer: LogWriter
  readonly #checkpoints: CheckpointWriter
  readonly #journal: JournalReader
  readonly #now: () => number
  readonly #openAfterMs: number
  readonly #stats: ImportStats = { rows: 0, lost: 0, unreadableLines: 0 }
  /** Requests without a row, in the order of their begins. */
  readonly #waiting = new Map<string, Tracked>()
  /** Requests that have an open row. */
  readonly #stored = new Map<string, Tracked>()
  /** From where a crash now would have the journal read. */
  #saved: JournalPosition
  #hasRecovered = false
  /** The last marks, each with the last entry before it. */
  readonly #marks = new Map<number, number | undefined>()

  constructor(options: LogImporterOptions) {
    const { directory, writer, chunkBytes } = options
    this.#options = options
    this.#writer = writer
    this.#checkpoints = options.checkpoints
    this.#now = options.now ?? (() => performance.now())
    this.#openAfterMs = options.openAfterMs ?? 5_000
    const position = writer.position()
    this.#saved = position ?? { segment: 0, offsetBytes: 0 }
    this.#journal = createJournalReader({ directory, position, ...(chunkBytes && { chunkBytes }) })
    for (const row of options.reader.open()) {
      const from = { segment: row.journalSegment ?? 0, offsetBytes: 0 }
      const request = this.#track(row.id, toBeginRecord(row), from)
      this.#stored.set(row.id, {
        ...request,
        ...readHeldColumn(row),
        attempts: row.attempts ?? [],
        isDeferred: writer.deferred.has(row.id),
      })
    }
  }

  importNext(): boolean {
    const chunk = this.#journal.read()
    if (chunk.kind === 'torn') this.#stats.unreadableLines += 1
    const records = chunk.kind === 'lines' ? decodeLines(chunk.text) : []
    const from = chunk.kind === 'lines' ? chunk.from : this.#journal.position()
    // Nothing of earlier processes is left to read, so what is still open will not end any more.
    const isCaughtUp = chunk.kind === 'end' || chunk.from.segment >= this.#options.firstSegment
    const hasLost = isCaughtUp && !this.#hasRecovered
    const overdue = this.#listOverdue()
    const hasNews = records.length > 0 || overdue.length > 0 || hasLost
    if (hasNews || this.#replayFrom().segment > this.#saved.segment) {
      this.#writer.transact(() => {
        if (hasLost) this.#closeLost()
        for (const record of records) this.#importRecord(record, from)
        for (const request of overdue) if (this.#waiting.has(request.id)) this.#storeOpen(request)
        for (const request of this.#stored.values()) if (request.isStale) this.#updateOpen(request)
        this.#saved = this.#replayFrom()
        this.#writer.setPosition(this.#saved)
      })
    }
    return chunk.kind !== 'end'
  }

  deleteImported(): number {
    const { directory } = this.#options
    const imported = listSegments(directory).filter((segment) => segment < this.#saved.segment)
    if (imported.length === 0 || !this.#writer.checkpoint()) return 0
    for (const segment of imported) unlinkSync(segmentPath(directory, segment))
    return imported.length
  }

  isWaiting(): boolean {
    return this.#waiting.size > 0
  }

  hasRecovered(): boolean {
    return this.#hasRecovered
  }

  entryBefore(mark: number): number | undefined {
    return this.#marks.get(mark)
  }

  position(): JournalPosition {
    return this.#journal.position()
  }

  stats(): ImportStats {
    return { ...this.#stats }
  }

  close(): void {
    this.#journal.close()
  }

  #importRecord(record: LogRecord | undefined, from: JournalPosition): void {
    if (record === undefined) {
      this.#stats.unreadableLines += 1
      return
    }
    switch (record.kind) {
      case 'begin':
        if (this.#stored.has(record.id)) return
        this.#waiting.set(record.id, this.#track(record.id, record, from))
        return
      case 'hold':
        return this.#noteHold(record, from)
      case 'attempt':
        return this.#addAttempt(record, from)
      case 'spent':
        return this.#noteSpent(record, from)
      case 'defer':
        return this.#defer(record, from)
      case 'settlement':
        return this.#writer.deferred.settle(record)
      case 'own':
        return this.#writer.owned.put(record.object)
      case 'disown':
        return this.#writer.owned.remove(record.objectKind, record.id)
      case 'bodies':
        return this.#writer.putBodies(toBodiesRow(record))
      case 'refusals':
        this.#stats.rows += 1
        return this.#writer.insert(toRefusalsRow(record))
      case 'mark':
        return this.#noteMark(record.mark)
      case 'checkpoint-begin':
        return this.#checkpoints.begin(record.mark, record.complete)
      case 'counters':
        return this.#checkpoints.put(record.mark, record.counters.map(toCounterColumns))
      case 'checkpoint-end':
        return this.#checkpoints.end(record.mark, record)
      case 'end':
        return this.#finish(record)
    }
  }

  #finish(record: EndRecord): void {
    const id = record.requestId
    const request = this.#waiting.get(id) ?? this.#stored.get(id)
    if (this.#stored.delete(id)) this.#writer.removeOpen(id)
    this.#waiting.delete(id)
    this.#writer.insert(toFinalRow(request, record))
    if (request) this.#putEntry(request, record)
    this.#stats.rows += 1
  }

  #noteMark(mark: number): void {
    this.#marks.set(mark, this.#checkpoints.mark(mark))
    const [oldest] = this.#marks.keys()
    if (this.#marks.size > KNOWN_MARKS && oldest !== undefined) this.#marks.delete(oldest)
  }

  #putEntry(request: Tracked, end: EndRecord | undefined): void {
    const entry = toLedgerEntry(request, end)
    if (entry) this.#writer.putEntry(request.isDeferred ? toDeferredEntry(entry) : entry)
  }

  #defer(record: DeferRecord, from: JournalPosition): void {
    this.#writer.deferred.put(record)
    this.#find(record.requestId, from).isDeferred = true
  }

  #noteHold(record: HoldRecord, from: JournalPosition): void {
    const request = this.#find(record.requestId, from)
    const entry = record.beside === undefined ? toAttemptEntry(request) : undefined
    if (entry) this.#writer.putEntry(entry)
    noteHold(request, record)
    request.isStale = true
  }

  #noteSpent(record: SpentRecord, from: JournalPosition): void {
    const request = this.#find(record.requestId, from)
    const entry = toSpentEntry(request, record)
    if (entry) this.#writer.putEntry(entry)
    noteSpent(request, record)
    request.isStale = true
  }

  #addAttempt(record: AttemptRecord, from: JournalPosition): void {
    const request = this.#find(record.requestId, from)
    // Read twice after a crash, an attempt is still one.
    if (request.attempts.some(({ number }) => number === record.number)) return
    request.attempts.push(toAttemptRow(record))
    // Of two at once the later one may end first.
    request.attempts.sort((a, b) => a.number - b.number)
    request.isStale = true
  }

  #find(id: string, from: JournalPosition): Tracked {
    const known = this.#waiting.get(id) ?? this.#stored.get(id)
    if (known) return known
    const request = this.#track(id, undefined, from)
    this.#waiting.set(id, request)
    return request
  }

  #track(id: string, begin: BeginRecord | undefined, from: JournalPosition): Tracked {
    const seenAtMs = this.#now()
    const held = begin?.held
    return { id, begin, from, seenAtMs, attempts: [], held, beside: NONE, ...FRESH }
  }

  #listOverdue(): Tracked[] {
    const overdue: Tracked[] = []
    const beforeMs = this.#now() - this.#openAfterMs
    for (const request of this.#waiting.values()) {
      if (request.seenAtMs > beforeMs) break
      overdue.push(request)
    }
    return overdue
  }

  #storeOpen(request: Tracked): void {
    this.#waiting.delete(request.id)
    // An attempt alone, its begin unreadable or its row there already, is nothing to show.
    if (request.begin === undefined) return
    this.#stored.set(request.id, request)
    this.#writer.insert(toOpenRow(request, request.begin, 'open', request.from.segment))
    request.isStale = false
  }

  #updateOpen(request: Tracked): void {
    const { id, attempts } = request
    this.#writer.updateOpen(id, toAttemptsColumn(attempts), toHeldColumn(request))
    request.isStale = false
  }

  #closeLost(): void {
    for (const requests of [this.#stored, this.#waiting]) {
      for (const request of requests.values()) {
        const { id, begin, from } = request
        if (from.segment >= this.#options.firstSegment) continue
        requests.delete(id)
        if (begin === undefined) continue
        this.#writer.removeOpen(id)
        this.#writer.insert(toOpenRow(request, begin, 'lost', null))
        for (const beside of toBesideEntries(request)) this.#writer.putEntry(beside)
        this.#putEntry(request, undefined)
        this.#stats.rows += 1
        this.#stats.lost += 1
      }
    }
    this.#hasRecovered = true
  }

  #replayFrom(): JournalPosition {
    for (const request of this.#waiting.values()) return request.from
    return this.#journal.position()
  }
}

const NONE: OpenRequest['beside'] = []
const KNOWN_MARKS = 100

const FRESH = { isStale: false, isDeferred: false }
