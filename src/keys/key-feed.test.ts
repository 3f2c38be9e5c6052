import { expect, test } from 'bun:test'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareDataDirectory } from '../db/data-directory'
import type { DataDirectory } from '../db/data-directory'
import { createKeyQueries } from '../db/key-queries'
import { migrateDatabases } from '../db/migrate'
import { openSqlite } from '../db/open'
import { KeyAdministration } from './administration'
import { GroupAdministration } from './group-administration'
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
    const key = index.find(token, Date.now())
    return key === undefined ? 'unknown' : keyState(key, Date.now())
  }
  try {
    expect(index.find(before.token, Date.now())).toMatchObject({
      name: 'before',
      models: ['openai/*'],
    })
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
  const issueMany = (count: number, name: string) =>
    writer.database.transaction(() => {
      const key = writer.database.query(
        `INSERT INTO virtual_keys (id, name, token_hash, token_hint, enabled, created_at_ms)
         VALUES (?1, ?1, ?2, 'hint', 1, 0)`
      )
      const change = writer.database.query('INSERT INTO key_changes (key_id, at_ms) VALUES (?, 0)')
      for (let number = 0; number < count; number++) {
        const id = `${name}${number}`
        key.run(id, hashToken(id))
        change.run(id)
      }
    })()
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

test('changes of teams, moves and rotations reach the keys that they concern', async () => {
  const directory = freshDirectory()
  const writer = connect(directory)
  const reader = connect(directory)
  const keys = new KeyAdministration(writer.queries, hashToken)
  const teams = new GroupAdministration('team', writer.queries)
  const organizations = new GroupAdministration('organization', writer.queries)
  organizations.create({ name: 'acme' })
  teams.create({ name: 'red', organization: 'acme' })
  const { token } = keys.create({ name: 'app', team: 'red' })
  const rotated = keys.rotate('app', 60_000)
  const index = createKeyIndex(hashToken)
  const feed = startKeyFeed({ queries: reader.queries, index, onError: noError, intervalMs: 5 })
  const find = (of: string) => index.find(of, Date.now())
  try {
    expect(find(token)).toMatchObject({ name: 'app', team: 'red', organization: 'acme' })
    expect(find(rotated.token)?.id).toBe(rotated.record.row.id)
    teams.update('red', { models: ['openai/*'] })
    await until(() => find(token)?.levels[1]?.rights.models[0] === 'openai/*')
    keys.update('app', { team: null })
    await until(() => find(token)?.team === undefined)
    expect(find(token)?.organization).toBe('acme')
    const { token: latest } = keys.rotate('app', 0)
    await until(() => find(latest) !== undefined)
    expect([find(token), find(rotated.token)]).toEqual([undefined, undefined])
    // A team that is made, and a key of it, in one look.
    teams.create({ name: 'blue', organization: 'acme' })
    const { token: blue } = keys.create({ name: 'other', team: 'blue' })
    await until(() => find(blue)?.team === 'blue')
    keys.revoke('other')
    teams.delete('blue')
    await until(() => find(blue)?.revokedAtMs !== undefined)
    // A gateway that starts now meets a key whose team is gone.
    const later = createKeyIndex(hashToken)
    startKeyFeed({ queries: reader.queries, index: later, onError: noError }).stop()
    expect(later.find(blue, Date.now())).toMatchObject({ name: 'other', team: 'blue' })
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
      expect(index.find(token, Date.now())?.name).toBe('app')
      database.run('ALTER TABLE hidden RENAME TO key_changes')
      await somePolls()
    }
    const { token: later } = issue(queries, 'later')
    await until(() => index.find(later, Date.now()) !== undefined)
  } finally {
    feed.stop()
    database.close()
  }
})
