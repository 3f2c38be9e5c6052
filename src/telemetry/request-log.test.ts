import { describe, expect, test } from 'bun:test'
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import type { DataDirectory } from '../db/data-directory'
import { openSqlite } from '../db/open'
import { GatewayError } from '../errors/gateway-error'
import { makeDataDirectory, openImporter, readRows } from './fixtures/log-directory'
import { attemptRecord, beginRecord, bodiesRecord, endRecord } from './fixtures/records'
import { listSegments } from './journal-files'
import { createProgramLog } from './program-log'
import { createRequestLog } from './request-log'
import type { RequestLog, RequestLogOptions, RequestLogSettings } from './request-log'

const settings: RequestLogSettings = {
  retention: { ageMs: 3_600_000, sizeBytes: 1 << 30 },
  refusedRowsPerSecond: 5,
  whenDiskFull: 'refuse',
}

function openLog(directory: DataDirectory, more: Partial<RequestLogOptions> = {}) {
  const lines: string[] = []
  const programLog = createProgramLog({
    ...{ level: 'debug', format: 'text' },
    write: (line) => void lines.push(line),
  })
  const { logPath, journalPath } = directory
  const log = createRequestLog({ logPath, journalPath, settings, programLog, ...more })
  return { log, lines }
}

function logRequest(log: RequestLog, id: string = Bun.randomUUIDv7()): string {
  log.begin(beginRecord(id))
  log.attempt(attemptRecord(id))
  log.end(endRecord(id))
  log.write()
  return id
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await Bun.sleep(5)
}

test('what was written down is found at once, what was not is not', async () => {
  const { log } = openLog(makeDataDirectory())
  const id = logRequest(log)
  expect(await log.find(id)).toMatchObject({ id, outcome: 'ok', attempts: [{ number: 1 }] })
  expect(await log.find(Bun.randomUUIDv7())).toBeUndefined()
  await log.close()
})

test('a credential that a provider repeats in its error is masked', async () => {
  const { log } = openLog(makeDataDirectory())
  const id = Bun.randomUUIDv7()
  const errorMessage = 'Incorrect API key provided: sk-proj-0123456789abcdefghij'
  log.begin(beginRecord(id))
  log.attempt(attemptRecord(id, { errorMessage }))
  log.end(endRecord(id, { errorMessage }))
  const row = await log.find(id)
  expect(row?.errorMessage).toBe('Incorrect API key provided: sk-***')
  expect(row?.attempts?.[0]?.errorMessage).toBe('Incorrect API key provided: sk-***')
  await log.close()
})

test('rows reach the database without being asked for', async () => {
  const directory = makeDataDirectory()
  const { log } = openLog(directory)
  const id = logRequest(log)
  await until(() => readRows(directory).length === 1)
  expect(readRows(directory)[0]?.id).toBe(id)
  await log.close()
})

test('a closed log is whole; the next start goes on behind it', async () => {
  const directory = makeDataDirectory()
  const ids: string[] = []
  for (let round = 0; round < 3; round += 1) {
    const { log } = openLog(directory)
    for (let count = 0; count < 50; count += 1) ids.push(logRequest(log))
    await log.close()
    expect(readRows(directory).map((row) => row.id)).toEqual(ids)
  }
  expect(listSegments(directory.journalPath)).toHaveLength(1)
})

test('kill -9 in the middle of writing loses no request that was logged', async () => {
  for (let round = 0; round < 3; round += 1) {
    const directory = makeDataDirectory()
    const child = Bun.spawn(
      [
        ...[process.execPath, join(import.meta.dir, 'fixtures/write-until-killed.ts')],
        ...[directory.logPath, directory.journalPath],
      ],
      { stdout: 'pipe', stderr: 'inherit' }
    )
    let printed = ''
    const decoder = new TextDecoder()
    for await (const bytes of child.stdout) {
      printed += decoder.decode(bytes, { stream: true })
      if (printed.length > 37 * 500 * (round + 1)) child.kill('SIGKILL')
    }
    await child.exited
    const ids = printed.split('\n').filter((id) => id.length === 36)
    expect(ids.length).toBeGreaterThan(400)

    const { log } = openLog(directory)
    await log.flush()
    const rows = readRows(directory)
    const logged = new Set(rows.map((row) => row.id))
    expect(logged.size).toBe(rows.length)
    expect(ids.filter((id) => !logged.has(id))).toEqual([])
    await log.close()
  }
}, 30_000)

