import { sql } from 'drizzle-orm'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

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
  },
  (table) => [
    // The name of a revoked key is free again.
    uniqueIndex('virtual_keys_live_name')
      .on(table.name)
      .where(sql`revoked_at_ms IS NULL`),
    index('virtual_keys_name').on(table.name),
  ]
)

/** Append-only: one row for each write of a key. A running gateway follows it by `seq`. */
export const keyChanges = sqliteTable('key_changes', {
  seq: integer().primaryKey({ autoIncrement: true }),
  keyId: text('key_id')
    .notNull()
    .references(() => virtualKeys.id),
  atMs: integer('at_ms').notNull(),
})

export type KeyRow = typeof virtualKeys.$inferSelect
