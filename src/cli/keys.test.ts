import { expect, test } from 'bun:test'
import { Command } from 'commander'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { prepareDataDirectory } from '../db/data-directory'
import { createKeyQueries } from '../db/key-queries'
import { takeFileLock } from '../db/lock'
import { openSqlite } from '../db/open'
import { authenticate } from '../keys/authenticate'
import { startKeyFeed } from '../keys/key-feed'
import { createKeyIndex } from '../keys/key-index'
import { createTokenHasher } from '../keys/token'
import { CommandError, EXIT } from './command-line'
import { openDataDirectory } from './data-directory'
import { addKeysCommands } from './keys'

const createdSchema = z.object({
  id: z.string(),
  key: z.string(),
  name: z.string(),
  models: z.array(z.string()),
  bodies: z.enum(['off', 'full']).nullable(),
  state: z.string(),
  expires_at: z.string().nullable(),
})
const freshPath = () => join(mkdtempSync(join(tmpdir(), 'tollgate-keys-')), 'data')

/** Runs one command in this process and gives its lines. */
function keys(data: string, ...args: string[]): string[] {
  const lines: string[] = []
  const program = new Command('tollgate').exitOverride().configureOutput({ writeErr: () => {} })
  const output = { out: (line: string) => void lines.push(line), error: () => {} }
  addKeysCommands(program, output, {})
  program.parse(['keys', ...args, '--data', data], { from: 'user' })
  return lines
}

const createKey = (data: string, ...args: string[]) =>
  createdSchema.parse(JSON.parse(keys(data, 'create', '--json', ...args).join('\n')))

/** Starts one command in a process of its own. */
function spawnKeys(data: string, ...args: string[]) {
  const script = `
    const { Command } = require('commander')
    const { addKeysCommands } = require(${JSON.stringify(join(import.meta.dir, 'keys.ts'))})
    const program = new Command('tollgate')
    addKeysCommands(program, { out: console.log, error: console.error }, {})
    program.parse(${JSON.stringify(['keys', ...args, '--data', data])}, { from: 'user' })`
  return Bun.spawn([process.execPath, '-e', script], {
    cwd: join(import.meta.dir, '..', '..'),
    stdout: 'pipe',
    stderr: 'inherit',
  })
}

/** What a gateway has in memory of a directory's keys, following changes. */
function follow(data: string) {
  const { directory, secret } = openDataDirectory(data)
  const database = openSqlite(directory.statePath)
  const index = createKeyIndex(createTokenHasher(secret))
  const onError = (error: unknown) => {
    throw error
  }
  const feed = startKeyFeed({ queries: createKeyQueries(database), index, onError })
  return {
    index,
    verdict(token: string): string {
      try {
        return authenticate(index, token, Date.now()).name
      } catch (error) {
        return error instanceof Error ? error.message : String(error)
      }
    },
    [Symbol.dispose]() {
      feed.stop()
      database.close()
    },
  }
}

async function until(holds: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 5_000
  while (!holds()) {
    if (Date.now() > deadlineMs) throw new Error('it never came about')
    await Bun.sleep(10)
  }
}

function exitCodeOf(run: () => unknown): number | undefined {
  try {
    run()
    return 0
  } catch (error) {
    return error instanceof CommandError ? error.exitCode : undefined
  }
}

test('a created key has what was asked for and works', () => {
  const data = freshPath()
  const created = createKey(
    data,
    ...[
      '--name',
      'app',
      '--models',
      'openai/*, local/*',
      '--expires',
      '2999-01-01',
      '--bodies',
      'off',
    ]
  )
  expect(created).toMatchObject({
    name: 'app',
    state: 'active',
    models: ['openai/*', 'local/*'],
    bodies: 'off',
    expires_at: '2999-01-01T00:00:00.000Z',
  })
  using gateway = follow(data)
  expect(authenticate(gateway.index, created.key, Date.now())).toMatchObject({
    id: created.id,
    models: ['openai/*', 'local/*'],
    bodies: 'off',
  })
})

test('people see the key once, and the list never', () => {
  const data = freshPath()
  const shown = keys(data, 'create', '--name', 'app').join('\n')
  const [token = ''] = /sk-tg-[\w-]{43}/.exec(shown) ?? []
  expect(token).not.toBe('')
  expect(shown).toContain("can't be shown again")
  const list = [...keys(data, 'list'), ...keys(data, 'list', '--json')].join('\n')
  expect(list).toContain(`…${token.slice(-4)}`)
  expect(list).not.toContain(token.slice(6, 20))
})

test('no file of the data directory has the token or its bytes', () => {
  const data = freshPath()
  const { key } = createKey(data, '--name', 'app')
  // Open while looking, so that the write-ahead log is there too.
  using _gateway = follow(data)
  createKey(data, '--name', 'other')
  const secretPart = key.slice('sk-tg-'.length)
  for (const file of readdirSync(data, { withFileTypes: true }).filter((entry) => entry.isFile())) {
    const bytes = readFileSync(join(data, file.name))
    expect(bytes.includes(secretPart)).toBe(false)
    expect(bytes.includes(Buffer.from(secretPart, 'base64url'))).toBe(false)
  }
})

