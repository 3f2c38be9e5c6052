import { existsSync } from 'node:fs'
import { describeDataDirectory } from '../db/data-directory'
import { createLogReader } from '../db/log-reader'
import type { LogReader } from '../db/log-reader'
import { openSqlite } from '../db/open'
import { CommandError, EXIT } from './command-line'

export type OpenedLog = { reader: LogReader; close(): void }

/** Opens the log of a data directory for reading, beside a gateway that may be running. */
export function openLog(dataDirectory: string): OpenedLog {
  const { logPath, path } = describeDataDirectory(dataDirectory)
  if (!existsSync(logPath)) {
    throw new CommandError(
      EXIT.dataDirectory,
      `${path} has no log; name the gateway's data directory with --data`
    )
  }
  try {
    const database = openSqlite(logPath, { readonly: true })
    return { reader: createLogReader(database), close: () => database.close() }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandError(EXIT.dataDirectory, `${logPath} can't be read: ${reason}`)
  }
}
