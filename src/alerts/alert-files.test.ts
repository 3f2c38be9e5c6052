import { afterEach, describe, expect, test } from 'bun:test'
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AlertFiles, type PendingAlert } from './alert-files'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function open(folder = join(makeFolder(), 'alerts')) {
  const errors: unknown[] = []
  return { folder, errors, files: new AlertFiles(folder, (error) => void errors.push(error)) }
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-alerts-'))
  folders.push(folder)
  return folder
}

const alertAt = (createdAtMs: number): PendingAlert => ({
  ...{ id: Bun.randomUUIDv7(), createdAtMs, webhooks: new Set(['a', 'b']), body: '{"x":1}' },
  mark: { key: `key ${createdAtMs}`, untilMs: 5 },
})

describe('the files of alerts', () => {
  test('give back what was kept, the oldest first, and nothing that was removed', async () => {
    const { folder, files, errors } = open()
    const [old, late, gone] = [alertAt(1), alertAt(2), alertAt(3)]
    for (const alert of [late, gone, old]) files.save(alert)
    files.save({ ...late, webhooks: new Set(['b']) })
    files.remove(gone.id)
    await files.settled()
    expect(open(folder).files.read().alerts).toEqual([old, { ...late, webhooks: new Set(['b']) }])
    expect(errors).toEqual([])
  })

  test('give back marks, those for good too, whatever a killed process left half written', async () => {
    const { folder, files } = open()
    const marks = [
      { key: 'a\nb', untilMs: 5 },
      { key: 'for good', untilMs: Infinity },
    ]
    const all = () => marks
    files.mark({ key: 'a\nb', untilMs: 5 }, all)
    await files.settled()
    appendFileSync(join(folder, 'told.jsonl'), '\n{"key":"half')
    writeFileSync(join(folder, 'half.json.new'), '{')
    const next = open(folder)
    next.files.read()
    next.files.mark({ key: 'for good', untilMs: Infinity }, all)
    await next.files.settled()
    expect(open(folder).files.read().marks).toEqual(marks)
    expect(readdirSync(folder)).toEqual(['told.jsonl'])
  })

  test('tell of an alert that they can not read, and leave it', async () => {
    const { folder, files } = open()
    files.save(alertAt(1))
    await files.settled()
    writeFileSync(join(folder, 'strange.json'), '{"version":2}')
    const next = open(folder)
    expect(next.files.read().alerts).toHaveLength(1)
    expect(next.errors).toHaveLength(1)
    expect(readdirSync(folder)).toContain('strange.json')
  })

  test('do not grow with marks that are over', async () => {
    const { folder, files } = open()
    const good = [{ key: 'good', untilMs: 9 }]
    for (let at = 0; at < 1_500; at++) {
      files.mark({ key: `over ${at}`, untilMs: 1 }, () => good)
      if (at % 100 === 99) await files.settled()
    }
    const lines = readFileSync(join(folder, 'told.jsonl'), 'utf8').trim().split('\n')
    expect(lines.length).toBeLessThan(600)
    expect(open(folder).files.read().marks[0]).toEqual({ key: 'good', untilMs: 9 })
  })

  test('tell when the disk takes nothing, and go on', async () => {
    const path = join(makeFolder(), 'file')
    writeFileSync(path, '')
    const { files, errors } = open(path)
    files.save(alertAt(1))
    await files.settled()
    expect(errors).toHaveLength(1)
  })
})