test('a name is taken until its key is revoked', () => {
  const data = freshPath()
  const first = createKey(data, '--name', 'app')
  expect(exitCodeOf(() => keys(data, 'create', '--name', 'app'))).toBe(EXIT.failed)
  keys(data, 'disable', 'app')
  expect(exitCodeOf(() => keys(data, 'create', '--name', 'app'))).toBe(EXIT.failed)
  keys(data, 'revoke', 'app')
  const second = createKey(data, '--name', 'app')
  expect(second.id).not.toBe(first.id)
  // The name is now the living key's.
  keys(data, 'disable', 'app')
  expect(JSON.parse(keys(data, 'list', '--json').join(''))).toMatchObject([
    { id: first.id, state: 'revoked' },
    { id: second.id, state: 'disabled' },
  ])
})

test('revoked is for good, and revoking twice is no failure', () => {
  const data = freshPath()
  const { id } = createKey(data, '--name', 'app')
  const [revoked = ''] = keys(data, 'revoke', id, '--json')
  expect(JSON.parse(revoked)).toMatchObject({ id, state: 'revoked' })
  expect(keys(data, 'revoke', 'app', '--json')).toEqual([revoked])
  expect(exitCodeOf(() => keys(data, 'enable', 'app'))).toBe(EXIT.failed)
  expect(exitCodeOf(() => keys(data, 'disable', id))).toBe(EXIT.failed)
})

test('an unknown key is not found', () => {
  const data = freshPath()
  expect(keys(data, 'list', '--json')).toEqual(['[]'])
  expect(exitCodeOf(() => keys(data, 'revoke', 'nobody'))).toBe(EXIT.notFound)
})

test.each([
  [['--name', 'a', '--budget', '10/30d']],
  [['--name', 'a', '--limit', '600/1m']],
  [['--name', 'a', '--tools', 'files.*']],
  [['--name', 'a', '--bodies', 'some']],
  [['--name', 'a', '--expires', 'yesterday']],
  [['--name', 'a', '--expires', '2001-01-01']],
  [['--name', 'a', '--models', 'gpt-4o']],
  [['--name', 'a', '--models', 'openai/*,']],
  [['--name', 'two words']],
  [['--name', 'a/b']],
  [[]],
])('create %p is refused and makes nothing', (args) => {
  const data = freshPath()
  expect(() => keys(data, 'create', ...args)).toThrow()
  expect(keys(data, 'list', '--json')).toEqual(['[]'])
})

test('a running gateway follows what other processes write', async () => {
  const data = freshPath()
  using gateway = follow(data)
  const create = spawnKeys(data, 'create', '--name', 'app', '--json')
  const { key } = createdSchema.parse(JSON.parse(await new Response(create.stdout).text()))
  await until(() => gateway.verdict(key) === 'app')
  for (const [command, verdict] of [
    ['disable', 'is disabled'],
    ['enable', 'app'],
    ['revoke', 'was revoked'],
  ] as const) {
    expect(await spawnKeys(data, command, 'app').exited).toBe(0)
    await until(() => gateway.verdict(key).endsWith(verdict))
  }
})

test('eight first starts at once make one directory with eight keys', async () => {
  const data = freshPath()
  const starts = Array.from({ length: 8 }, (_, start) =>
    spawnKeys(data, 'create', '--name', `app-${start}`, '--json')
  )
  const outputs = await Promise.all(starts.map(({ stdout }) => new Response(stdout).text()))
  expect(await Promise.all(starts.map(({ exited }) => exited))).toEqual(starts.map(() => 0))
  using gateway = follow(data)
  // Each can only be checked with the secret it was hashed under: there was but one.
  for (const [start, text] of outputs.entries()) {
    expect(gateway.verdict(createdSchema.parse(JSON.parse(text)).key)).toBe(`app-${start}`)
  }
})

test('a first start goes on when the one that held the lock was killed', async () => {
  const data = freshPath()
  const prepared = prepareDataDirectory(data)
  if (!prepared.ok) throw new Error(prepared.problem)
  const { lockPath } = prepared.directory
  const script = `
    const { takeFileLock } = require(${JSON.stringify(join(import.meta.dir, '../db/lock.ts'))})
    globalThis.held = takeFileLock(${JSON.stringify(lockPath)}, 0)
    console.log('held')
    setInterval(() => {}, 1000)`
  const holder = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' })
  await holder.stdout.getReader().read()
  expect(takeFileLock(lockPath, 0)).toBeUndefined()
  const waiting = spawnKeys(data, 'list', '--json')
  holder.kill('SIGKILL')
  expect(await new Response(waiting.stdout).text()).toBe('[]\n')
  expect(await waiting.exited).toBe(0)
})
