import type { Database } from 'bun:sqlite'
import { and, asc, desc, eq, gt, isNull, max, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { keyChanges, virtualKeys } from './state-schema'
import type { KeyRow } from './state-schema'

export type KeyChange = { seq: number; key: KeyRow }

/** What is asked of the table of keys. Every write notes itself in `key_changes`, in one transaction. */
export type KeyQueries = {
  /** The number of the last change; 0 before the first. */
  latestSeq(): number
  /** Keys in the order of their making, revoked ones too, after the id of the last page's last. */
  page(afterId: string, limit: number): KeyRow[]
  /** The changes after `seq`, each with its key as it is now. */
  changesAfter(seq: number, limit: number): KeyChange[]
  /** By id, else the living key of that name, else the last one revoked under it. */
  find(idOrName: string): KeyRow | undefined
  /** False when a living key has the name. */
  insert(row: KeyRow): boolean
  setEnabled(id: string, enabled: boolean, nowMs: number): void
  revoke(id: string, nowMs: number): void
}

/** Prepares the statements once, on the connection given: a prepared read is 2 µs, an ad hoc one 24. */
export function createKeyQueries(database: Database): KeyQueries {
  const db = drizzle({ client: database })
  const limit = sql.placeholder('limit')
  const latest = db
    .select({ seq: max(keyChanges.seq) })
    .from(keyChanges)
    .prepare()
  const page = db
    .select()
    .from(virtualKeys)
    .where(gt(virtualKeys.id, sql.placeholder('afterId')))
    .orderBy(asc(virtualKeys.id))
    .limit(limit)
    .prepare()
  const changes = db
    .select({ seq: keyChanges.seq, key: virtualKeys })
    .from(keyChanges)
    .innerJoin(virtualKeys, eq(virtualKeys.id, keyChanges.keyId))
    .where(gt(keyChanges.seq, sql.placeholder('seq')))
    .orderBy(asc(keyChanges.seq))
    .limit(limit)
    .prepare()

  return {
    latestSeq: () => latest.get()?.seq ?? 0,
    page: (afterId, limit) => page.all({ afterId, limit }),
    changesAfter: (seq, limit) => changes.all({ seq, limit }),

    find(idOrName) {
      const byId = db.select().from(virtualKeys).where(eq(virtualKeys.id, idOrName)).get()
      if (byId !== undefined) return byId
      return (
        db
          .select()
          .from(virtualKeys)
          .where(eq(virtualKeys.name, idOrName))
          // Revoked ones have a time and come after the living one, which has none.
          .orderBy(sql`${virtualKeys.revokedAtMs} IS NOT NULL`, desc(virtualKeys.revokedAtMs))
          .get()
      )
    },

    insert(row) {
      return db.transaction(
        (tx) => {
          const living = and(eq(virtualKeys.name, row.name), isNull(virtualKeys.revokedAtMs))
          if (tx.select().from(virtualKeys).where(living).get() !== undefined) return false
          tx.insert(virtualKeys).values(row).run()
          tx.insert(keyChanges).values({ keyId: row.id, atMs: row.createdAtMs }).run()
          return true
        },
        { behavior: 'immediate' }
      )
    },

    setEnabled: (id, enabled, nowMs) => update(id, { enabled }, nowMs),
    revoke: (id, nowMs) => update(id, { revokedAtMs: nowMs }, nowMs),
  }

  function update(id: string, change: Partial<KeyRow>, nowMs: number): void {
    db.transaction(
      (tx) => {
        tx.update(virtualKeys).set(change).where(eq(virtualKeys.id, id)).run()
        tx.insert(keyChanges).values({ keyId: id, atMs: nowMs }).run()
      },
      { behavior: 'immediate' }
    )
  }
}
