import { expect, test } from 'bun:test'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKeyQueries } from './key-queries'
import { migrateDatabase } from './migrate'
import { stateMigrations } from './migrations/state/migrations'
import { openSqlite } from './open'

test('keys from before teams are keys of the default organization', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'tollgate-groups-')), 'tollgate.db')
  migrateDatabase(path, stateMigrations.slice(0, 1))
  using database = openSqlite(path)
  database.run(
    `INSERT INTO virtual_keys (id, name, token_hash, token_hint, models, enabled, created_at_ms)
     VALUES ('1', 'app', 'hash', 'hint', '["a/*"]', 1, 5)`
  )
  database.run(`INSERT INTO key_changes (key_id, at_ms) VALUES ('1', 5)`)
  expect(migrateDatabase(path, stateMigrations)).toEqual({ ok: true })
  const queries = createKeyQueries(database)
  expect(queries.find('app')).toMatchObject({ id: '1', models: '["a/*"]', enabled: true })
  expect(queries.list({ groupId: 'default' }, '', 10)).toHaveLength(1)
  expect(queries.groups.list()).toMatchObject([{ id: 'default', kind: 'organization' }])
  expect(queries.latestSeq()).toBe(1)
})
