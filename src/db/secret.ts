import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { Database } from 'bun:sqlite'
import type { DataDirectory } from './data-directory'
import { takeFileLock } from './lock'

export type LoadedSecret = { ok: true; secret: Uint8Array } | { ok: false; problem: string }

const SECRET_BYTES = 32
const LOCK_WAIT_MS = 30_000

/**
 * Reads the 32 bytes that every stored hash depends on, making them at the first start: once, however
 * many processes start together. Refused when they are gone while keys that need them exist.
 */
export function loadSecret(directory: DataDirectory): LoadedSecret {
  const path = directory.secretPath
  try {
    if (!existsSync(path)) {
      const problem = makeSecret(directory)
      if (problem !== undefined) return { ok: false, problem }
    }
    const secret = readFileSync(path)
    if (secret.length === SECRET_BYTES) return { ok: true, secret }
    return { ok: false, problem: `${path} has ${secret.length} bytes instead of ${SECRET_BYTES}` }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { ok: false, problem: `${path} can't be used: ${message}` }
  }
}

function makeSecret(directory: DataDirectory): string | undefined {
  const lock = takeFileLock(directory.lockPath, LOCK_WAIT_MS)
  if (lock === undefined) return `${directory.path} is locked by another process for over 30 s`
  try {
    if (existsSync(directory.secretPath)) return undefined
    if (hasKeys(directory.statePath)) {
      return (
        `${directory.secretPath} is missing, and without it no virtual key in ${directory.statePath} ` +
        `can be checked; restore it from a backup`
      )
    }
    writeDurably(directory.secretPath, crypto.getRandomValues(new Uint8Array(SECRET_BYTES)))
    return undefined
  } finally {
    lock.release()
  }
}

/** Under its final name the file is complete, whenever the power goes. */
function writeDurably(path: string, bytes: Uint8Array): void {
  const draft = `${path}.new`
  const file = openSync(draft, 'w', 0o600)
  try {
    writeFileSync(file, bytes)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
}

function hasKeys(statePath: string): boolean {
  if (!existsSync(statePath)) return false
  const database = new Database(statePath, { readwrite: true, create: false, strict: true })
  try {
    database.run('PRAGMA busy_timeout = 5000')
    const tables = `SELECT name FROM sqlite_schema WHERE name = 'virtual_keys'`
    if (database.query(tables).get() === null) return false
    return database.query('SELECT id FROM virtual_keys LIMIT 1').get() !== null
  } finally {
    database.close()
  }
}
