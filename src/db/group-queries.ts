import type { Database } from 'bun:sqlite'
import { and, asc, count, eq, gt, isNull, max, or, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { groupChanges, keyGroups, virtualKeys } from './state-schema'
import type { GroupRow } from './state-schema'

export type GroupKind = GroupRow['kind']

export type GroupChange = { seq: number; group: GroupRow }

/** How much belongs to a group: keys that were not revoked, and for an organization its teams. */
export type Belongings = { keys: number; teams: number }

/** Columns of a group that may be written anew. */
export type GroupUpdate = Partial<Pick<GroupRow, 'models' | 'rights' | 'limits' | 'metadata'>>

/** What is asked of the table of organizations and teams. Every write notes itself in `group_changes`. */
export type GroupQueries = {
  /** The number of the last change; 0 before the first. */
  latestSeq(): number
  /** Every one that exists, by name; those of one kind, or of one organization, where said. */
  list(kind?: GroupKind, parentId?: string): GroupRow[]
  /** The changes after `seq`, each with its group as it is now. */
  changesAfter(seq: number, limit: number): GroupChange[]
  /** An existing one by id or name. */
  find(kind: GroupKind, idOrName: string): GroupRow | undefined
  /** By id, deleted or not. */
  get(id: string): GroupRow | undefined
  /** False when there is one of the kind and name, or its organization is gone. */
  insert(row: GroupRow): boolean
  update(id: string, change: GroupUpdate, nowMs: number): void
  /** Deletes it unless something belongs to it; gives what does. */
  delete(id: string, nowMs: number): Belongings
}

const EXISTS = isNull(keyGroups.deletedAtMs)
const IMMEDIATE = { behavior: 'immediate' } as const

/** Gives the queries on an open connection. */
export function createGroupQueries(database: Database): GroupQueries {
  const db = drizzle({ client: database })
  const latest = db
    .select({ seq: max(groupChanges.seq) })
    .from(groupChanges)
    .prepare()

  return {
    latestSeq: () => latest.get()?.seq ?? 0,
    get: (id) => db.select().from(keyGroups).where(eq(keyGroups.id, id)).get(),

    list: (kind, parentId) =>
      db
        .select()
        .from(keyGroups)
        .where(
          and(
            EXISTS,
            kind && eq(keyGroups.kind, kind),
            parentId === undefined ? undefined : eq(keyGroups.parentId, parentId)
          )
        )
        .orderBy(asc(keyGroups.name))
        .all(),

    changesAfter: (seq, limit) =>
      db
        .select({ seq: groupChanges.seq, group: keyGroups })
        .from(groupChanges)
        .innerJoin(keyGroups, eq(keyGroups.id, groupChanges.groupId))
        .where(gt(groupChanges.seq, seq))
        .orderBy(asc(groupChanges.seq))
        .limit(limit)
        .all(),

    find(kind, idOrName) {
      const named = or(eq(keyGroups.id, idOrName), eq(keyGroups.name, idOrName))
      return (
        db
          .select()
          .from(keyGroups)
          .where(and(EXISTS, eq(keyGroups.kind, kind), named))
          // An id is never taken for another one's name.
          .orderBy(sql`${keyGroups.id} <> ${idOrName}`)
          .get()
      )
    },

    insert: (row) => insertGroup(db, row),

    update(id, change, nowMs) {
      db.transaction((tx) => {
        if (Object.keys(change).length > 0)
          tx.update(keyGroups).set(change).where(eq(keyGroups.id, id)).run()
        tx.insert(groupChanges).values({ groupId: id, atMs: nowMs }).run()
      }, IMMEDIATE)
    },

    delete: (id, nowMs) => deleteGroup(db, id, nowMs),
  }
}

type Db = ReturnType<typeof drizzle>

function insertGroup(db: Db, row: GroupRow): boolean {
  return db.transaction((tx) => {
    const same = and(EXISTS, eq(keyGroups.kind, row.kind), eq(keyGroups.name, row.name))
    if (tx.select().from(keyGroups).where(same).get() !== undefined) return false
    if (row.parentId !== null) {
      const parent = and(EXISTS, eq(keyGroups.id, row.parentId))
      if (tx.select().from(keyGroups).where(parent).get() === undefined) return false
    }
    tx.insert(keyGroups).values(row).run()
    tx.insert(groupChanges).values({ groupId: row.id, atMs: row.createdAtMs }).run()
    return true
  }, IMMEDIATE)
}

function deleteGroup(db: Db, id: string, nowMs: number): Belongings {
  return db.transaction((tx) => {
    const livingKeys = and(eq(virtualKeys.groupId, id), isNull(virtualKeys.revokedAtMs))
    const livingTeams = and(EXISTS, eq(keyGroups.parentId, id))
    const keys = tx.select({ many: count() }).from(virtualKeys).where(livingKeys).get()
    const teams = tx.select({ many: count() }).from(keyGroups).where(livingTeams).get()
    const belongings = { keys: keys?.many ?? 0, teams: teams?.many ?? 0 }
    if (belongings.keys + belongings.teams === 0) {
      tx.update(keyGroups).set({ deletedAtMs: nowMs }).where(eq(keyGroups.id, id)).run()
      tx.insert(groupChanges).values({ groupId: id, atMs: nowMs }).run()
    }
    return belongings
  }, IMMEDIATE)
}
