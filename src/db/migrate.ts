import { Database } from 'bun:sqlite'
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { SQLiteBunSession } from 'drizzle-orm/bun-sqlite/session'
import { SQLiteSyncDialect } from 'drizzle-orm/sqlite-core'
import type { DataDirectory } from './data-directory'
import { takeFileLock } from './lock'
import type { Migration } from './migrations/migration'
import { logMigrations } from './migrations/log/migrations'
import { stateMigrations } from './migrations/state/migrations'
import { openSqlite } from './open'
import type { OpenSqliteOptions } from './open'

export type Migrated = { ok: true } | { ok: false; problem: string }

// A big table can take long to rebuild; beyond this something else is wrong.
const LOCK_WAIT_MS = 30_000

/**
 * Brings both databases of a data directory to this program's schema, or says why not. Any number of
 * processes may do it at once: one works, the others wait. Nothing is locked when nothing is to do.
 */
export function migrateDatabases(directory: DataDirectory): Migrated {
  const databases = [
    { path: directory.statePath, migrations: stateMigrations, options: {} },
    { path: directory.logPath, migrations: logMigrations, options: { incrementalVacuum: true } },
  ]
  const states = databases.map(({ path, migrations }) => compareSchema(path, migrations))
  for (const state of states) if (state.kind === 'refused') return fail(state.problem)
  if (states.every(({ kind }) => kind === 'current')) return { ok: true }

  const lock = takeFileLock(directory.lockPath, LOCK_WAIT_MS)
  if (lock === undefined) {
    return fail(`${directory.path} is being migrated by another process for over 30 s; try again`)
  }
  try {
    for (const { path, migrations, options } of databases) {
      const migrated = migrateDatabase(path, migrations, options)
      if (!migrated.ok) return migrated
    }
    return { ok: true }
  } finally {
    lock.release()
  }
}

/**
 * Brings the one database at `path` to the schema of `migrations`. Safe in one process at a time:
 * `migrateDatabases` has the lock for more.
 */
export function migrateDatabase(
  path: string,
  migrations: readonly Migration[],
  options: OpenSqliteOptions = {}
): Migrated {
  const state = compareSchema(path, migrations)
  if (state.kind === 'refused') return fail(state.problem)
  if (state.kind === 'current') return { ok: true }
  const database = openSqlite(path, { ...options, durable: true })
  try {
    // Rebuilding a table drops the old one, which must not take the rows that refer to it along.
    database.run('PRAGMA foreign_keys = OFF')
    const dialect = new SQLiteSyncDialect()
    const session = new SQLiteBunSession(database, dialect, undefined)
    dialect.migrate(migrations.map(toDrizzleMigration), session)
    return { ok: true }
  } catch (error) {
    return fail(`${path} can't be migrated: ${messageOf(error)}`)
  } finally {
    database.close()
  }
}

type SchemaState = { kind: 'current' } | { kind: 'behind' } | { kind: 'refused'; problem: string }

function compareSchema(path: string, migrations: readonly Migration[]): SchemaState {
  if (!existsSync(path)) return { kind: 'behind' }
  try {
    const applied = readApplied(path)
    const known = migrations.at(-1)?.createdAtMs ?? 0
    if (applied.lastMs === known) return { kind: 'current' }
    if (applied.lastMs < known) return { kind: 'behind' }
    const theirs = describeVersion(applied.count, applied.lastMs)
    const ours = describeVersion(migrations.length, known)
    return {
      kind: 'refused',
      problem:
        `${path} was written by a newer Tollgate: its ${basename(path, '.db')} schema is ${theirs}, ` +
        `this program knows up to ${ours}; start the newer Tollgate, or restore a backup`,
    }
  } catch (error) {
    return { kind: 'refused', problem: `${path} can't be read: ${messageOf(error)}` }
  }
}

type Applied = { count: number; lastMs: number }

/** What drizzle noted in the database about migrations done; nothing for a database without them. */
function readApplied(path: string): Applied {
  // Not read-only: after a crash only a writer can recover the write-ahead log.
  const database = new Database(path, { readwrite: true, create: false, strict: true })
  try {
    database.run('PRAGMA busy_timeout = 5000')
    const noted = database.query<{ name: string }, []>(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name = '__drizzle_migrations'`
    )
    if (noted.get() === null) return { count: 0, lastMs: 0 }
    const applied = database.query<Applied, []>(
      'SELECT count(*) AS count, coalesce(max(created_at), 0) AS lastMs FROM __drizzle_migrations'
    )
    return applied.get() ?? { count: 0, lastMs: 0 }
  } finally {
    database.close()
  }
}

function toDrizzleMigration({ sql, createdAtMs }: Migration) {
  return {
    sql: sql.split('--> statement-breakpoint'),
    bps: true,
    folderMillis: createdAtMs,
    hash: new Bun.CryptoHasher('sha256').update(sql).digest('hex'),
  }
}

function describeVersion(count: number, lastMs: number): string {
  return `version ${count} (${new Date(lastMs).toISOString()})`
}

function fail(problem: string): Migrated {
  return { ok: false, problem }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // drizzle repeats the statement, and has what SQLite said as the cause.
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
