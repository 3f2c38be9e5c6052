import { describe, expect, test } from 'bun:test'
import { appendFileSync, copyFileSync, truncateSync, writeFileSync } from 'node:fs'
import type { DataDirectory } from '../db/data-directory'
import { openSqlite } from '../db/open'
import { makeDataDirectory, openImporter, readRows } from './fixtures/log-directory'
import {
  attemptRecord,
  beginRecord,
  bodiesRecord,
  endRecord,
  encodeRecord,
} from './fixtures/records'
import { listSegments, segmentPath } from './journal-files'
import type { LogRecord } from './records'

const newId = () => Bun.randomUUIDv7()
const request = (id: string): LogRecord[] => [beginRecord(id), attemptRecord(id), endRecord(id)]

function appendTo(directory: DataDirectory, segment: number, ...records: LogRecord[]): void {
  appendFileSync(segmentPath(directory.journalPath, segment), records.map(encodeRecord).join(''))
}

function importAll(directory: DataDirectory, firstSegment: number) {
  const opened = openImporter(directory, firstSegment)
  opened.importAll()
  const stats = opened.importer.stats()
  opened.close()
  return stats
}

const readIds = (directory: DataDirectory) => readRows(directory).map((row) => row.id)

test('records of a request become its row, those of several however they mix', () => {
  const directory = makeDataDirectory()
  const [a, b] = [newId(), newId()]
  appendTo(
    ...[directory, 1],
    beginRecord(a, { requestedModel: 'x/y', clientRequestId: 'theirs' }),
    beginRecord(b),
    attemptRecord(a, { outcome: 'failed', status: 503, errorCode: 'upstream_refused' }),
    attemptRecord(b),
    attemptRecord(a, { number: 2, possiblyBilledTwice: true }),
    bodiesRecord(a),
    endRecord(b, { outcome: 'failed', errorCode: 'upstream_timeout', status: 504 }),
    endRecord(a, { servedModel: 'x/z', finishReasons: ['stop', 'length'] })
  )
  const opened = openImporter(directory, 1)
  opened.importAll()
  expect(opened.reader.find(a)).toMatchObject({
    ...{ id: a, keyName: 'app', clientRequestId: 'theirs', requestedModel: 'x/y', model: 'x/z' },
    ...{ status: 200, outcome: 'ok', stream: true, inputTokens: 9, outputTokens: 4 },
    ...{ cacheReadTokens: 0, cacheWriteTokens: null, usageProvenance: 'provider' },
    ...{ finishReasons: ['stop', 'length'], firstTokenMs: 13.5, gatewayMs: 0.375, count: 1 },
    attempts: [
      { number: 1, outcome: 'failed', status: 503, errorCode: 'upstream_refused' },
      { number: 2, outcome: 'ok', possiblyBilledTwice: true },
    ],
  })
  expect(opened.reader.findBodies(a)).toMatchObject({ answer: 'data: [DONE]\n\n' })
  expect(opened.reader.findBodies(b)).toBeUndefined()
  expect(opened.reader.find(b)).toMatchObject({ status: 504, errorCode: 'upstream_timeout' })
  expect(opened.reader.newest(9).map((row) => row.id)).toEqual([b, a])
  opened.close()
})

describe('torn lines', () => {
  test('the current segment may end at any byte: the rest is waited for', () => {
    const [a, b] = [newId(), newId()]
    const bytes = Buffer.from(
      [...request(a), bodiesRecord(b), ...request(b)].map(encodeRecord).join('')
    )
    for (let cut = 0; cut <= bytes.length; cut += 17) {
      const directory = makeDataDirectory()
      const path = segmentPath(directory.journalPath, 1)
      writeFileSync(path, bytes.subarray(0, cut))
      const opened = openImporter(directory, 1)
      opened.importAll()
      appendFileSync(path, bytes.subarray(cut))
      opened.importAll()
      expect(opened.importer.stats()).toEqual({ rows: 2, lost: 0, unreadableLines: 0 })
      expect(opened.reader.newest(9).map((row) => row.id)).toEqual([a, b])
      opened.close()
    }
  })

  test('a finished segment may end at any byte: that line is skipped and counted', () => {
    const directory = makeDataDirectory()
    const path = segmentPath(directory.journalPath, 1)
    const [a, b, c] = [newId(), newId(), newId()]
    const whole = Buffer.from(request(a).map(encodeRecord).join(''))
    const torn = Buffer.from(encodeRecord(endRecord(b)))
    for (let cut = 1; cut < torn.length; cut += 3) {
      writeFileSync(path, Buffer.concat([whole, torn.subarray(0, cut)]))
      writeFileSync(segmentPath(directory.journalPath, 2), request(c).map(encodeRecord).join(''))
      const opened = openImporter(directory, 2)
      opened.writer.setPosition({ segment: 1, offsetBytes: 0 })
      opened.close()
      expect(importAll(directory, 2)).toMatchObject({ unreadableLines: 1, lost: 0 })
    }
    expect(readIds(directory)).toEqual([a, c])
  })

  test('a segment cut shorter than was read, by a power cut, is passed over', () => {
    const directory = makeDataDirectory()
    const [a, b] = [newId(), newId()]
    appendTo(directory, 1, ...request(a))
    importAll(directory, 1)
    truncateSync(segmentPath(directory.journalPath, 1), 10)
    appendTo(directory, 2, ...request(b))
    importAll(directory, 2)
    expect(readIds(directory)).toEqual([a, b])
  })
})

