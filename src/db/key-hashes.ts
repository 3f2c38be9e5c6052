import type { Database } from 'bun:sqlite'

/** Finds the hash of a key's present token by its id; `undefined` for no key. */
export function createKeyHashReader(database: Database): (id: string) => string | undefined {
  const find = database.query<{ tokenHash: string }, [string]>(
    'SELECT token_hash AS tokenHash FROM virtual_keys WHERE id = ?'
  )
  return (id) => find.get(id)?.tokenHash
}
