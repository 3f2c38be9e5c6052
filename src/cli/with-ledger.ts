import type { Database } from 'bun:sqlite'
import { existsSync } from 'node:fs'
import { describeDataDirectory } from '../db/data-directory'
import { createLedgerReader, type LedgerReader } from '../db/ledger-reader'
import { openSqlite } from '../db/open'
import { CommandError, EXIT } from './command-line'
import { openDataDirectory } from './data-directory'

/**
 * Reads the ledger of a data directory as it stands at one moment, whether or not a gateway runs there. Ends the command
 * where there is none.
 */
export function withLedger<T>(
  dataDirectory: string,
  read: (reader: LedgerReader, database: Database) => T
): T {
  const database = openSqlite(pathOfLog(dataDirectory), { readonly: true })
  try {
    return database.transaction(() => read(createLedgerReader(database), database))()
  } finally {
    database.close()
  }
}

/**
 * Hands over the ledger of a data directory to write to, whether or not a gateway runs there: transactions must be short.
 * Ends the command where there is none.
 */
export function withLedgerToWrite<T>(dataDirectory: string, write: (database: Database) => T): T {
  const database = openLedger(dataDirectory, { readonly: false })
  try {
    return write(database)
  } finally {
    database.close()
  }
}

/** The same for work that takes its time, between short transactions. */
export async function withLedgerFile<T>(
  dataDirectory: string,
  options: { readonly: boolean },
  work: (database: Database) => Promise<T>
): Promise<T> {
  const database = openLedger(dataDirectory, options)
  try {
    return await work(database)
  } finally {
    database.close()
  }
}

function openLedger(dataDirectory: string, { readonly }: { readonly: boolean }): Database {
  const path = pathOfLog(dataDirectory)
  if (readonly) return openSqlite(path, { readonly: true })
  const { directory } = openDataDirectory(dataDirectory)
  return openSqlite(directory.logPath, { durable: true })
}

function pathOfLog(dataDirectory: string): string {
  const { logPath, path } = describeDataDirectory(dataDirectory)
  if (existsSync(logPath)) return logPath
  throw new CommandError(
    EXIT.dataDirectory,
    `${path} has no ledger; name the gateway's data directory with --data`
  )
}
