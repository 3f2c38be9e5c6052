import { describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beginRecord, bodiesRecord, endRecord } from './fixtures/records'
import { createJournal } from './journal'
import type { Journal, WriteSync } from './journal'
import { decodeLine } from './journal-decode'
import { listSegments, segmentPath } from './journal-files'
import type { LogRecord } from './records'

const makeDirectory = () => join(mkdtempSync(join(tmpdir(), 'tollgate-journal-')), 'journal')

function readLines(directory: string): string[] {
  return listSegments(directory).flatMap((segment) =>
    readFileSync(segmentPath(directory, segment), 'utf8').split('\n').slice(0, -1)
  )
}

function readIds(directory: string): (string | undefined)[] {
  return readLines(directory).map((line) => {
    const record = decodeLine(line)
    return record?.kind === 'end' ? record.requestId : record?.kind
  })
}

/** A disk with so many bytes free, which takes what still fits of a write before it refuses. */
function smallDisk(freeBytes: number) {
  const disk = { freeBytes }
  const write: WriteSync = (file, bytes, offset, length) => {
    if (disk.freeBytes === 0) throw Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC' })
    const taken = writeSync(file, bytes, offset, Math.min(length, disk.freeBytes))
    disk.freeBytes -= taken
    return taken
  }
  return { disk, write }
}

/** Takes a record down and writes it, as the end of a request does. */
function put(journal: Journal, record: LogRecord): boolean {
  const isKept = journal.append(record)
  journal.flush()
  return isKept
}

test('all who wait to be written down in one turn share one system call', async () => {
  const directory = makeDirectory()
  let calls = 0
  const journal = createJournal({
    directory,
    writeSync(...call) {
      calls++
      return writeSync(...call)
    },
  })
  const ends = ['a', 'b'].map((id) => {
    journal.append(beginRecord(id))
    journal.append(endRecord(id))
    return journal.written()
  })
  expect(readIds(directory)).toEqual([])
  await Promise.all(ends)
  expect([calls, readIds(directory)]).toEqual([1, ['begin', 'a', 'begin', 'b']])
  journal.append(endRecord('c'))
  await journal.written()
  expect([calls, readIds(directory).at(-1)]).toEqual([2, 'c'])
  journal.close()
})

test('segments are private, and each start makes a new one', () => {
  const directory = makeDirectory()
  const first = createJournal({ directory, epochNow: () => 5_000 })
  first.append(endRecord('a'))
  first.close()
  // A clock that went back must not put the new segment before the old one.
  const second = createJournal({ directory, epochNow: () => 1_000 })
  second.append(endRecord('b'))
  second.close()
  expect(listSegments(directory)).toEqual([5, 6])
  expect(readIds(directory)).toEqual(['a', 'b'])
  expect(statSync(segmentPath(directory, 5)).mode & 0o777).toBe(0o600)
})

test('a large body goes out whole, whatever its characters', () => {
  const directory = makeDirectory()
  const journal = createJournal({ directory })
  const request = 'ü🎉'.repeat(60_000)
  journal.append(bodiesRecord('a', { request }))
  journal.append(endRecord('a'))
  journal.close()
  const record = decodeLine(readLines(directory)[0] ?? '')
  expect(record?.kind === 'bodies' && record.request === request).toBe(true)
})

test('a record that can not be written leaves nothing of itself', () => {
  const directory = makeDirectory()
  const journal = createJournal({ directory })
  const tags = JSON.parse('{"length":1}')
  tags.toJSON = () => {
    throw new Error('no text')
  }
  const of = { organization: 'default', team: undefined, user: undefined, session: undefined, tags }
  expect(() => journal.append(beginRecord('a', { of }))).toThrow('no text')
  journal.append(endRecord('b'))
  journal.close()
  expect(readIds(directory)).toEqual(['b'])
})

describe('rotation', () => {
  test('follows a segment that has grown', () => {
    const directory = makeDirectory()
    const journal = createJournal({ directory, segmentBytes: 1_000 })
    const ids = Array.from({ length: 40 }, (_, index) => String(index))
    for (const id of ids) put(journal, endRecord(id))
    journal.close()
    expect(listSegments(directory).length).toBeGreaterThan(3)
    expect(readIds(directory)).toEqual(ids)
  })

  test('follows a segment that has held something for long, but not an empty one', () => {
    const directory = makeDirectory()
    let nowMs = 0
    const journal = createJournal({ directory, segmentMs: 1_000, now: () => nowMs })
    nowMs = 5_000
    journal.flush()
    expect(listSegments(directory)).toHaveLength(1)
    journal.append(endRecord('a'))
    journal.flush()
    nowMs = 6_000
    journal.flush()
    expect(listSegments(directory)).toHaveLength(2)
    journal.close()
  })
})

describe('a full disk', () => {
  test('short writes are gone on with', () => {
    const directory = makeDirectory()
    const journal = createJournal({
      directory,
      writeSync: (file, bytes, offset, length) =>
        writeSync(file, bytes, offset, Math.min(length, 7)),
    })
    put(journal, endRecord('a'))
    expect(journal.state).toBe('ok')
    expect(readIds(directory)).toEqual(['a'])
    journal.close()
  })

  test('room again: nothing is lost, torn or doubled, wherever the disk was full', () => {
    for (let freeBytes = 0; freeBytes < 300; freeBytes += 1) {
      const directory = makeDirectory()
      const { disk, write } = smallDisk(freeBytes)
      let nowMs = 0
      const journal = createJournal({ directory, writeSync: write, now: () => nowMs })
      for (const id of ['a', 'b', 'c']) put(journal, endRecord(id))
      expect(journal.state).toBe('full')
      expect(journal.stats().problem).toContain('ENOSPC')
      disk.freeBytes = 1e6
      // Tried again, but not at once.
      expect(journal.flush()).toBe(false)
      nowMs += 250
      expect(journal.flush()).toBe(true)
      expect(journal.state).toBe('ok')
      expect(readIds(directory)).toEqual(['a', 'b', 'c'])
      journal.close()
    }
  })

  test('what does not fit into memory either is counted; bodies go first', () => {
    const directory = makeDirectory()
    const { disk, write } = smallDisk(0)
    let nowMs = 0
    const journal = createJournal({
      ...{ directory, pendingBytes: 1_000, now: () => nowMs },
      writeSync: write,
    })
    expect(put(journal, endRecord('kept'))).toBe(true)
    expect(put(journal, bodiesRecord('kept'))).toBe(false)
    for (let count = 0; count < 10; count += 1) put(journal, endRecord('more'))
    const { lostRecords, lostRows, lostBytes } = journal.stats()
    expect(lostRecords).toBe(lostRows + 1)
    expect(lostRows).toBeGreaterThan(0)
    expect(lostBytes).toBeGreaterThan(0)
    disk.freeBytes = 1e6
    nowMs += 250
    put(journal, endRecord('last'))
    expect(readIds(directory)).toHaveLength(12 - lostRows)
    expect(readIds(directory).at(-1)).toBe('last')
    journal.close()
  })
})
