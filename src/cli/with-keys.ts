import { createKeyQueries } from '../db/key-queries'
import type { KeyQueries } from '../db/key-queries'
import { openSqlite } from '../db/open'
import { createTokenHasher } from '../keys/token'
import type { HashToken } from '../keys/token'
import { defaultDataDirectory, openDataDirectory } from './data-directory'
import type { Environment } from './data-directory'
import { administer } from './key-options'

/** Runs a command on the keys of a data directory, whether or not a gateway runs there. */
export function withKeys(
  data: string | undefined,
  env: Environment,
  run: (queries: KeyQueries, hashToken: HashToken) => void
): void {
  const { directory, secret } = openDataDirectory(data ?? defaultDataDirectory(env))
  // A power cut must not bring a revoked key back.
  const database = openSqlite(directory.statePath, { durable: true })
  try {
    administer(() => run(createKeyQueries(database), createTokenHasher(secret)))
  } finally {
    database.close()
  }
}
