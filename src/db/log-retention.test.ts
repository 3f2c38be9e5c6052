import { describe, expect, test } from 'bun:test'
import type { Database } from 'bun:sqlite'
import { mkdtempSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogRetention } from './log-retention'
import { migrateDatabase } from './migrate'
import { logMigrations } from './migrations/log/migrations'
import { openSqlite } from './open'

const DAY_MS = 86_400_000
const nowMs = Date.now()

function makeLog() {
  const path = join(mkdtempSync(join(tmpdir(), 'tollgate-retention-')), 'log.db')
  migrateDatabase(path, logMigrations, { incrementalVacuum: true })
  return { path, database: openSqlite(path) }
}

/** Rows that began at the times given, each with a body of so many bytes. */
function addRows(database: Database, timesMs: number[], bodyBytes = 100): void {
  database.transaction(() => {
    for (const atMs of timesMs) {
      const id = Bun.randomUUIDv7('hex', atMs)
      database.run(
        `INSERT INTO requests (id, started_at_ms, outcome, stream) VALUES (?, ?, 'ok', 0)`,
        [id, atMs]
      )
      database.run(`INSERT INTO request_bodies VALUES (?, ?, '', 0, 0)`, [
        ...[id, 'x'.repeat(bodyBytes)],
      ])
    }
  })()
}

function count(database: Database, table: string): number {
  const counted = database.query<{ rows: number }, []>(`SELECT count(*) AS rows FROM ${table}`)
  return counted.get()?.rows ?? -1
}

describe('by age', () => {
  test('what is older goes with its bodies, in batches; the rest stays', () => {
    const { database } = makeLog()
    const retention = createLogRetention(database)
    const old = Array.from({ length: 25 }, (_, index) => nowMs - 3 * DAY_MS + index)
    addRows(database, [...old, nowMs - DAY_MS, nowMs])
    const deleted = [1, 2, 3, 4].map(() => retention.deleteOldest(nowMs - 2 * DAY_MS, 10))
    expect(deleted).toEqual([10, 10, 5, 0])
    expect([count(database, 'requests'), count(database, 'request_bodies')]).toEqual([2, 2])
  })

  test('the limit itself is not over', () => {
    const { database } = makeLog()
    addRows(database, [nowMs - 1, nowMs])
    expect(createLogRetention(database).deleteOldest(nowMs, 10)).toBe(1)
  })
})

test('by size: deleting and giving back make the file smaller', () => {
  const { path, database } = makeLog()
  const retention = createLogRetention(database)
  addRows(...[database, Array.from({ length: 200 }, (_, index) => nowMs - DAY_MS + index)], 20_000)
  database.run('PRAGMA wal_checkpoint(TRUNCATE)')
  const fullBytes = statSync(path).size
  expect(retention.usedBytes()).toBeGreaterThan(4_000_000)
  while (retention.usedBytes() > 1_000_000) {
    expect(retention.deleteOldest(undefined, 20)).toBeGreaterThan(0)
  }
  expect(count(database, 'requests')).toBeGreaterThan(20)
  let steps = 0
  while (retention.vacuum(100)) steps += 1
  expect(steps).toBeGreaterThan(3)
  database.run('PRAGMA wal_checkpoint(TRUNCATE)')
  expect(statSync(path).size).toBeLessThan(fullBytes / 3)
})

/** Responses that were kept here at the times given, each of so many bytes; and as many ids that a provider keeps. */
function addKept(database: Database, timesMs: number[], dataBytes: number): void {
  for (const [at, atMs] of timesMs.entries())
    for (const provider of ['', 'openai'])
      database.run(
        `INSERT INTO owned_objects (kind, id, provider, request_id, created_at_ms, data)
         VALUES ('response', ?, ?, '', ?, ?)`,
        [`resp_${provider}${at}`, provider, atMs, 'x'.repeat(dataBytes)]
      )
}

test('by size: rows and kept responses go by their age, and what a provider keeps stays owned', () => {
  const { database } = makeLog()
  const retention = createLogRetention(database)
  const times = Array.from({ length: 20 }, (_, index) => nowMs - DAY_MS + index * 1_000)
  addKept(database, times.slice(0, 10), 10_000)
  addRows(database, times.slice(10))
  expect(retention.shrink(5)).toBe(5)
  expect(count(database, 'requests')).toBe(10)
  expect(retention.shrink(10)).toBe(5)
  expect(count(database, 'owned_objects')).toBe(10)
  expect(retention.shrink(4)).toBe(4)
  expect(count(database, 'requests')).toBe(6)
  expect(count(database, 'owned_objects')).toBe(10)
})
