import type { Database } from 'bun:sqlite'
import { type CountedEntry, ENTRY_COLUMNS } from './ledger-reader'

/** A hold that outlasts its request. */
export type DeferredRow = {
  readonly requestId: string
  readonly deferredAtMs: number
  /** What the provider calls the work. */
  readonly reference: string
  readonly inputTokens: number
  readonly outputTokens: number
}

/** What became of one. */
export type SettlementRow = {
  readonly requestId: string
  readonly settledAtMs: number
  readonly costNanoUsd?: number | undefined
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
  readonly provenance: string
  readonly priceOrigin?: string | undefined
}

export type DeferredWriter = {
  /** Does nothing when it is there already. */
  put(row: DeferredRow): void
  has(requestId: string): boolean
  /**
   * Adds what a request came to as an entry, once. Where somebody has said so by hand before, that stands: then a
   * correction takes the cost back.
   */
  settle(row: SettlementRow): void
}

/** An entry whose hold has not been settled, with what is held. */
export type HeldEntry = CountedEntry & {
  readonly requestId: string
  readonly reference: string
  readonly deferredAtMs: number
  readonly heldInputTokens: number
  readonly heldOutputTokens: number
}

const OWNER = `request_id, admitted_at_ms, organization, team, key_id, key_name, user_id, session_id, tags,
  provider, model, credential`

/** Writes to the log's database, within the transactions of whoever calls. */
export function createDeferredWriter(database: Database): DeferredWriter {
  const put = database.prepare(
    `INSERT OR IGNORE INTO deferred_holds
     (request_id, deferred_at_ms, reference, input_tokens, output_tokens) VALUES (?, ?, ?, ?, ?)`
  )
  const has = database.prepare('SELECT 1 FROM deferred_holds WHERE request_id = ?')
  const settle = database.prepare<undefined, (string | number | null)[]>(
    `INSERT OR IGNORE INTO ledger_entries (${OWNER}, kind, attempt, cost_nano_usd, held_nano_usd,
       input_tokens, output_tokens, provenance, price_list)
     SELECT ${OWNER}, 'settlement', 0, ?, held_nano_usd, ?, ?, ?, ?
     FROM ledger_entries WHERE request_id = ? AND kind = 'request' AND provenance = 'deferred'`
  )
  const takeBack = database.prepare<undefined, [string]>(
    `INSERT INTO ledger_entries (${OWNER}, kind, attempt, cost_nano_usd, held_nano_usd,
       provenance, price_list, reason)
     SELECT ${OWNER}, 'correction', 1 + (SELECT max(attempt) FROM ledger_entries AS c
         WHERE c.request_id = s.request_id AND c.kind = 'correction'),
       -coalesce(cost_nano_usd, 0), CASE WHEN cost_nano_usd IS NULL THEN -held_nano_usd ELSE 0 END,
       'reconciled', price_list, 'it was settled by hand before'
     FROM ledger_entries AS s WHERE request_id = ?1 AND kind = 'settlement' AND EXISTS
       (SELECT 1 FROM ledger_entries AS c WHERE c.request_id = ?1 AND c.kind = 'correction')`
  )
  const close = createDeferredCloser(database)
  return {
    put: ({ requestId, deferredAtMs, reference, inputTokens, outputTokens }) =>
      void put.run(requestId, deferredAtMs, reference, inputTokens, outputTokens),
    has: (requestId) => has.get(requestId) !== null,
    settle(row) {
      const { requestId, costNanoUsd, inputTokens, outputTokens, provenance, priceOrigin } = row
      const { changes } = settle.run(
        ...[costNanoUsd ?? null, inputTokens ?? null, outputTokens ?? null],
        ...[provenance, priceOrigin ?? null, requestId]
      )
      // The journal may be read twice.
      if (changes > 0) takeBack.run(requestId)
      close(requestId, row.settledAtMs)
    },
  }
}

/** Notes that a hold is held no more. */
export function createDeferredCloser(
  database: Database
): (requestId: string, nowMs: number) => void {
  const close = database.prepare<undefined, [number, string]>(
    'UPDATE deferred_holds SET settled_at_ms = ? WHERE request_id = ? AND settled_at_ms IS NULL'
  )
  return (requestId, nowMs) => void close.run(nowMs, requestId)
}

/** The holds that are held still, the oldest first. */
export function readHeldEntries(database: Database): HeldEntry[] {
  return database
    .query<HeldEntry, []>(
      `SELECT ${ENTRY_COLUMNS}, e.request_id AS requestId, d.reference, d.deferred_at_ms AS deferredAtMs,
         d.input_tokens AS heldInputTokens, d.output_tokens AS heldOutputTokens
       FROM deferred_holds AS d JOIN ledger_entries AS e
         ON e.request_id = d.request_id AND e.kind = 'request' AND e.provenance = 'deferred'
       WHERE d.settled_at_ms IS NULL ORDER BY d.deferred_at_ms`
    )
    .all()
}

/** The requests of holds that are held still, by their own id or what the provider calls the work. */
export function findHeld(database: Database, idOrReference: string): string[] {
  return database
    .query<{ requestId: string }, [string]>(
      `SELECT request_id AS requestId FROM deferred_holds
       WHERE settled_at_ms IS NULL AND (request_id = ?1 OR reference = ?1) LIMIT 10`
    )
    .all(idOrReference)
    .map(({ requestId }) => requestId)
}
