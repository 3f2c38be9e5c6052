import type { CounterRow } from '../db/checkpoint-store'
import type { HeldEntry } from '../db/deferred-holds'
import type { RequestRow } from '../db/log-schema'
import type { OwnedKind, OwnedObject, OwnedPage } from '../db/owned-objects'
import type { JournalPosition } from '../db/log-writer'
import type { LearnedEntry } from '../db/ledger-reader'
import type { CheckpointLimit } from '../limits/checkpoint-limit'
import type { ImportStats } from './log-importer'
import type { CounterState } from './records'

/** Rows older than `ageMs` go, and the oldest while the database holds more than `sizeBytes`. */
export type LogRetentionSettings = { readonly ageMs: number; readonly sizeBytes: number }

export type LogServiceStart = {
  logPath: string
  journalPath: string
  /** The first journal segment of this process. */
  firstSegment: number
  retention: LogRetentionSettings
  /** The last correction that is known to the ledger; `undefined`: those that come from now on are of interest. */
  correctedThrough: number | undefined
}

/** A limit of a key, and the name of its counter. */
export type OwnRecount = {
  readonly keyId: string
  readonly name: string
  readonly limit: CheckpointLimit
}

/** What was spent under limits before a mark, and by corrections up to one; `undefined`: all that are told later. */
export type RecountQuestion = {
  readonly mark: number
  readonly limits: readonly CheckpointLimit[]
  /** Limits of keys themselves. */
  readonly own: readonly OwnRecount[]
  readonly correctedThrough: number | undefined
}

/** What the main thread tells the log's worker; a `call` is answered with its number. */
export type ToLogWorker =
  | { kind: 'start'; start: LogServiceStart }
  | { kind: 'wake' }
  | { kind: 'retention'; retention: LogRetentionSettings }
  | { kind: 'find'; call: number; id: string }
  | { kind: 'counters'; call: number; names: readonly CounterName[] }
  | ({ kind: 'recount'; call: number } & RecountQuestion)
  | { kind: 'deferred'; call: number }
  | { kind: 'owned'; call: number; wanted: OwnedQuestion }
  | { kind: 'drain'; call: number }
  | { kind: 'stop'; call: number }

/** One object, or a page of a key's. */
export type OwnedQuestion =
  { readonly objectKind: OwnedKind; readonly id: string } | { readonly page: OwnedPage }

export type CounterName = { readonly limitId: string; readonly name: string }

/** What the worker was asked for. */
export type LogAnswer = {
  readonly row?: RequestRow | undefined
  readonly counters?: readonly CounterRow[]
  /** What was spent under limits before a mark. */
  readonly recounted?: readonly CounterState[] | undefined
  /** The holds that wait for their settlement. */
  readonly deferred?: readonly HeldEntry[]
  readonly owned?: readonly OwnedObject[]
}

export type LogProgress = ImportStats & {
  position: JournalPosition
  /** Bytes of the journal not yet read. */
  unreadBytes: number
  deletedRows: number
}

export type FromLogWorker =
  | { kind: 'progress'; progress: LogProgress }
  | { kind: 'answer'; call: number; answer: LogAnswer }
  /** Corrections that others have written since. */
  | { kind: 'corrections'; entries: readonly LearnedEntry[] }
  /** The worker's last words. */
  | { kind: 'failed'; message: string }
