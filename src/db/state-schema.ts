import { sql } from 'drizzle-orm'
import type { AnySQLiteColumn } from 'drizzle-orm/sqlite-core'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

/** Organizations and teams: whom keys belong to. A team belongs to an organization. */
export const keyGroups = sqliteTable(
  'key_groups',
  {
    id: text().primaryKey(),
    kind: text({ enum: ['organization', 'team'] }).notNull(),
    name: text().notNull(),
    /** The organization of a team; null for an organization. */
    parentId: text('parent_id').references((): AnySQLiteColumn => keyGroups.id),
    /** A JSON list of globs over `provider/model`; null allows every model. */
    models: text(),
    /** JSON: the other lists of rights; null where there is none. */
    rights: text(),
    /** A JSON list of budgets and limits; null where there is none. */
    limits: text(),
    /** JSON: texts by name; null where there is none. */
    metadata: text(),
    createdAtMs: integer('created_at_ms').notNull(),
    /** It is kept for what was spent under it; null as long as it exists. */
    deletedAtMs: integer('deleted_at_ms'),
  },
  (table) => [
    // The name of a deleted one is free again.
    uniqueIndex('key_groups_live_name')
      .on(table.kind, table.name)
      .where(sql`deleted_at_ms IS NULL`),
    index('key_groups_parent').on(table.parentId),
  ]
)

/** The keys we issue. Of a token only a keyed hash is stored, and its last characters for people. */
export const virtualKeys = sqliteTable(
  'virtual_keys',
  {
    id: text().primaryKey(),
    name: text().notNull(),
    /** HMAC-SHA256 of the token under the data directory's secret, base64. */
    tokenHash: text('token_hash').notNull().unique(),
    /** The last four characters of the token. */
    tokenHint: text('token_hint').notNull(),
    /** A JSON list of globs over `provider/model`; null allows every model. */
    models: text(),
    /** Whether its requests' bodies are kept; null leaves it to the configuration. */
    bodies: text({ enum: ['off', 'full'] }),
    enabled: integer({ mode: 'boolean' }).notNull(),
    expiresAtMs: integer('expires_at_ms'),
    revokedAtMs: integer('revoked_at_ms'),
    createdAtMs: integer('created_at_ms').notNull(),
    /** Its team, or the organization it belongs to without one; null is the default organization. */
    groupId: text('group_id').references(() => keyGroups.id),
    /** JSON: the other lists of rights, and required headers; null where there is none. */
    rights: text(),
    /** A JSON list of budgets and limits; null where there is none. */
    limits: text(),
    /** JSON: texts by name; null where there is none. */
    metadata: text(),
    /** Where the token is not ours: a text that was imported, or only its SHA-256 as LiteLLM keeps it. */
    tokenKind: text('token_kind', { enum: ['imported', 'litellm'] }),
  },
  (table) => [
    // The name of a revoked key is free again.
    uniqueIndex('virtual_keys_live_name')
      .on(table.name)
      .where(sql`revoked_at_ms IS NULL`),
    index('virtual_keys_name').on(table.name),
    index('virtual_keys_group').on(table.groupId),
  ]
)

/** Tokens that a rotation replaced; each opens its key until its time ends. */
export const previousTokens = sqliteTable(
  'previous_tokens',
  {
    tokenHash: text('token_hash').primaryKey(),
    keyId: text('key_id')
      .notNull()
      .references(() => virtualKeys.id),
    tokenHint: text('token_hint').notNull(),
    tokenKind: text('token_kind', { enum: ['imported', 'litellm'] }),
    endsAtMs: integer('ends_at_ms').notNull(),
  },
  (table) => [index('previous_tokens_key').on(table.keyId)]
)

/** Append-only: one row for each write of a key. A running gateway follows it by `seq`. */
export const keyChanges = sqliteTable('key_changes', {
  seq: integer().primaryKey({ autoIncrement: true }),
  keyId: text('key_id')
    .notNull()
    .references(() => virtualKeys.id),
  atMs: integer('at_ms').notNull(),
})

/** Append-only: one row for each write of an organization or a team. */
export const groupChanges = sqliteTable('group_changes', {
  seq: integer().primaryKey({ autoIncrement: true }),
  groupId: text('group_id')
    .notNull()
    .references(() => keyGroups.id),
  atMs: integer('at_ms').notNull(),
})

export type GroupRow = typeof keyGroups.$inferSelect
export type KeyRow = typeof virtualKeys.$inferSelect
/** A key to be stored; columns that are left out are null. */
export type NewKeyRow = typeof virtualKeys.$inferInsert
export type PreviousTokenRow = typeof previousTokens.$inferSelect
export type TokenKind = KeyRow['tokenKind']
