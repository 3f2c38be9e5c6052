import { Database } from 'bun:sqlite'
import { createPrivateFile } from './open'

export type FileLock = { release(): void }

/**
 * Takes the exclusive lock that the file at `path` stands for, waiting up to `waitMs` for whoever has
 * it; `undefined` when it stayed taken. The lock is SQLite's own on an empty database: the operating
 * system drops it with the process, however that ends, which no file holding a process id can promise.
 */
export function takeFileLock(path: string, waitMs: number): FileLock | undefined {
  createPrivateFile(path)
  const database = new Database(path, { readwrite: true, create: true, strict: true })
  try {
    database.run(`PRAGMA busy_timeout = ${waitMs}`)
    // Under a write-ahead log an exclusive transaction would still let others in.
    database.run('PRAGMA journal_mode = DELETE')
    database.run('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (isBusy(error)) return undefined
    throw error
  }
  return {
    release() {
      // Closing alone would keep the lock while any statement waits for the garbage collector.
      database.run('ROLLBACK')
      database.close()
    },
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY'
}
