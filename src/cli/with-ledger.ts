import type { Database } from 'bun:sqlite'
import { existsSync } from 'node:fs'
import { describeDataDirectory } from '../db/data-directory'
import { createLedgerReader, type LedgerReader } from '../db/ledger-reader'
import { openSqlite } from '../db/open'
import { CommandError, EXIT } from './command-line'

/**
 * Reads the ledger of a data directory as it stands at one moment, whether or not a gateway runs there. Ends the command
 * where there is none.
 */
export function withLedger<T>(
  dataDirectory: string,
  read: (reader: LedgerReader, database: Database) => T
): T {
  const { logPath, path } = describeDataDirectory(dataDirectory)
  if (!existsSync(logPath))
    throw new CommandError(
      EXIT.dataDirectory,
      `${path} has no ledger; name the gateway's data directory with --data`
    )
  const database = openSqlite(logPath, { readonly: true })
  try {
    return database.transaction(() => read(createLedgerReader(database), database))()
  } finally {
    database.close()
  }
}
