import { expect, test } from 'bun:test'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError, EXIT } from './command-line'
import { defaultDataDirectory, openDataDirectory } from './data-directory'

test.skipIf(process.platform === 'win32').each([
  [{ TOLLGATE_DATA: '/srv/tg', XDG_DATA_HOME: '/xdg', HOME: '/home/me' }, '/srv/tg'],
  [{ TOLLGATE_DATA: '', XDG_DATA_HOME: '/xdg', HOME: '/home/me' }, '/xdg/tollgate'],
  [{ XDG_DATA_HOME: 'relative', HOME: '/home/me' }, '/home/me/.local/share/tollgate'],
  [{ HOME: '/home/me' }, '/home/me/.local/share/tollgate'],
])('with %p it is %s', (env, path) => {
  expect(defaultDataDirectory(env)).toBe(path)
})

test('one that can not be used ends the command with a code of its own', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'tollgate-cli-')), 'file')
  writeFileSync(file, '')
  try {
    openDataDirectory(file)
    throw new Error('it was opened')
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    expect(error.exitCode).toBe(EXIT.dataDirectory)
    expect(error.message).toContain(file)
  }
})
