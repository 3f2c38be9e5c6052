import { accessSync, chmodSync, constants, mkdirSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { takeFileLock } from './lock'
import type { FileLock } from './lock'

/** Where everything lives that outlasts the process; absolute paths. */
export type DataDirectory = {
  path: string
  /** Keys and whatever else is configured at run time. */
  statePath: string
  /** Log rows. */
  logPath: string
  /** A folder: log records on their way into the log database. */
  journalPath: string
  /** A folder: alerts on their way to webhooks. */
  alertsPath: string
  /** A folder: uploads that are under way. */
  uploadsPath: string
  /** 32 random bytes, made once: without them no stored hash can be checked. */
  secretPath: string
  /** Held while databases are migrated or the secret is made. */
  lockPath: string
  /** Held as long as a process serves. */
  servingLockPath: string
}

export type PreparedDirectory =
  { ok: true; directory: DataDirectory } | { ok: false; problem: string }

/**
 * Makes the directory at `path` with mode 0700, its parents too, or tightens one that is ours. Refused
 * is what is no directory, can't be written, or is another user's and open to others.
 */
export function prepareDataDirectory(path: string): PreparedDirectory {
  const directory = describeDataDirectory(path)
  try {
    // Said before making it, since `EEXIST` would tell a person nothing.
    const found = statSync(directory.path, { throwIfNoEntry: false })
    if (found?.isDirectory() === false) return refuse(directory, 'is not a directory')
    mkdirSync(directory.path, { recursive: true, mode: 0o700 })
  } catch (error) {
    return refuse(directory, `can't be made: ${messageOf(error)}`)
  }
  const problem = secureDirectory(directory.path)
  if (problem !== undefined) return refuse(directory, problem)
  try {
    mkdirSync(directory.journalPath, { recursive: true, mode: 0o700 })
  } catch (error) {
    return refuse(directory, `can't be written: ${messageOf(error)}`)
  }
  return { ok: true, directory }
}

/** Names the files of a data directory; touches nothing. */
export function describeDataDirectory(path: string): DataDirectory {
  const root = resolve(path)
  return {
    path: root,
    statePath: join(root, 'tollgate.db'),
    logPath: join(root, 'log.db'),
    journalPath: join(root, 'journal'),
    alertsPath: join(root, 'alerts'),
    uploadsPath: join(root, 'uploads'),
    secretPath: join(root, 'secret.key'),
    lockPath: join(root, 'lock.db'),
    servingLockPath: join(root, 'serving.lock.db'),
  }
}

export type ServingLock = { ok: true; lock: FileLock } | { ok: false; problem: string }

/**
 * Makes this process the one that serves from the directory, until the lock is released or the process
 * ends in whatever way. Refused at once where another serves.
 */
export function takeServingLock(directory: DataDirectory): ServingLock {
  const lock = takeFileLock(directory.servingLockPath, 0)
  if (lock !== undefined) return { ok: true, lock }
  return refuse(
    directory,
    'is in use by another serving process; stop that one, or choose another directory with --data'
  )
}

/** What keeps the directory from being used safely; `undefined` once its mode is 0700. */
function secureDirectory(path: string): string | undefined {
  try {
    const { mode, uid } = statSync(path)
    // Windows has no owner to compare, and its profile folders are private already.
    const ourUid = process.getuid?.()
    const openToOthers = ourUid !== undefined && (mode & 0o077) !== 0
    if (openToOthers && uid !== ourUid) {
      return `belongs to user ${uid} and is open to others; name a directory inside it, or make it yours with mode 0700`
    }
    if (openToOthers) chmodSync(path, 0o700)
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    return `can't be used: ${messageOf(error)}`
  }
}

function refuse(directory: DataDirectory, problem: string): { ok: false; problem: string } {
  return { ok: false, problem: `the data directory ${directory.path} ${problem}` }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Makes the folder of uploads, empty: what a process leaves there that was killed is of no use. Gives its path. */
export function openUploads(path: string): string {
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return path
}
