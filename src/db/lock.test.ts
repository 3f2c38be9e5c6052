import { expect, test } from 'bun:test'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeFileLock } from './lock'

const lockPath = () => join(mkdtempSync(join(tmpdir(), 'tollgate-lock-')), 'lock.db')

test('one at a time has it', () => {
  const path = lockPath()
  const first = takeFileLock(path, 0)
  expect(first).toBeDefined()
  expect(takeFileLock(path, 0)).toBeUndefined()
  first?.release()
  const second = takeFileLock(path, 0)
  expect(second).toBeDefined()
  second?.release()
})

test('kill -9 of its holder frees it', async () => {
  const path = lockPath()
  const script = `
    const { takeFileLock } = require(${JSON.stringify(join(import.meta.dir, 'lock.ts'))})
    globalThis.held = takeFileLock(${JSON.stringify(path)}, 0)
    console.log('held')
    setInterval(() => {}, 1000)`
  const holder = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' })
  try {
    await holder.stdout.getReader().read()
    expect(takeFileLock(path, 0)).toBeUndefined()
  } finally {
    holder.kill('SIGKILL')
    await holder.exited
  }
  const lock = takeFileLock(path, 0)
  expect(lock).toBeDefined()
  lock?.release()
})