test('a thread that dies is replaced, and no row is missing', async () => {
  const directory = makeDataDirectory()
  const { log, lines } = openLog(directory)
  await log.flush()
  const database = openSqlite(directory.logPath)
  database.run('ALTER TABLE journal_positions RENAME TO hidden')
  const ids = [logRequest(log), logRequest(log)]
  await until(() => log.stats().workerRestarts > 0)
  database.run('ALTER TABLE hidden RENAME TO journal_positions')
  database.close()
  ids.push(logRequest(log))
  await log.flush()
  expect(readRows(directory).map((row) => row.id)).toEqual(ids)
  expect(lines.join('\n')).toContain('journal_positions')
  expect(lines.join('\n')).toContain('started again')
  await log.close()
}, 20_000)

test('refusals beyond the rate are counted by kind, and none is missing', async () => {
  const directory = makeDataDirectory()
  const { log } = openLog(directory, { settings: { ...settings, refusedRowsPerSecond: 3 } })
  for (let count = 0; count < 500; count += 1) {
    const id = Bun.randomUUIDv7()
    const [status, errorCode] =
      count % 2 === 0 ? [401, 'invalid_api_key'] : [404, 'model_not_found']
    log.refused(beginRecord(id), endRecord(id, { status, errorCode, outcome: 'refused' }))
  }
  expect(log.stats().countedRefusals).toBeGreaterThanOrEqual(400)
  await log.close()
  const rows = readRows(directory)
  expect(rows.length).toBeLessThan(100)
  const sum = (status: number) =>
    rows.filter((row) => row.status === status).reduce((total, row) => total + row.count, 0)
  expect([sum(401), sum(404)]).toEqual([250, 250])
  expect(rows.every((row) => row.outcome === 'refused')).toBe(true)
})

test('a log that is far behind drops bodies, never rows', async () => {
  const directory = makeDataDirectory()
  const { log, lines } = openLog(directory, { backlogBytes: 20_000 })
  const ids: string[] = []
  // In one turn, so that the thread can report nothing of what it has imported meanwhile.
  for (let count = 0; count < 100; count += 1) {
    const id = Bun.randomUUIDv7()
    log.begin(beginRecord(id))
    log.bodies(bodiesRecord(id, { request: 'x'.repeat(1_000) }))
    log.end(endRecord(id))
    ids.push(id)
  }
  const { droppedBodies } = log.stats()
  expect(droppedBodies).toBeGreaterThan(50)
  expect(lines.filter((line) => line.includes('drops bodies'))).toHaveLength(1)
  await log.close()
  expect(readRows(directory).map((row) => row.id)).toEqual(ids)
  const { reader, close } = openImporter(directory, 1)
  const kept = ids.filter((id) => reader.findBodies(id) !== undefined)
  expect(kept).toEqual(ids.slice(0, ids.length - droppedBodies))
  close()
})

describe('a disk that is full', () => {
  test.each(['refuse', 'serve'] as const)('%s', async (whenDiskFull) => {
    const directory = makeDataDirectory()
    let isFull = false
    const { log, lines } = openLog(directory, {
      settings: { ...settings, whenDiskFull },
      writeSync(file, bytes, offset, length) {
        if (isFull) throw new Error('ENOSPC: no space left on device')
        return writeSync(file, bytes, offset, length)
      },
    })
    const before = logRequest(log)
    log.assertWritable()
    isFull = true
    const during = logRequest(log)
    expect(log.state()).toBe('full')
    if (whenDiskFull === 'serve') log.assertWritable()
    else expect(() => log.assertWritable()).toThrow(GatewayError)
    await until(() => lines.some((line) => line.includes('ENOSPC')))
    isFull = false
    // Nothing needs to be logged for it to notice that there is room.
    await until(() => log.state() === 'ok')
    log.assertWritable()
    await log.close()
    expect(readRows(directory).map((row) => row.id)).toEqual([before, during])
  })
})

test('a new retention is kept to', async () => {
  const directory = makeDataDirectory()
  const old = Bun.randomUUIDv7('hex', Date.now() - 120_000)
  const { log } = openLog(directory)
  logRequest(log, old)
  const recent = logRequest(log)
  await log.flush()
  log.configure({ ...settings, retention: { ageMs: 60_000, sizeBytes: 1 << 30 } })
  await until(() => readRows(directory).length === 1)
  expect(readRows(directory)[0]?.id).toBe(recent)
  await log.close()
})
