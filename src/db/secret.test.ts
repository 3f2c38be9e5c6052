import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareDataDirectory } from './data-directory'
import type { DataDirectory } from './data-directory'
import { createKeyQueries } from './key-queries'
import { migrateDatabases } from './migrate'
import { openSqlite } from './open'
import { loadSecret } from './secret'

function freshDirectory(): DataDirectory {
  const prepared = prepareDataDirectory(mkdtempSync(join(tmpdir(), 'tollgate-secret-')))
  if (!prepared.ok) throw new Error(prepared.problem)
  migrateDatabases(prepared.directory)
  return prepared.directory
}

test('it is made once, for us alone, and differs between directories', () => {
  const directory = freshDirectory()
  const first = loadSecret(directory)
  expect(loadSecret(directory)).toEqual(first)
  expect(loadSecret(freshDirectory())).not.toEqual(first)
  expect(first.ok && first.secret.length).toBe(32)
  if (process.platform !== 'win32') expect(statSync(directory.secretPath).mode & 0o777).toBe(0o600)
})

test('it is not replaced where keys depend on the lost one', () => {
  const directory = freshDirectory()
  loadSecret(directory)
  using database = openSqlite(directory.statePath)
  createKeyQueries(database).insert({
    id: Bun.randomUUIDv7(),
    name: 'app',
    tokenHash: 'hash',
    tokenHint: 'hint',
    models: null,
    bodies: null,
    enabled: true,
    expiresAtMs: null,
    revokedAtMs: null,
    createdAtMs: 1,
  })
  rmSync(directory.secretPath)
  expect(loadSecret(directory)).toEqual({ ok: false, problem: expect.stringContaining('missing') })
})

test('a cut one is refused', () => {
  const directory = freshDirectory()
  writeFileSync(directory.secretPath, new Uint8Array(31))
  expect(loadSecret(directory)).toEqual({ ok: false, problem: expect.stringContaining('31 bytes') })
})