test('a line longer than a piece is read whole', () => {
  const directory = makeDataDirectory()
  const id = newId()
  const answer = 'ü'.repeat(50_000)
  appendTo(directory, 1, bodiesRecord(id, { answer }), ...request(id))
  const opened = openImporter(directory, 1, { chunkBytes: 100 })
  opened.importAll()
  expect(opened.reader.findBodies(id)?.answer === answer).toBe(true)
  expect(opened.reader.find(id)?.outcome).toBe('ok')
  opened.close()
})

describe('a request that takes long', () => {
  test('has an open row, which lets the journal go on and is completed by its end', () => {
    const directory = makeDataDirectory()
    const [long, short] = [newId(), newId()]
    let nowMs = 0
    appendTo(directory, 1, beginRecord(long))
    appendTo(directory, 2, ...request(short))
    const opened = openImporter(directory, 1, { now: () => nowMs })
    opened.importAll()
    expect(opened.reader.find(long)).toBeUndefined()
    expect(opened.writer.position()).toEqual({ segment: 1, offsetBytes: 0 })

    nowMs = 5_001
    opened.importAll()
    expect(opened.reader.find(long)).toMatchObject({ outcome: 'open', status: null })
    expect(opened.writer.position()?.segment).toBe(2)

    appendTo(directory, 2, attemptRecord(long))
    opened.importAll()
    expect(opened.reader.find(long)?.attempts).toHaveLength(1)

    // Another thread takes over: what it needs is in the row.
    opened.close()
    appendTo(directory, 2, attemptRecord(long, { number: 2 }), endRecord(long))
    expect(importAll(directory, 1)).toMatchObject({ lost: 0 })
    expect(readRows(directory)).toMatchObject([
      { id: short },
      { id: long, outcome: 'ok', keyName: 'app', attempts: [{ number: 1 }, { number: 2 }] },
    ])
  })

  test('is lost when its process died, and only then', () => {
    const directory = makeDataDirectory()
    const [stored, waiting, ended, current] = [newId(), newId(), newId(), newId()]
    let nowMs = 0
    appendTo(directory, 1, beginRecord(stored), attemptRecord(stored))
    const first = openImporter(directory, 1, { now: () => nowMs })
    first.importAll()
    nowMs = 6_000
    first.importAll()
    expect(first.reader.open()).toHaveLength(1)
    first.close()
    appendTo(directory, 1, beginRecord(waiting), beginRecord(ended), endRecord(ended))

    // The next process has segment 2.
    appendTo(directory, 2, beginRecord(current))
    expect(importAll(directory, 2)).toMatchObject({ lost: 2 })
    appendTo(directory, 2, endRecord(current))
    expect(importAll(directory, 2)).toMatchObject({ lost: 0 })
    const outcomes = Object.fromEntries(readRows(directory).map((row) => [row.id, row.outcome]))
    expect(outcomes).toEqual({
      [stored]: 'lost',
      [waiting]: 'lost',
      [ended]: 'ok',
      [current]: 'ok',
    })
    expect(readRows(directory).find((row) => row.id === stored)?.attempts).toHaveLength(1)
  })
})

describe('a crash', () => {
  test('at any time between imports: no row is doubled or missing', () => {
    const directory = makeDataDirectory()
    const ids = Array.from({ length: 40 }, newId)
    const slow = newId()
    appendTo(directory, 1, beginRecord(slow))
    // Each importer is left after one more piece than the one before, and never says good-bye.
    for (const [index, id] of ids.entries()) {
      appendTo(directory, 1, ...request(id))
      const opened = openImporter(directory, 1, { chunkBytes: 1_000 })
      for (let pieces = 0; pieces < index; pieces += 1) opened.importer.importNext()
      opened.close()
    }
    appendTo(directory, 1, endRecord(slow))
    importAll(directory, 1)
    expect(readIds(directory).sort()).toEqual([...ids, slow].sort())
  })

  test('after rows were written, before the place was: the transaction took both back', () => {
    const directory = makeDataDirectory()
    const id = newId()
    appendTo(directory, 1, ...request(id))
    const opened = openImporter(directory, 1)
    opened.writer.setPosition = () => {
      throw new Error('disk full')
    }
    expect(() => opened.importAll()).toThrow('disk full')
    opened.close()
    expect(readIds(directory)).toEqual([])
    importAll(directory, 1)
    expect(readIds(directory)).toEqual([id])
  })
})

describe('a journal segment', () => {
  test('goes when it is finished, imported, and its rows are on the disk', () => {
    const directory = makeDataDirectory()
    appendTo(directory, 1, ...request(newId()))
    const opened = openImporter(directory, 1)
    opened.importAll()
    // Still written to.
    expect(opened.importer.deleteImported()).toBe(0)
    appendTo(directory, 2, ...request(newId()))
    // Not read to its end.
    expect(opened.importer.deleteImported()).toBe(0)
    opened.importAll()
    expect(opened.importer.deleteImported()).toBe(1)
    expect(listSegments(directory.journalPath)).toEqual([2])
    // The file has the rows even without its write-ahead log.
    const copy = `${directory.path}/copy.db`
    copyFileSync(directory.logPath, copy)
    expect(readRows({ ...directory, logPath: copy })).toHaveLength(2)
    opened.close()
  })

  test('stays while a reader holds up the checkpoint', () => {
    const directory = makeDataDirectory()
    const opened = openImporter(directory, 1)
    const other = openSqlite(directory.logPath, { readonly: true })
    other.run('BEGIN')
    other.query('SELECT count(*) FROM requests').get()
    appendTo(directory, 1, ...request(newId()))
    appendTo(directory, 2, ...request(newId()))
    opened.importAll()
    expect(opened.importer.deleteImported()).toBe(0)
    expect(listSegments(directory.journalPath)).toEqual([1, 2])
    other.run('COMMIT')
    expect(opened.importer.deleteImported()).toBe(1)
    other.close()
    opened.close()
  })
})
