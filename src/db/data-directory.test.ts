import { expect, test } from 'bun:test'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeDataDirectory, prepareDataDirectory, takeServingLock } from './data-directory'

const folder = () => mkdtempSync(join(tmpdir(), 'tollgate-data-'))
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
const onUnix = test.skipIf(process.platform === 'win32')
const asRoot = test.skipIf(process.getuid?.() !== 0)
const notAsRoot = test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)

onUnix('it is made for us alone, and so are its parents', () => {
  const root = folder()
  expect(prepareDataDirectory(join(root, 'a', 'b')).ok).toBe(true)
  expect([modeOf(join(root, 'a')), modeOf(join(root, 'a', 'b'))]).toEqual(['700', '700'])
  expect(modeOf(join(root, 'a', 'b', 'journal'))).toBe('700')
})

onUnix('one of ours that is open to others is closed to them', () => {
  const root = folder()
  chmodSync(root, 0o755)
  expect(prepareDataDirectory(root).ok).toBe(true)
  expect(modeOf(root)).toBe('700')
})

asRoot("another user's that is open to others is refused and left alone", () => {
  const root = folder()
  chownSync(root, 12_345, 12_345)
  chmodSync(root, 0o755)
  const prepared = prepareDataDirectory(root)
  expect(prepared).toEqual({ ok: false, problem: expect.stringContaining('user 12345') })
  expect(modeOf(root)).toBe('755')
})

notAsRoot('one that we may not write is refused', () => {
  const root = folder()
  chmodSync(root, 0o500)
  expect(prepareDataDirectory(root)).toEqual({
    ok: false,
    problem: expect.stringContaining(root),
  })
})

test('a file in its place is refused, and one on the way to it', () => {
  const file = join(folder(), 'file')
  writeFileSync(file, '')
  expect(prepareDataDirectory(file)).toEqual({
    ok: false,
    problem: `the data directory ${file} is not a directory`,
  })
  expect(prepareDataDirectory(join(file, 'below')).ok).toBe(false)
})

test('one process serves from it: a second is refused until the first was killed', async () => {
  const root = folder()
  mkdirSync(root, { recursive: true })
  const script = `
    const d = require(${JSON.stringify(join(import.meta.dir, 'data-directory.ts'))})
    globalThis.held = d.takeServingLock(d.describeDataDirectory(${JSON.stringify(root)}))
    console.log(globalThis.held.ok)
    setInterval(() => {}, 1000)`
  const first = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' })
  const directory = describeDataDirectory(root)
  try {
    await first.stdout.getReader().read()
    expect(takeServingLock(directory)).toEqual({
      ok: false,
      problem: expect.stringContaining(`${root} is in use`),
    })
  } finally {
    first.kill('SIGKILL')
    await first.exited
  }
  const taken = takeServingLock(directory)
  expect(taken.ok).toBe(true)
  if (taken.ok) taken.lock.release()
})
