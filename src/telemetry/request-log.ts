import type { CounterRow } from '../db/checkpoint-store'
import type { HeldEntry } from '../db/deferred-holds'
import type { LearnedEntry } from '../db/ledger-reader'
import type { RequestRow } from '../db/log-schema'
import { GatewayError } from '../errors/gateway-error'
import type { CheckpointLimit } from '../limits/checkpoint-limit'
import type { OwnedKind, OwnedObject } from '../db/owned-objects'
import { createJournal, type Journal, type JournalStats, type WriteSync } from './journal'
import { bytesAfter } from './journal-files'
import type { CounterName, LogProgress, LogRetentionSettings } from './log-messages'
import type { OwnedQuestion, OwnRecount } from './log-messages'
import { createLogWorkerOwner, type LogWorkerOwner } from './log-worker-owner'
import { RecentObjects } from './recent-objects'
import type { ProgramLog } from './program-log'
import { redact } from './redact'
import type { AttemptRecord, BeginRecord, BodiesRecord, EndRecord } from './records'
import type { CheckpointRecord, CounterState, HoldRecord } from './records'
import type { DeferRecord, LogRecord, SettlementRecord, SpentRecord } from './records'
import { createRefusalCounter } from './refusal-counter'

export type RequestLogSettings = {
  readonly retention: LogRetentionSettings
  /** Refused requests with a row of their own; the others are counted together. */
  readonly refusedRowsPerSecond: number
  readonly whenDiskFull: 'refuse' | 'serve'
}

export type RequestLogOptions = {
  /** The log database's, which has its schema already. */
  logPath: string
  /** The journal's folder. */
  journalPath: string
  settings: RequestLogSettings
  programLog: ProgramLog
  /** Bodies are dropped while more than so much of the journal waits for its import. */
  backlogBytes?: number
  /** The last correction that is counted; and who is told of those that others write later, in their order. */
  corrections?: { through: number | undefined; take(entries: readonly LearnedEntry[]): void }
  /** The journal's; for tests. */
  writeSync?: WriteSync
}

export type RequestLogStats = {
  journal: JournalStats
  /** Bytes of the journal that wait for their import. */
  backlogBytes: number
  droppedBodies: number
  /** Refused requests without a row of their own. */
  countedRefusals: number
  workerRestarts: number
  /** As the log's thread said last; `undefined` before its first word. */
  progress: LogProgress | undefined
}

export type RequestLog = {
  /** Throws `log_unavailable` while a request could not be logged and may not be served without. */
  assertWritable(): void
  begin(record: BeginRecord): void
  /** What is held for a request from now on. */
  hold(record: HoldRecord): void
  /** What an attempt has come to that is not the last of its request; behind its own record. */
  spent(record: SpentRecord): void
  attempt(record: AttemptRecord): void
  /** What is held stays held behind the request's end, which has to follow at once. */
  defer(record: DeferRecord): void
  /** What such a request came to; written at once. */
  settlement(record: SettlementRecord): void
  /** The holds that wait for their settlement. Rejects with `log_unavailable`. */
  deferred(): Promise<readonly HeldEntry[]>
  /** An id that a provider gave out is somebody's from now on; to be written before the answer leaves. */
  own(object: OwnedObject): void
  /** It is gone. */
  disown(kind: OwnedKind, id: string): void
  /** Whose an id is, or the ids of a key. Rejects with `log_unavailable`. */
  owned(wanted: OwnedQuestion): Promise<readonly OwnedObject[]>
  /** Both bodies, before the end. */
  bodies(record: BodiesRecord): void
  end(record: EndRecord): void
  /**
   * Writes down what was appended, at once. Whoever does so before the last byte of an answer leaves has no
   * answered request missing, however the process dies.
   */
  write(): void
  /** Writes a piece of a checkpoint, behind all that was appended so far; false when it is lost. */
  checkpoint(record: CheckpointRecord): boolean
  /** What checkpoints have of counters, as far as they have anything. Rejects with `log_unavailable`. */
  counters(names: readonly CounterName[]): Promise<readonly CounterRow[]>
  /** What was spent under limits of the configuration, and of keys, before a mark; `undefined` where that is not known. */
  recount(
    mark: number,
    limits: readonly CheckpointLimit[],
    own?: readonly OwnRecount[]
  ): Promise<readonly CounterState[] | undefined>
  /** The number of the journal's present segment. */
  readonly segment: number
  /** The same for all that end in one turn of the event loop, with one system call. */
  written(): Promise<void>
  /** A request that ended before it began. */
  refused(begin: BeginRecord, end: EndRecord): void
  /** The row of a request, with all that was written down before the call. */
  find(id: string): Promise<RequestRow | undefined>
  /** Resolves when all that was written down is in the database. */
  flush(): Promise<void>
  configure(settings: RequestLogSettings): void
  /** Full while what is written down can not be written to the disk. */
  state(): 'ok' | 'full'
  stats(): RequestLogStats
  close(): Promise<void>
}

