import { expect, test } from 'bun:test'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareDataDirectory } from '../db/data-directory'
import type { DataDirectory } from '../db/data-directory'
import { createKeyQueries } from '../db/key-queries'
import { migrateDatabases } from '../db/migrate'
import { openSqlite } from '../db/open'
import { issueKey } from './issue-key'
import { startKeyFeed } from './key-feed'
import { createKeyIndex } from './key-index'
import { createTokenHasher } from './token'
import { keyState } from './virtual-key'

const hashToken = createTokenHasher(new Uint8Array(32).fill(7))
const noError = (error: unknown) => {
  throw error
}

function freshDirectory(): DataDirectory {
  const prepared = prepareDataDirectory(mkdtempSync(join(tmpdir(), 'tollgate-feed-')))
  if (!prepared.ok) throw new Error(prepared.problem)
  migrateDatabases(prepared.directory)
  return prepared.directory
}

/** A connection of its own, as another process has. */
function connect({ statePath }: DataDirectory) {
  const database = openSqlite(statePath)
  return { database, queries: createKeyQueries(database) }
}

function issue(queries: ReturnType<typeof createKeyQueries>, name: string) {
  const wanted = { name, models: ['openai/*'], bodies: undefined, expiresAtMs: undefined }
  const issued = issueKey(queries, hashToken, wanted, Date.now())
  if (!issued.ok) throw new Error(issued.reason)
  return { id: issued.row.id, token: issued.token }
}

async function until(holds: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 5_000
  while (!holds()) {
    if (Date.now() > deadlineMs) throw new Error('it never came about')
    await Bun.sleep(5)
  }
}

test('keys from before and after its start are known, in whatever state they are now', async () => {
  const directory = freshDirectory()
  const writer = connect(directory)
  const reader = connect(directory)
  const before = issue(writer.queries, 'before')
  const index = createKeyIndex(hashToken)
  const feed = startKeyFeed({ queries: reader.queries, index, onError: noError, intervalMs: 5 })
  const stateOf = (token: string) => {
    const key = index.find(token)
    return key === undefined ? 'unknown' : keyState(key, Date.now())
  }
  try {
    expect(index.find(before.token)).toMatchObject({ name: 'before', models: ['openai/*'] })
    const after = issue(writer.queries, 'after')
    await until(() => stateOf(after.token) === 'active')
    writer.queries.setEnabled(after.id, false, Date.now())
    await until(() => stateOf(after.token) === 'disabled')
    writer.queries.setEnabled(after.id, true, Date.now())
    await until(() => stateOf(after.token) === 'active')
    writer.queries.revoke(after.id, Date.now())
    await until(() => stateOf(after.token) === 'revoked')
    expect(stateOf(before.token)).toBe('active')
  } finally {
    feed.stop()
    writer.database.close()
    reader.database.close()
  }
})

test('more keys than fit one page or one poll all arrive', async () => {
  const directory = freshDirectory()
  const writer = connect(directory)
  const reader = connect(directory)
  const index = createKeyIndex(hashToken)
  const issueMany = (count: number, name: string) => {
    writer.database.run(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
       INSERT INTO virtual_keys (id, name, token_hash, token_hint, enabled, created_at_ms)
       SELECT ?2 || n, ?2 || n, ?2 || n, 'hint', 1, 0 FROM numbers`,
      [count, name]
    )
    writer.database.run(
      `INSERT INTO key_changes (key_id, at_ms)
       SELECT id, 0 FROM virtual_keys WHERE id LIKE ? || '%'`,
      [name]
    )
  }
  issueMany(10_001, 'loaded')
  const feed = startKeyFeed({ queries: reader.queries, index, onError: noError, intervalMs: 5 })
  try {
    expect(index.size()).toBe(10_001)
    issueMany(1_001, 'polled')
    await until(() => index.size() === 11_002)
  } finally {
    feed.stop()
    writer.database.close()
    reader.database.close()
  }
})

test('a database that fails is told of once each time, and the keys known stay', async () => {
  const directory = freshDirectory()
  const { database, queries } = connect(directory)
  const { token } = issue(queries, 'app')
  const index = createKeyIndex(hashToken)
  const errors: unknown[] = []
  let polls = 0
  const counting = { ...queries, latestSeq: () => (polls++, queries.latestSeq()) }
  const somePolls = () => {
    const enough = polls + 3
    return until(() => polls >= enough)
  }
  const onError = (error: unknown) => void errors.push(error)
  const feed = startKeyFeed({ queries: counting, index, onError, intervalMs: 5 })
  try {
    for (const failures of [1, 2]) {
      database.run('ALTER TABLE key_changes RENAME TO hidden')
      await somePolls()
      expect(errors).toHaveLength(failures)
      expect(index.find(token)?.name).toBe('app')
      database.run('ALTER TABLE hidden RENAME TO key_changes')
      await somePolls()
    }
    const { token: later } = issue(queries, 'later')
    await until(() => index.find(later) !== undefined)
  } finally {
    feed.stop()
    database.close()
  }
})
