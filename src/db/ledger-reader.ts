import type { Database } from 'bun:sqlite'

/** An entry as the counters need it, straight from the database. */
export type CountedEntry = {
  readonly sequence: number
  readonly kind: 'request' | 'attempt' | 'settlement' | 'correction'
  readonly admittedAtMs: number
  readonly organization: string
  readonly team: string | null
  readonly keyId: string | null
  readonly keyName: string | null
  readonly user: string | null
  readonly session: string | null
  /** A JSON list. */
  readonly tags: string | null
  readonly provider: string | null
  readonly model: string | null
  readonly credential: string | null
  readonly costNanoUsd: number | null
  readonly heldNanoUsd: number | null
  readonly inputTokens: number | null
  readonly outputTokens: number | null
  readonly provenance: string
}

/** What was learned of a request later. */
export type LearnedEntry = CountedEntry & { readonly requestId: string }

/** What stands in the ledger as a whole. */
export type LedgerTotals = {
  readonly entries: number
  readonly costNanoUsd: number
  readonly unknown: number
  readonly unresolved: number
  /** Requests whose holds wait for a settlement, and the money that is held. */
  readonly deferred: number
  readonly deferredNanoUsd: number
}

export type LedgerReader = {
  /** Entries beside corrections of requests that were admitted since, oldest first, one by one. */
  since(admittedAtMs: number): Iterable<CountedEntry>
  /** Entries beside corrections that were written after the one of a sequence, in their order. */
  behind(sequence: number): Iterable<CountedEntry>
  /** Corrections of requests that were admitted since. */
  corrections(admittedAtMs: number): Iterable<CountedEntry>
  /** The last correction; 0 where there is none. */
  lastCorrection(): number
  /** So many corrections behind the one of a sequence, in their order. */
  correctionsBehind(sequence: number, limit: number): LearnedEntry[]
  /** Requests whose entries, beside corrections, don't say in sum what their log rows do, at most 100. */
  differences(): { requestId: string; entryNanoUsd: number | null; rowNanoUsd: number | null }[]
  /** What stands in the ledger as a whole; what was corrected is neither unknown nor unresolved. */
  totals(): LedgerTotals
}

/** Whether a correction of an entry's request stands beside it: SQL, of `ledger_entries`. */
export const IS_CORRECTED = `EXISTS (SELECT 1 FROM ledger_entries AS c
  WHERE c.request_id = ledger_entries.request_id AND c.kind = 'correction')`

/** Whether an entry's request has a hold that waits for its settlement: SQL, of `ledger_entries`. */
export const IS_HELD = `EXISTS (SELECT 1 FROM deferred_holds AS d
  WHERE d.request_id = ledger_entries.request_id AND d.settled_at_ms IS NULL)`

const NO_TOTALS: LedgerTotals = {
  ...{ entries: 0, costNanoUsd: 0, unknown: 0, unresolved: 0, deferred: 0, deferredNanoUsd: 0 },
}

/** The columns of a `CountedEntry`: SQL, of `ledger_entries AS e`. */
export const ENTRY_COLUMNS = `e.sequence, e.kind, e.admitted_at_ms AS admittedAtMs, e.organization, e.team,
  e.key_id AS keyId, e.key_name AS keyName, e.user_id AS user, e.session_id AS session, e.tags, e.provider,
  e.model, e.cost_nano_usd AS costNanoUsd, e.held_nano_usd AS heldNanoUsd, e.input_tokens AS inputTokens,
  e.output_tokens AS outputTokens, e.provenance, e.credential`

/** Reads the entries of the ledger, in the log's database. */
export function createLedgerReader(database: Database): LedgerReader {
  const select = (where: string) =>
    database.query<CountedEntry, [number]>(
      `SELECT ${ENTRY_COLUMNS} FROM ledger_entries AS e WHERE ${where}`
    )
  const since = select(`admitted_at_ms >= ? AND kind <> 'correction' ORDER BY admitted_at_ms`)
  const behind = select(`sequence > ? AND kind <> 'correction' ORDER BY sequence`)
  const corrections = select(`kind = 'correction' AND admitted_at_ms >= ?`)
  const last = database.query<{ last: number | null }, []>(
    `SELECT max(sequence) AS last FROM ledger_entries WHERE kind = 'correction'`
  )
  const learned = database.query<LearnedEntry, [number, number]>(
    `SELECT ${ENTRY_COLUMNS}, e.request_id AS requestId FROM ledger_entries AS e
     WHERE kind = 'correction' AND sequence > ? ORDER BY sequence LIMIT ?`
  )
  return {
    lastCorrection: () => last.get()?.last ?? 0,
    correctionsBehind: (sequence, limit) => learned.all(sequence, limit),
    since: (admittedAtMs) => since.iterate(admittedAtMs),
    behind: (sequence) => behind.iterate(sequence),
    corrections: (admittedAtMs) => corrections.iterate(admittedAtMs),
    differences: () =>
      database
        .query<{ requestId: string; entryNanoUsd: number | null; rowNanoUsd: number | null }, []>(
          `SELECT requestId, entryNanoUsd, rowNanoUsd FROM (
             SELECT e.request_id AS requestId, r.cost_nano_usd AS rowNanoUsd,
               (SELECT CASE WHEN max(a.cost_nano_usd IS NULL AND a.provenance <> 'none') THEN NULL
                  ELSE sum(a.cost_nano_usd) END
                FROM ledger_entries a WHERE a.request_id = e.request_id AND a.kind <> 'correction') AS entryNanoUsd
             FROM ledger_entries e JOIN requests r ON r.id = e.request_id
             WHERE e.kind = 'request' AND r.outcome NOT IN ('open', 'lost'))
           WHERE entryNanoUsd IS NOT rowNanoUsd LIMIT 100`
        )
        .all(),
    totals() {
      const totals = database
        .query<LedgerTotals, []>(
          `SELECT count(*) AS entries, coalesce(sum(cost_nano_usd), 0) AS costNanoUsd,
             count(*) FILTER (WHERE provenance = 'unknown' AND NOT ${IS_CORRECTED}) AS unknown,
             count(*) FILTER (WHERE provenance = 'unresolved' AND NOT ${IS_CORRECTED}) AS unresolved,
             count(*) FILTER (WHERE provenance = 'deferred' AND ${IS_HELD}) AS deferred,
             coalesce(sum(held_nano_usd) FILTER (WHERE provenance = 'deferred' AND ${IS_HELD}), 0)
               AS deferredNanoUsd
           FROM ledger_entries`
        )
        .get()
      return totals ?? NO_TOTALS
    },
  }
}
