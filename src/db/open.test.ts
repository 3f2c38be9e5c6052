import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqlite } from './open'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-open-'))
const path = join(folder, 'some.db')

afterEach(() => {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
})

test.skipIf(process.platform === 'win32')('nobody else may read what it makes', () => {
  using database = openSqlite(path)
  database.run('CREATE TABLE secrets (text)')
  for (const suffix of ['', '-wal', '-shm']) {
    expect((statSync(path + suffix).mode & 0o777).toString(8)).toBe('600')
  }
})

test('a reader goes on while a writer is in the middle of a transaction', () => {
  using writer = openSqlite(path)
  writer.run('CREATE TABLE numbers (number)')
  writer.run('BEGIN IMMEDIATE')
  writer.run('INSERT INTO numbers VALUES (1)')
  using reader = openSqlite(path, { readonly: true })
  expect(reader.query('SELECT count(*) AS count FROM numbers').get()).toEqual({ count: 0 })
  expect(() => reader.run('INSERT INTO numbers VALUES (2)')).toThrow('readonly')
})

test('a reference to a missing row is refused', () => {
  using database = openSqlite(path)
  database.run('CREATE TABLE parents (id PRIMARY KEY)')
  database.run('CREATE TABLE children (parent REFERENCES parents (id))')
  expect(() => database.run('INSERT INTO children VALUES (1)')).toThrow('FOREIGN KEY')
})

test('with incremental vacuum the file shrinks again', () => {
  using database = openSqlite(path, { incrementalVacuum: true })
  database.run('CREATE TABLE blobs (blob)')
  for (let row = 0; row < 100; row++) database.run('INSERT INTO blobs VALUES (randomblob(10000))')
  database.run('PRAGMA wal_checkpoint(TRUNCATE)')
  const fullBytes = statSync(path).size
  database.run('DELETE FROM blobs')
  database.query('PRAGMA incremental_vacuum').all()
  database.run('PRAGMA wal_checkpoint(TRUNCATE)')
  expect(statSync(path).size).toBeLessThan(fullBytes / 10)
})
