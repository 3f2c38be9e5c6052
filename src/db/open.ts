import { Database } from 'bun:sqlite'
import { existsSync, openSync, closeSync } from 'node:fs'

export type OpenSqliteOptions = {
  /** Neither writes nor creates the file. */
  readonly?: boolean
  /** Lets `PRAGMA incremental_vacuum` give pages back; only a file made by this call can have it. */
  incrementalVacuum?: boolean
  /** Every commit is on the disk before it returns, at some 0.3 ms each; else a power cut can lose the last ones. */
  durable?: boolean
}

// Long enough for another process's checkpoint, short enough for a person to wait.
const BUSY_TIMEOUT_MS = 5_000

/**
 * Opens the database file at `path` (made with mode 0600 when missing) with the settings that all of
 * ours share: write-ahead log, foreign keys checked, missing parameters an error.
 */
export function openSqlite(path: string, options: OpenSqliteOptions = {}): Database {
  if (options.readonly === true) {
    const database = new Database(path, { readonly: true, strict: true })
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
    return database
  }
  createPrivateFile(path)
  const database = new Database(path, { readwrite: true, create: true, strict: true })
  try {
    // First, or the switch to the write-ahead log can itself fail on another's lock.
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
    // Counts only before the write-ahead log and the first table.
    if (options.incrementalVacuum === true) database.run('PRAGMA auto_vacuum = INCREMENTAL')
    database.run('PRAGMA journal_mode = WAL')
    database.run(`PRAGMA synchronous = ${options.durable === true ? 'FULL' : 'NORMAL'}`)
    database.run('PRAGMA foreign_keys = ON')
  } catch (error) {
    database.close()
    throw error
  }
  return database
}

/**
 * Makes an empty file of mode 0600, unless there is one. SQLite would make it readable to all, and
 * gives the write-ahead log the mode of the file beside it.
 */
export function createPrivateFile(path: string): void {
  // An existing file is never opened: closing it would drop every lock this process holds on it.
  if (existsSync(path)) return
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    // Another process was first.
    if (!existsSync(path)) throw error
  }
}
