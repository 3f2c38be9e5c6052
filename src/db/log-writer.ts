import type { Database } from 'bun:sqlite'
import { createDeferredWriter, type DeferredWriter } from './deferred-holds'
import { createOwnedWriter, type OwnedWriter } from './owned-objects'
import type { LedgerEntryRow, RequestBodiesRow, RequestRow } from './log-schema'

/** A row as it is written: its lists already as JSON, its place in the order given by the database. */
export type RequestInsert = Omit<
  RequestRow,
  | 'sequence'
  | 'finishReasons'
  | 'attempts'
  | 'costDetail'
  | 'usageDetail'
  | 'owner'
  | 'held'
  | 'route'
> & {
  finishReasons: string | null
  attempts: string | null
  costDetail: string | null
  usageDetail: string | null
  owner: string | null
  held: string | null
  route: string | null
}

/** An entry as it is written: its tags already as JSON, its place in the order given by the database. */
export type LedgerEntryInsert = Omit<LedgerEntryRow, 'sequence' | 'tags' | 'reason'> & {
  tags: string | null
}

export type JournalPosition = { segment: number; offsetBytes: number }

export type LogWriter = {
  /** Does nothing when the id has a row already, so that the journal may be read twice. */
  insert(row: RequestInsert): void
  /** Makes way for the final row of a request, which then comes last in the order. */
  removeOpen(id: string): void
  updateOpen(id: string, attempts: string, held: string | null): void
  putBodies(row: RequestBodiesRow): void
  /** Does nothing when the request has its entry already. */
  putEntry(row: LedgerEntryInsert): void
  /** Holds that outlast their requests. */
  readonly deferred: DeferredWriter
  /** Whose ids of providers are. */
  readonly owned: OwnedWriter
  position(): JournalPosition | undefined
  setPosition(position: JournalPosition): void
  /** Runs `work` in one transaction that holds the write lock from its start. */
  transact(work: () => void): void
  /**
   * Moves the write-ahead log into the database file and that to the disk, without waiting for
   * readers; whether all of it went.
   */
  checkpoint(): boolean
}

const REQUEST_COLUMNS = [
  ...['id', 'started_at_ms', 'ended_at_ms', 'key_id', 'key_name', 'client_request_id', 'api'],
  ...['operation', 'requested_model', 'provider', 'model', 'status', 'outcome', 'error_code'],
  ...['error_message', 'stream', 'input_tokens', 'output_tokens', 'cache_read_tokens'],
  ...['cache_write_tokens', 'reasoning_tokens', 'audio_input_tokens', 'audio_output_tokens'],
  ...['usage_provenance', 'finish_reasons', 'first_token_ms', 'total_ms', 'gateway_ms'],
  ...[
    'body_bytes',
    'answer_bytes',
    'attempts',
    'count',
    'journal_segment',
    'lossy',
    'cost_nano_usd',
  ],
  ...['cost_provenance', 'cost_detail', 'usage_detail', 'owner', 'held', 'route'],
]

const ENTRY_COLUMNS = [
  ...[
    'request_id',
    'kind',
    'attempt',
    'admitted_at_ms',
    'organization',
    'team',
    'key_id',
    'key_name',
    'user_id',
  ],
  ...['session_id', 'tags', 'provider', 'model', 'cost_nano_usd', 'held_nano_usd'],
  ...['input_tokens', 'output_tokens', 'provenance', 'price_list', 'credential'],
]

/** Writes to the log database. Raw and positional: the builder would cost as much as the insert. */
export function createLogWriter(database: Database): LogWriter {
  const insert = database.prepare(
    `INSERT OR IGNORE INTO requests (${REQUEST_COLUMNS.join(', ')})
     VALUES (${REQUEST_COLUMNS.map(() => '?').join(', ')})`
  )
  const removeOpen = database.prepare(`DELETE FROM requests WHERE id = ? AND outcome = 'open'`)
  const updateOpen = database.prepare(
    `UPDATE requests SET attempts = ?, held = ? WHERE id = ? AND outcome = 'open'`
  )
  const putBodies = database.prepare(
    `INSERT OR REPLACE INTO request_bodies
     (request_id, request, answer, request_truncated, answer_truncated) VALUES (?, ?, ?, ?, ?)`
  )
  const putEntry = database.prepare(
    `INSERT OR IGNORE INTO ledger_entries (${ENTRY_COLUMNS.join(', ')})
     VALUES (${ENTRY_COLUMNS.map(() => '?').join(', ')})`
  )
  const position = database.query<JournalPosition, []>(
    'SELECT segment, offset_bytes AS offsetBytes FROM journal_positions WHERE id = 1'
  )
  const setPosition = database.prepare(
    'INSERT OR REPLACE INTO journal_positions (id, segment, offset_bytes) VALUES (1, ?, ?)'
  )
  const checkpoint = database.query<{ busy: number; log: number; checkpointed: number }, []>(
    'PRAGMA wal_checkpoint(PASSIVE)'
  )
  const transaction = database.transaction((work: () => void) => work())
  let deferred: DeferredWriter | undefined
  let owned: OwnedWriter | undefined

  return {
    insert: (row) => void insert.run(...toParameters(row)),
    removeOpen: (id) => void removeOpen.run(id),
    updateOpen: (id, attempts, held) => void updateOpen.run(attempts, held, id),
    putBodies: (row) =>
      void putBodies.run(
        row.requestId,
        row.request,
        row.answer,
        row.requestTruncated,
        row.answerTruncated
      ),
    putEntry: (row) => void putEntry.run(...toEntryParameters(row)),
    // Few have any use for it: its statements are prepared then.
    get owned() {
      return (owned ??= createOwnedWriter(database))
    },
    get deferred() {
      return (deferred ??= createDeferredWriter(database))
    },
    position: () => position.get() ?? undefined,
    setPosition: ({ segment, offsetBytes }) => void setPosition.run(segment, offsetBytes),
    transact: (work) => transaction.immediate(work),
    checkpoint() {
      const result = checkpoint.get()
      return result !== null && result.busy === 0 && result.log === result.checkpointed
    },
  }
}

/** The values of an entry in the order of `ENTRY_COLUMNS`. */
function toEntryParameters(row: LedgerEntryInsert) {
  return [
    ...[
      row.requestId,
      row.kind,
      row.attempt,
      row.admittedAtMs,
      row.organization,
      row.team,
      row.keyId,
      row.keyName,
    ],
    ...[row.user, row.session, row.tags, row.provider, row.model, row.costNanoUsd],
    ...[row.heldNanoUsd, row.inputTokens, row.outputTokens, row.provenance, row.priceList],
    row.credential,
  ]
}

/** The values of a row in the order of `REQUEST_COLUMNS`. */
function toParameters(row: RequestInsert) {
  return [
    ...[row.id, row.startedAtMs, row.endedAtMs, row.keyId, row.keyName, row.clientRequestId],
    ...[row.api, row.operation, row.requestedModel, row.provider, row.model, row.status],
    ...[row.outcome, row.errorCode, row.errorMessage, row.stream, row.inputTokens],
    ...[row.outputTokens, row.cacheReadTokens, row.cacheWriteTokens, row.reasoningTokens],
    ...[row.audioInputTokens, row.audioOutputTokens, row.usageProvenance, row.finishReasons],
    ...[row.firstTokenMs, row.totalMs, row.gatewayMs, row.bodyBytes, row.answerBytes],
    ...[row.attempts, row.count, row.journalSegment, row.lossy, row.costNanoUsd],
    ...[row.costProvenance, row.costDetail, row.usageDetail, row.owner, row.held, row.route],
  ]
}
