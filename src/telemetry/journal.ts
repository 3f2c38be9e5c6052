import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { ByteWriter } from '../std/byte-writer'
import { writeRecord } from './journal-codec'
import { listSegments, segmentPath } from './journal-files'
import type { LogRecord } from './records'

export type WriteSync = (file: number, bytes: Uint8Array, offset: number, length: number) => number

export type JournalOptions = {
  directory: string
  /** A segment that has grown beyond is followed by a new one. */
  segmentBytes?: number
  /** So is one that has held records for longer, so that what was imported can go. */
  segmentMs?: number
  /** What may wait in memory while the disk takes nothing; records beyond are lost, and counted. */
  pendingBytes?: number
  /** Monotonic milliseconds. */
  now?: () => number
  /** Epoch milliseconds. */
  epochNow?: () => number
  /** Appends some of the bytes to the file, and says how many: the system's own, but for tests. */
  writeSync?: WriteSync
}

export type Journal = {
  /** The segment written to; the first one of this process is always new. */
  readonly segment: number
  /**
   * Takes a record down, to be written by `flush` or `written`. Whether it will be on the disk: false
   * when it is lost.
   */
  append(record: LogRecord): boolean
  /** Writes what waits; whether nothing waits any more. To be called a few times a second. */
  flush(): boolean
  /**
   * Resolves when what waits was handed to the system. All who ask in one turn of the event loop share one
   * system call: on a busy core that is half of what a record costs.
   */
  written(): Promise<void>
  /** Full while the disk refuses what waits. */
  readonly state: 'ok' | 'full'
  /** Bytes that the disk took since the start. */
  readonly writtenBytes: number
  stats(): JournalStats
  close(): void
}

export type JournalStats = {
  writtenBytes: number
  /** Records that never reached the disk because it refused for too long, and their size. */
  lostRecords: number
  lostBytes: number
  /** Requests among them: ends and refusals. */
  lostRows: number
  /** Why the disk refused last. */
  problem: string | undefined
}

const RETRY_MS = 250
/** More is not kept waiting. */
const WRITE_AT_BYTES = 32 << 10
/** Enough for all but bodies. */
const USUAL_BYTES = 64 << 10

/**
 * The request log's first home: lines appended by `write` calls, which survive any death of this
 * process, for a few microseconds a request. What a power cut takes is what the kernel had not yet
 * written: with Linux's defaults up to the last 30 seconds.
 */
export function createJournal(options: JournalOptions): Journal {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 })
  return new SegmentedJournal(options)
}

