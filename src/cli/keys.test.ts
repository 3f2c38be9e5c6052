import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { prepareDataDirectory } from '../db/data-directory'
import { takeFileLock } from '../db/lock'
import { authenticate } from '../keys/authenticate'
import { EXIT } from './command-line'
import {
  createKey,
  createdSchema,
  everyMember,
  everyOption,
  exitCodeOf,
  follow,
  freshPath,
  keys,
  run,
  spawnKeys,
  until,
} from './fixtures/key-commands'

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
  [['--name', 'a', '--budget', '10/soon']],
  [['--name', 'a', '--limit', '600']],
  [['--name', 'a', '--limit', '10in_flight/1m']],
  [['--name', 'a', '--meta', 'owner']],
  [['--name', 'a', '--require-header', 'x team=red']],
  [['--name', 'a', '--team', 'nobody']],
  [['--name', 'a', '--organization', 'nobody']],
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

const show = (data: string, name: string) =>
  JSON.parse(keys(data, 'show', name, '--json').join('\n'))

test('what was asked for is shown as it was typed, and an empty text clears it', () => {
  const data = freshPath()
  run('organizations', data, ['create', '--name', 'acme'])
  run('teams', data, ['create', '--name', 'red', '--organization', 'acme'])
  createKey(
    data,
    ...['--name', 'app', '--team', 'red', '--bodies', 'full', '--expires', '2999-01-01'],
    ...['--require-header', 'X-Team=red*', '--require-header', 'x-b=1', ...everyOption]
  )
  const everything = {
    ...everyMember,
    organization: 'acme',
    team: 'red',
    bodies: 'full',
    expires_at: '2999-01-01T00:00:00.000Z',
    required_headers: { 'x-team': 'red*', 'x-b': '1' },
  }
  expect(show(data, 'app')).toMatchObject(everything)
  keys(data, 'update', 'app', '--budget', '1/1d')
  expect(show(data, 'app')).toMatchObject({ ...everything, budgets: ['1/1d'] })
  const options = ['models', 'deny-models', 'providers', 'deny-providers', 'budget', 'limit']
  const others = ['credentials', 'weight', 'meta', 'require-header', 'team', 'bodies', 'expires']
  keys(data, 'update', 'app', ...[...options, ...others].flatMap((name) => [`--${name}`, '']))
  expect(show(data, 'app')).toMatchObject({
    ...{ models: [], denied_models: [], providers: [], denied_providers: [], weights: {} },
    ...{ tools: [], denied_tools: [] },
    ...{ credentials: [], budgets: [], limits: [], metadata: {}, required_headers: {} },
    ...{ organization: 'acme', team: null, bodies: null, expires_at: null },
  })
})

test('a budget has another amount until a time, and its own when that is ended', () => {
  const data = freshPath()
  createKey(data, '--name', 'app', '--budget', '10/30d', '--limit', '5/1m')
  keys(data, 'override', 'app', '--budget', '50/30d', '--limit', '9/1m', '--until', '2999-01-01')
  expect(show(data, 'app')).toMatchObject({
    budgets: ['10/30d (50 until 2999-01-01T00:00:00.000Z)'],
    limits: ['5/1m (9 until 2999-01-01T00:00:00.000Z)'],
  })
  keys(data, 'override', 'app', '--budget', '50/30d')
  expect(show(data, 'app')).toMatchObject({ budgets: ['10/30d'] })
  expect(exitCodeOf(() => keys(data, 'override', 'app', '--budget', '50/1d'))).toBe(EXIT.notFound)
})

test('a rotated key works with both tokens during its grace, and with one after it', async () => {
  const data = freshPath()
  const old = createKey(data, '--name', 'app')
  using gateway = follow(data)
  const rotate = (...args: string[]) =>
    createdSchema.parse(JSON.parse(keys(data, 'rotate', 'app', '--json', ...args).join('')))
  const second = rotate()
  expect(second.id).toBe(old.id)
  await until(() => gateway.verdict(second.key) === 'app')
  expect(gateway.verdict(old.key)).toBe('app')
  expect(show(data, 'app').previous_tokens).toEqual([
    { hint: old.key.slice(-4), ends_at: expect.any(String) },
  ])
  const third = rotate('--grace', '0s')
  await until(() => gateway.verdict(third.key) === 'app')
  for (const { key } of [old, second]) expect(gateway.verdict(key)).toContain('is unknown')
  expect(keys(data, 'rotate', 'app', '--grace', '1h').at(-1)).toContain('works until')
  expect(() => keys(data, 'rotate', 'app', '--grace', 'soon')).toThrow()
  keys(data, 'revoke', 'app')
  expect(exitCodeOf(() => keys(data, 'rotate', 'app'))).toBe(EXIT.failed)
})

test('a key that callers have already is imported, from standard input or by its hash', async () => {
  const data = freshPath()
  const tokens = ['sk-first-0123456789', 'sk-second-0123456789', 'sk-third-0123456789'] as const
  run('keys', data, ['import', '--name', 'first', '--token', '-'], `${tokens[0]}\n`)
  keys(data, 'import', '--name', 'second', '--token', tokens[1], '--limit', '5/1m')
  const hex = new Bun.CryptoHasher('sha256').update(tokens[2]).digest('hex')
  const third = keys(data, 'import', '--name', 'third', '--litellm-hash', hex, '--json')
  expect(JSON.parse(third.join(''))).toMatchObject({ name: 'third', hint: null })
  using gateway = follow(data)
  expect(tokens.map(gateway.verdict)).toEqual(['first', 'second', 'third'])
  expect(gateway.verdict(hex)).toContain('is not one of')
  const printed = [...keys(data, 'list'), ...keys(data, 'list', '--json')].join('\n')
  for (const token of tokens) expect(printed).not.toContain(token)
  for (const args of [[], ['--token', tokens[0], '--litellm-hash', hex], ['--token', 'short']])
    expect(exitCodeOf(() => keys(data, 'import', '--name', 'x', ...args))).toBe(EXIT.usage)
  expect(exitCodeOf(() => keys(data, 'import', '--name', 'x', '--token', tokens[0]))).toBe(
    EXIT.failed
  )
})
