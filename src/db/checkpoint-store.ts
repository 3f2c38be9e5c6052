import type { Database } from 'bun:sqlite'
import { stringOf } from '../std/record'

/** What stands in the database of the checkpoint of the ledger's counters. */
export type StoredCheckpoint = {
  /** Every counter without a newer row of its own counts entries up to this one. */
  readonly through: number
  /** The limits whose counters are complete, in JSON. */
  readonly limits: string
  /** The mark of its end; 0 where there was none yet. */
  readonly mark: number
}

/** A counter as it is kept; its stretches are JSON. */
export type CounterRow = {
  readonly limitId: string
  readonly name: string
  readonly through: number
  readonly endsAtMs: number | null
  readonly stretches: string
}

/** Takes checkpoints down, piece by piece in the order of their marks; what was read before changes nothing. */
export type CheckpointWriter = {
  /** `complete`: those limits alone are complete from now on that were and are among them; left out for all that were. */
  begin(mark: number, complete?: readonly string[]): void
  /** The last entry before a mark; `undefined` where the mark was read before. */
  mark(mark: number): number | undefined
  put(mark: number, counters: readonly Omit<CounterRow, 'through'>[]): void
  /** The checkpoint counts from now on, if it goes on from the last one that does and nothing of it is missing. */
  end(mark: number, of: { after: number; count: number; limits: unknown }): void
}

type State = {
  through: number
  limits: string
  mark: number
  seen: number
  pendingThrough: number
  pendingCount: number
}

const NO_STATE: State = {
  ...{ through: 0, limits: '[]', mark: 0, seen: 0, pendingThrough: 0, pendingCount: 0 },
}

const SELECT_STATE = `SELECT through, limits, mark, seen, pending_through AS pendingThrough,
  pending_count AS pendingCount FROM ledger_checkpoints WHERE id = 1`

/** How often counters that say nothing any more are deleted. */
const PRUNE_MS = 3_600_000

/** Writes checkpoints into the log's database, within the transactions of whoever calls. */
export function createCheckpointWriter(
  database: Database,
  now: () => number = Date.now
): CheckpointWriter {
  const select = database.query<State, []>(SELECT_STATE)
  const lastEntry = database.query<{ last: number | null }, []>(
    'SELECT max(sequence) AS last FROM ledger_entries'
  )
  const save = database.prepare(
    `INSERT OR REPLACE INTO ledger_checkpoints
     (id, through, limits, mark, seen, pending_through, pending_count) VALUES (1, ?, ?, ?, ?, ?, ?)`
  )
  const put = database.prepare(
    `INSERT OR REPLACE INTO ledger_counters (limit_id, name, through, ends_at_ms, stretches)
     VALUES (?, ?, ?, ?, ?)`
  )
  const prune = database.prepare('DELETE FROM ledger_counters WHERE ends_at_ms <= ?')
  let prunedAtMs = now()

  const last = () => lastEntry.get()?.last ?? 0

  /** The state as it is to be changed; `undefined` for a mark that was read before. */
  function read(mark: number): State | undefined {
    const state = select.get() ?? { ...NO_STATE }
    if (mark <= state.seen) return undefined
    state.seen = mark
    return state
  }

  function write(state: State): void {
    const { through, limits, mark, seen, pendingThrough, pendingCount } = state
    save.run(through, limits, mark, seen, pendingThrough, pendingCount)
  }

  return {
    begin(mark, complete) {
      const state = read(mark)
      if (state === undefined) return
      if (complete) state.limits = keepLimits(state.limits, complete)
      write({ ...state, pendingThrough: last(), pendingCount: 0 })
    },
    mark(mark) {
      const state = read(mark)
      if (state === undefined) return undefined
      write(state)
      return last()
    },
    put(mark, counters) {
      const state = read(mark)
      if (state === undefined) return
      const through = last()
      for (const { limitId, name, endsAtMs, stretches } of counters)
        put.run(limitId, name, through, endsAtMs, stretches)
      write({ ...state, pendingCount: state.pendingCount + counters.length })
    },
    end(mark, { after, count, limits }) {
      const state = read(mark)
      if (state === undefined) return
      const isWhole = state.pendingCount === count && (after === 0 || after === state.mark)
      if (!isWhole) return write(state)
      write({ ...state, through: state.pendingThrough, limits: JSON.stringify(limits), mark })
      if (now() - prunedAtMs < PRUNE_MS) return
      prunedAtMs = now()
      prune.run(prunedAtMs)
    },
  }
}

function keepLimits(limits: string, ids: readonly string[]): string {
  const kept = new Set<string | undefined>(ids)
  const written: unknown[] = JSON.parse(limits)
  return JSON.stringify(written.filter((limit) => kept.has(stringOf(limit, 'id'))))
}

/** The checkpoint that counts; `undefined` before the first. */
export function readCheckpoint(database: Database): StoredCheckpoint | undefined {
  const state = database.query<State, []>(SELECT_STATE).get()
  if (state === null || state.mark === 0) return undefined
  return { through: state.through, limits: state.limits, mark: state.mark }
}

const SELECT_COUNTER = `SELECT limit_id AS limitId, name, through, ends_at_ms AS endsAtMs, stretches
  FROM ledger_counters`

/** Every counter of a limit that says something still, one by one. */
export function readCounters(
  database: Database,
  limitId: string,
  nowMs: number
): Iterable<CounterRow> {
  return database
    .query<CounterRow, [string, number]>(
      `${SELECT_COUNTER} WHERE limit_id = ? AND (ends_at_ms IS NULL OR ends_at_ms > ?)`
    )
    .iterate(limitId, nowMs)
}

/** One counter of a limit; `undefined` where it had counted nothing. */
export function readCounter(
  database: Database,
  limitId: string,
  name: string
): CounterRow | undefined {
  const query = database.query<CounterRow, [string, string]>(
    `${SELECT_COUNTER} WHERE limit_id = ? AND name = ?`
  )
  return query.get(limitId, name) ?? undefined
}

/** Whether a limit has more than so many counters. */
export function hasManyCounters(database: Database, limitId: string, many: number): boolean {
  const query = database.query<{ count: number }, [string, number]>(
    `SELECT count(*) AS count FROM (SELECT 1 FROM ledger_counters WHERE limit_id = ? LIMIT ?)`
  )
  return (query.get(limitId, many + 1)?.count ?? 0) > many
}