class SegmentedJournal implements Journal {
  readonly #directory: string
  readonly #segmentBytes: number
  readonly #segmentMs: number
  readonly #pendingBytes: number
  readonly #now: () => number
  readonly #epochNow: () => number
  readonly #writeSync: WriteSync
  readonly #pending = new ByteWriter(USUAL_BYTES)
  readonly #stats: JournalStats = {
    ...{ writtenBytes: 0, lostRecords: 0, lostBytes: 0, lostRows: 0 },
    problem: undefined,
  }
  #segment: number
  #file: number
  #sizeBytes = 0
  #firstWriteMs: number | undefined
  #writing: Promise<void> | undefined
  /** The rest of what the disk took only in part: it goes first, so that no line is torn for good. */
  #unwritten: Buffer | undefined
  #retryAtMs = -Infinity

  constructor(options: JournalOptions) {
    this.#directory = options.directory
    this.#segmentBytes = options.segmentBytes ?? 16 << 20
    this.#segmentMs = options.segmentMs ?? 30_000
    this.#pendingBytes = options.pendingBytes ?? 4 << 20
    this.#now = options.now ?? (() => performance.now())
    this.#epochNow = options.epochNow ?? Date.now
    this.#writeSync = options.writeSync ?? writeSync
    this.#segment = nextSegment(this.#directory, this.#epochNow())
    this.#file = openSegment(this.#directory, this.#segment)
  }

  get segment(): number {
    return this.#segment
  }

  get state(): 'ok' | 'full' {
    return this.#unwritten === undefined ? 'ok' : 'full'
  }

  get writtenBytes(): number {
    return this.#stats.writtenBytes
  }

  stats(): JournalStats {
    return { ...this.#stats }
  }

  append(record: LogRecord): boolean {
    const isRefused = this.#unwritten !== undefined && !this.flush()
    const pending = this.#pending
    const before = pending.length
    try {
      writeRecord(pending, record)
    } catch (error) {
      // Half a line would take the next one with it.
      pending.cutTo(before)
      throw error
    }
    if (isRefused && this.#isOver(record)) {
      this.#stats.lostRecords += 1
      this.#stats.lostBytes += pending.length - before
      if (record.kind === 'end' || record.kind === 'refusals') this.#stats.lostRows += 1
      pending.cutTo(before)
      return false
    }
    if (pending.length > WRITE_AT_BYTES) this.flush()
    return true
  }

  flush(): boolean {
    if (this.#unwritten !== undefined) {
      if (this.#now() < this.#retryAtMs) return false
      if (!this.#write(this.#unwritten, this.#unwritten.length)) return false
    }
    const { bytes, length } = this.#pending
    if (length > 0) {
      this.#pending.clear()
      if (!this.#write(bytes, length)) return false
    }
    if (this.#sizeBytes > 0) this.#rotateWhenDue()
    return true
  }

  written(): Promise<void> {
    this.#writing ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#writing = undefined
        this.flush()
        resolve()
      })
    })
    return this.#writing
  }

  close(): void {
    this.#retryAtMs = -Infinity
    this.flush()
    closeSync(this.#file)
  }

  /** While the disk refuses, a body is worth less than room for the rows behind it. */
  #isOver({ kind }: LogRecord): boolean {
    const waiting = (this.#unwritten?.length ?? 0) + this.#pending.length
    return kind === 'bodies' || waiting > this.#pendingBytes
  }

  #write(bytes: Buffer, length: number): boolean {
    let from = 0
    try {
      while (from < length) {
        const taken = this.#writeSync(this.#file, bytes, from, length - from)
        // Else a file that takes nothing and reports no error would hold us here for ever.
        if (taken === 0) throw new Error('the disk took nothing')
        from += taken
      }
      this.#unwritten = undefined
    } catch (error) {
      this.#unwritten = Buffer.from(bytes.subarray(from, length))
      this.#retryAtMs = this.#now() + RETRY_MS
      this.#stats.problem = messageOf(error)
    }
    this.#sizeBytes += from
    this.#stats.writtenBytes += from
    return this.#unwritten === undefined
  }

  #rotateWhenDue(): void {
    const nowMs = this.#now()
    this.#firstWriteMs ??= nowMs
    const isDue =
      this.#sizeBytes >= this.#segmentBytes || nowMs - this.#firstWriteMs >= this.#segmentMs
    if (!isDue || nowMs < this.#retryAtMs) return
    try {
      const next = nextSegment(this.#directory, this.#epochNow())
      const file = openSegment(this.#directory, next)
      closeSync(this.#file)
      this.#file = file
      this.#segment = next
      this.#sizeBytes = 0
      this.#firstWriteMs = undefined
    } catch (error) {
      // The old segment serves on until there is room for another file.
      this.#retryAtMs = nowMs + RETRY_MS
      this.#stats.problem = messageOf(error)
    }
  }
}

/**
 * Above every segment there is, and never one that was: numbers follow the clock's seconds, so an
 * emptied folder does not start again at numbers that the importer believes it has read.
 */
function nextSegment(directory: string, epochMs: number): number {
  const last = listSegments(directory).at(-1) ?? 0
  return Math.max(last + 1, Math.floor(epochMs / 1_000))
}

function openSegment(directory: string, segment: number): number {
  return openSync(segmentPath(directory, segment), 'ax', 0o600)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
