import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareDataDirectory } from './data-directory'
import type { DataDirectory } from './data-directory'
import { migrateDatabase, migrateDatabases } from './migrate'
import { listMigrations } from './migrations/migration'
import { stateMigrations } from './migrations/state/migrations'

function freshDirectory(): DataDirectory {
  const prepared = prepareDataDirectory(mkdtempSync(join(tmpdir(), 'tollgate-migrate-')))
  if (!prepared.ok) throw new Error(prepared.problem)
  return prepared.directory
}

test('every migration that was generated is carried', () => {
  const files = readdirSync(join(import.meta.dir, 'migrations', 'state'))
  const generated = files.filter((file) => file.endsWith('.sql')).sort()
  expect(stateMigrations.map(({ tag }) => `${tag}.sql`)).toEqual(generated)
  expect(() => listMigrations({ entries: [{ tag: '0001_more', when: 1 }] }, {})).toThrow(
    '0001_more'
  )
})

test('a second start changes nothing', () => {
  const directory = freshDirectory()
  expect(migrateDatabases(directory)).toEqual({ ok: true })
  const before = statSync(directory.statePath).mtimeMs
  expect(migrateDatabases(directory)).toEqual({ ok: true })
  expect(statSync(directory.statePath).mtimeMs).toBe(before)
})

test.each(['statePath', 'logPath'] as const)('a newer database is refused: %s', (which) => {
  const directory = freshDirectory()
  migrateDatabases(directory)
  using database = new Database(directory[which])
  const { count } = database
    .query<{ count: number }, []>('SELECT count(*) AS count FROM __drizzle_migrations')
    .get() ?? { count: 0 }
  const futureMs = Date.UTC(2100, 0, 1)
  database.run('INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)', ['x', futureMs])
  const migrated = migrateDatabases(directory)
  const problem = migrated.ok ? '' : migrated.problem
  expect(problem).toContain(directory[which])
  expect(problem).toContain('newer Tollgate')
  expect(problem).toContain(`version ${count + 1} (2100-01-01T00:00:00.000Z)`)
  expect(problem).toContain(`knows up to version ${count} (`)
})

test('what is no database is refused and left as it is', async () => {
  const directory = freshDirectory()
  writeFileSync(directory.statePath, 'a letter to my aunt, '.repeat(1_000))
  const migrated = migrateDatabases(directory)
  expect(migrated).toEqual({ ok: false, problem: expect.stringContaining(directory.statePath) })
  expect(await Bun.file(directory.statePath).text()).toStartWith('a letter to my aunt')
})

test('only new migrations run; one that fails leaves nothing behind', () => {
  const path = join(freshDirectory().path, 'some.db')
  const first = { tag: '0000_a', createdAtMs: 1, sql: 'CREATE TABLE a (id)' }
  const second = {
    tag: '0001_b',
    createdAtMs: 2,
    sql: 'CREATE TABLE b (id);--> statement-breakpoint\nINSERT INTO a VALUES (1)',
  }
  const broken = {
    tag: '0002_c',
    createdAtMs: 3,
    sql: 'CREATE TABLE c (id);--> statement-breakpoint\nINSERT INTO nowhere VALUES (1)',
  }
  expect(migrateDatabase(path, [first])).toEqual({ ok: true })
  expect(migrateDatabase(path, [first, second])).toEqual({ ok: true })
  expect(migrateDatabase(path, [first, second, broken])).toEqual({
    ok: false,
    problem: expect.stringContaining('nowhere'),
  })
  using database = new Database(path)
  const tables = database.query(`SELECT name FROM sqlite_schema WHERE name IN ('a', 'b', 'c')`)
  expect(tables.values()).toEqual([['a'], ['b']])
})

test('rebuilding a table spares the rows that refer to it', () => {
  const path = join(freshDirectory().path, 'some.db')
  const first = {
    tag: '0000_a',
    createdAtMs: 1,
    sql:
      'CREATE TABLE a (id PRIMARY KEY);--> statement-breakpoint\n' +
      'CREATE TABLE b (a REFERENCES a (id) ON DELETE CASCADE);--> statement-breakpoint\n' +
      'INSERT INTO a VALUES (1);--> statement-breakpoint\nINSERT INTO b VALUES (1)',
  }
  const rebuild = {
    tag: '0001_rebuild',
    createdAtMs: 2,
    sql:
      'CREATE TABLE new_a (id PRIMARY KEY, name);--> statement-breakpoint\n' +
      'INSERT INTO new_a (id) SELECT id FROM a;--> statement-breakpoint\n' +
      'DROP TABLE a;--> statement-breakpoint\nALTER TABLE new_a RENAME TO a',
  }
  migrateDatabase(path, [first])
  expect(migrateDatabase(path, [first, rebuild])).toEqual({ ok: true })
  using database = new Database(path)
  expect(database.query('SELECT a FROM b').values()).toEqual([[1]])
})
