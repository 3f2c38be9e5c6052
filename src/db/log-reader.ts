import type { Database } from 'bun:sqlite'
import { and, desc, eq, gt, ne, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { requestBodies, requests } from './log-schema'
import type { RequestBodiesRow, RequestRow } from './log-schema'

export type LogReader = {
  find(id: string): RequestRow | undefined
  findBodies(id: string): RequestBodiesRow | undefined
  /** Rows whose end is not known yet. */
  open(): RequestRow[]
  /** The last `limit` rows with an end, oldest first. */
  newest(limit: number): RequestRow[]
  /** Up to `limit` rows with an end that came after the row with `sequence`, oldest first. */
  after(sequence: number, limit: number): RequestRow[]
}

/** Reads of the log database, each prepared once. */
export function createLogReader(database: Database): LogReader {
  const db = drizzle({ client: database })
  const final = ne(requests.outcome, 'open')
  const limit = sql.placeholder('limit')
  const byId = eq(requests.id, sql.placeholder('id'))
  const find = db.select().from(requests).where(byId).prepare()
  const findBodies = db
    .select()
    .from(requestBodies)
    .where(eq(requestBodies.requestId, sql.placeholder('id')))
    .prepare()
  // Spelled out, not bound, so that the partial index serves it.
  const open = db
    .select()
    .from(requests)
    .where(sql`outcome = 'open'`)
    .prepare()
  const newest = db
    .select()
    .from(requests)
    .where(final)
    .orderBy(desc(requests.sequence))
    .limit(limit)
    .prepare()
  const after = db
    .select()
    .from(requests)
    .where(and(gt(requests.sequence, sql.placeholder('sequence')), final))
    .orderBy(requests.sequence)
    .limit(limit)
    .prepare()

  return {
    find: (id) => find.get({ id }),
    findBodies: (id) => findBodies.get({ id }),
    open: () => open.all(),
    newest: (rows) => newest.all({ limit: rows }).reverse(),
    after: (sequence, rows) => after.all({ sequence, limit: rows }),
  }
}
