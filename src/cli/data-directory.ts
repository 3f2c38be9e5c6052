import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { prepareDataDirectory } from '../db/data-directory'
import type { DataDirectory } from '../db/data-directory'
import { migrateDatabases } from '../db/migrate'
import { loadSecret } from '../db/secret'
import { CommandError, EXIT } from './command-line'

export type Environment = Readonly<Record<string, string | undefined>>

/** Where state and logs live when no option says: TOLLGATE_DATA, else the user's own data folder. */
export function defaultDataDirectory(env: Environment): string {
  if (env.TOLLGATE_DATA) return env.TOLLGATE_DATA
  if (process.platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'tollgate')
  // A relative one is to be ignored: https://specifications.freedesktop.org/basedir-spec/latest/
  const xdg = env.XDG_DATA_HOME
  if (xdg && isAbsolute(xdg)) return join(xdg, 'tollgate')
  return join(env.HOME || homedir(), '.local', 'share', 'tollgate')
}

export type OpenedDataDirectory = {
  directory: DataDirectory
  /** 32 bytes under which the tokens of keys are hashed. */
  secret: Uint8Array
}

/** Makes the directory, its databases and its secret ready for use, or ends the command. */
export function openDataDirectory(path: string): OpenedDataDirectory {
  const prepared = prepareDataDirectory(path)
  if (!prepared.ok) throw new CommandError(EXIT.dataDirectory, prepared.problem)
  const { directory } = prepared
  const migrated = migrateDatabases(directory)
  if (!migrated.ok) throw new CommandError(EXIT.dataDirectory, migrated.problem)
  const loaded = loadSecret(directory)
  if (!loaded.ok) throw new CommandError(EXIT.dataDirectory, loaded.problem)
  return { directory, secret: loaded.secret }
}