const WAKE_MS = 100
const FIND_MS = 2_000
const FLUSH_MS = 30_000
/** Millions of entries take seconds. */
const RECOUNT_MS = 120_000
const NOTICE_MS = 10_000

/**
 * The request log: a journal that this thread appends to, and a thread that moves it into the
 * database. `kill -9` loses refusals that were being counted, for at most 10 s, and nothing else.
 */
export function createRequestLog(options: RequestLogOptions): RequestLog {
  return new JournaledLog(options)
}

class JournaledLog implements RequestLog {
  readonly #journal: Journal
  readonly #worker: LogWorkerOwner
  readonly #notices: Notices
  readonly #programLog: ProgramLog
  readonly #backlogBytes: number
  readonly #refusals = createRefusalCounter()
  readonly #objects = new RecentObjects()
  #settings: RequestLogSettings
  #timer: ReturnType<typeof setTimeout> | undefined
  #progress: LogProgress | undefined
  /** How much was to be imported, and written, when the former was last counted. */
  #known: { unreadBytes: number; writtenBytes: number }
  /** How much was written when the thread was last told so. */
  #toldBytes = 0
  #droppedBodies = 0
  #correctedThrough: number | undefined
  #countedRefusals = 0

  constructor(options: RequestLogOptions) {
    const { logPath, journalPath, settings, programLog, writeSync } = options
    this.#programLog = programLog
    this.#settings = settings
    this.#correctedThrough = options.corrections?.through
    this.#backlogBytes = options.backlogBytes ?? 256 << 20
    this.#journal = createJournal({ directory: journalPath, ...(writeSync && { writeSync }) })
    this.#notices = new Notices(this.#journal, programLog)
    const unreadBytes = bytesAfter(journalPath, { segment: 0, offsetBytes: 0 })
    this.#known = { unreadBytes, writtenBytes: 0 }
    const firstSegment = this.#journal.segment
    this.#worker = createLogWorkerOwner({
      start: () => ({
        ...{ logPath, journalPath, firstSegment },
        retention: this.#settings.retention,
        correctedThrough: this.#correctedThrough,
      }),
      onCorrections: (entries) => {
        this.#correctedThrough = entries.at(-1)?.sequence
        options.corrections?.take(entries)
      },
      onProgress: (progress) => {
        this.#progress = progress
        const { writtenBytes } = this.#journal
        this.#known = { unreadBytes: progress.unreadBytes, writtenBytes }
      },
      programLog,
    })
  }

  state(): 'ok' | 'full' {
    return this.#journal.state
  }

  assertWritable(): void {
    if (this.#journal.state === 'ok' || this.#settings.whenDiskFull === 'serve') return
    throw new GatewayError('log_unavailable', 'requests can not be logged now', {
      retryAfterSeconds: 1,
    })
  }

  begin(record: BeginRecord): void {
    this.#append(record)
  }

  hold(record: HoldRecord): void {
    this.#append(record)
  }

  spent(record: SpentRecord): void {
    this.#append(record)
  }

  attempt(record: AttemptRecord): void {
    this.#append(withoutSecrets(record))
  }

  defer(record: DeferRecord): void {
    this.#append(record)
  }

  settlement(record: SettlementRecord): void {
    this.#append(record)
    this.#journal.flush()
  }

  async deferred(): Promise<readonly HeldEntry[]> {
    this.#journal.flush()
    const { deferred = [] } = await this.#worker.ask({ kind: 'deferred' }, FIND_MS)
    return deferred
  }

  own(object: OwnedObject): void {
    this.#objects.put(object)
    this.#append({ kind: 'own', object })
  }

  disown(objectKind: OwnedKind, id: string): void {
    this.#objects.remove(objectKind, id)
    this.#append({ kind: 'disown', objectKind, id })
    this.#journal.flush()
  }

  async owned(wanted: OwnedQuestion): Promise<readonly OwnedObject[]> {
    const known = 'id' in wanted && this.#objects.find(wanted.objectKind, wanted.id, Date.now())
    if (known) return known === 'gone' ? [] : [known]
    this.#journal.flush()
    const { owned = [] } = await this.#worker.ask({ kind: 'owned', wanted }, FIND_MS)
    for (const object of 'id' in wanted ? owned : []) this.#objects.put(object)
    return owned
  }

  bodies(record: BodiesRecord): void {
    if (this.#backlog() <= this.#backlogBytes) return this.#append(record)
    this.#droppedBodies += 1
    this.#notices.dropped(this.#droppedBodies)
  }

  end(record: EndRecord): void {
    this.#append(withoutSecrets(record))
  }

  refused(begin: BeginRecord, end: EndRecord): void {
    const nowMs = Date.now()
    if (this.#refusals.admits(nowMs, this.#settings.refusedRowsPerSecond)) {
      this.#append(begin)
      this.#append(withoutSecrets(end))
      return
    }
    this.#countedRefusals += 1
    this.#refusals.count(end.status, end.errorCode ?? '', nowMs)
    this.#arm()
  }

  write(): void {
    this.#journal.flush()
  }

  checkpoint(record: CheckpointRecord): boolean {
    const isKept = this.#journal.append(record)
    this.#arm()
    return isKept
  }

  async recount(
    mark: number,
    limits: readonly CheckpointLimit[],
    own: readonly OwnRecount[] = []
  ): Promise<readonly CounterState[] | undefined> {
    this.#journal.flush()
    const correctedThrough = this.#correctedThrough
    const { recounted } = await this.#worker.ask(
      { kind: 'recount', mark, limits, own, correctedThrough },
      RECOUNT_MS
    )
    return recounted
  }

  get segment(): number {
    return this.#journal.segment
  }

  written(): Promise<void> {
    return this.#journal.written()
  }

  async find(id: string): Promise<RequestRow | undefined> {
    this.#journal.flush()
    const { row } = await this.#worker.ask({ kind: 'find', id }, FIND_MS)
    return row
  }

  async counters(names: readonly CounterName[]): Promise<readonly CounterRow[]> {
    this.#journal.flush()
    const { counters = [] } = await this.#worker.ask({ kind: 'counters', names }, FIND_MS)
    return counters
  }

  async flush(): Promise<void> {
    this.#journal.flush()
    await this.#worker.ask({ kind: 'drain' }, FLUSH_MS)
  }

  configure(settings: RequestLogSettings): void {
    this.#settings = settings
    this.#worker.tell({ kind: 'retention', retention: settings.retention })
  }

  stats(): RequestLogStats {
    return {
      journal: this.#journal.stats(),
      backlogBytes: this.#backlog(),
      droppedBodies: this.#droppedBodies,
      countedRefusals: this.#countedRefusals,
      workerRestarts: this.#worker.restarts(),
      progress: this.#progress,
    }
  }

  async close(): Promise<void> {
    for (const record of this.#refusals.take(Date.now(), true)) this.#journal.append(record)
    clearTimeout(this.#timer)
    this.#journal.close()
    this.#notices.look()
    // What the thread does not finish now it finishes after the next start.
    await this.#worker.ask({ kind: 'stop' }, FLUSH_MS).catch((error: unknown) => {
      this.#programLog.warn('the request log is imported at the next start', { error })
    })
    this.#worker.terminate()
  }

  #append(record: LogRecord): void {
    this.#journal.append(record)
    this.#arm()
  }

  /** Nothing runs while nothing is written. */
  #arm(): void {
    this.#timer ??= setTimeout(() => this.#tick(), WAKE_MS)
  }

  #tick(): void {
    this.#timer = undefined
    for (const record of this.#refusals.take(Date.now())) this.#journal.append(record)
    const isWritten = this.#journal.flush()
    this.#notices.look()
    const { writtenBytes } = this.#journal
    if (writtenBytes !== this.#toldBytes) {
      this.#toldBytes = writtenBytes
      this.#worker.tell({ kind: 'wake' })
    }
    if (!isWritten || this.#refusals.isCounting()) this.#arm()
  }

  #backlog(): number {
    return this.#known.unreadBytes + this.#journal.writtenBytes - this.#known.writtenBytes
  }
}

/** Providers like to repeat the credential that they refuse. */
function withoutSecrets<R extends AttemptRecord | EndRecord>(record: R): R {
  if (record.errorMessage === undefined) return record
  return { ...record, errorMessage: redact(record.errorMessage) }
}

/** Says in the program log what happens to the journal, each thing once or seldom. */
class Notices {
  readonly #journal: Journal
  readonly #programLog: ProgramLog
  #lastState: 'ok' | 'full' = 'ok'
  #droppedAtMs = -Infinity

  constructor(journal: Journal, programLog: ProgramLog) {
    this.#journal = journal
    this.#programLog = programLog
  }

  look(): void {
    const { state } = this.#journal
    if (state === this.#lastState) return
    this.#lastState = state
    const { problem, lostRows } = this.#journal.stats()
    if (state === 'full') this.#programLog.error('the request log is not written', { problem })
    else this.#programLog.info('the request log is written again', { lost_rows: lostRows })
  }

  dropped(droppedBodies: number): void {
    const nowMs = performance.now()
    if (nowMs - this.#droppedAtMs < NOTICE_MS) return
    this.#droppedAtMs = nowMs
    this.#programLog.warn('the request log is behind and drops bodies', {
      dropped_bodies: droppedBodies,
    })
  }
}
