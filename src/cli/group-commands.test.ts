import { expect, test } from 'bun:test'
import { z } from 'zod'
import { authenticate } from '../keys/authenticate'
import { explainFallbacks, mayUseEquivalents, explainRights } from '../keys/rights'
import { EXIT } from './command-line'
import {
  createKey,
  everyMember,
  everyOption,
  exitCodeOf,
  follow,
  freshPath,
  keys,
  run,
  until,
} from './fixtures/key-commands'

test('the gateway holds a key to what it and its team and organization say', async () => {
  const data = freshPath()
  run('organizations', data, ['update', 'default', '--deny-models', '*/o1-*'])
  run('teams', data, ['create', '--name', 'red', '--providers', 'openai', '--budget', '10/1d'])
  const { key } = createKey(data, '--name', 'app', '--team', 'red', '--limit', '600/1m')
  using gateway = follow(data)
  const find = () => authenticate(gateway.index, key, Date.now())
  expect(find().allLimits.map(({ limit }) => [limit.subject.text, limit.unit])).toEqual([
    ['key/app', 'requests'],
    ['team/red', 'usd'],
  ])
  expect(explainRights(find(), 'openai/gpt-4o')).toBeUndefined()
  expect(explainRights(find(), 'openai/o1-pro')?.message).toContain("organization 'default'")
  expect(explainRights(find(), 'local/gpt-4o')?.message).toContain("team 'red'")
  run('teams', data, ['update', 'red', '--providers', ''])
  await until(() => explainRights(find(), 'local/gpt-4o') === undefined)
})

test.each(['teams', 'organizations'] as const)(
  '%s are made, shown, changed and deleted',
  (command) => {
    const data = freshPath()
    const json = (...args: string[]) => JSON.parse(run(command, data, [...args, '--json']).join(''))
    const created = json('create', '--name', 'red', ...everyOption)
    expect(created).toMatchObject({ name: 'red', ...everyMember })
    expect(json('show', 'red')).toEqual(created)
    expect(json('show', created.id)).toEqual(created)
    expect(json('list')).toContainEqual(created)
    expect(json('update', 'red', '--models', '')).toEqual({ ...created, models: [] })
    expect(run(command, data, ['list']).join('\n')).toContain('!*/o1-*')
    expect(run(command, data, ['show', 'red']).join('\n')).toContain('owner=me')
    expect(exitCodeOf(() => run(command, data, ['create', '--name', 'red']))).toBe(EXIT.failed)
    expect(exitCodeOf(() => run(command, data, ['show', 'blue']))).toBe(EXIT.notFound)
    expect(json('delete', 'red').name).toBe('red')
    expect(exitCodeOf(() => run(command, data, ['delete', 'red']))).toBe(EXIT.notFound)
  }
)

test('keys are allowed fallbacks, and what they belong to may forbid them', async () => {
  const data = freshPath()
  run('teams', data, ['create', '--name', 'red'])
  const { key } = createKey(data, '--name', 'app', '--team', 'red')
  using gateway = follow(data)
  const explain = () => explainFallbacks(authenticate(gateway.index, key, Date.now()))
  expect(explain()).toContain("the key 'app' may not bring fallbacks")
  keys(data, 'update', 'app', '--allow-fallbacks')
  await until(() => explain() === undefined)
  expect(keys(data, 'show', 'app').join('\n')).toMatch(/fallbacks +true/)
  run('teams', data, ['update', 'red', '--forbid-fallbacks'])
  await until(() => explain() === "the team 'red' forbids fallbacks in requests")
  run('teams', data, ['update', 'red', '--models', '*'])
  expect(run('teams', data, ['show', 'red']).join('\n')).toMatch(/fallbacks +false/)
  run('teams', data, ['update', 'red', '--no-forbid-fallbacks'])
  await until(() => explain() === undefined)
  keys(data, 'update', 'app', '--no-allow-fallbacks')
  await until(() => explain()?.includes("the key 'app'") === true)
})

test('what still has keys is not deleted', () => {
  const data = freshPath()
  run('teams', data, ['create', '--name', 'red'])
  createKey(data, '--name', 'app', '--team', 'red')
  expect(exitCodeOf(() => run('teams', data, ['delete', 'red']))).toBe(EXIT.failed)
  expect(exitCodeOf(() => run('organizations', data, ['delete', 'default']))).toBe(EXIT.failed)
  keys(data, 'update', 'app', '--team', '')
  expect(exitCodeOf(() => run('teams', data, ['delete', 'red']))).toBe(0)
})

test('lists narrow to a team, an organization and a part of the name', () => {
  const data = freshPath()
  run('teams', data, ['create', '--name', 'red'])
  createKey(data, '--name', 'app', '--team', 'red')
  createKey(data, '--name', 'other')
  const names = (...args: string[]) =>
    z
      .array(z.object({ name: z.string() }))
      .parse(JSON.parse(keys(data, 'list', '--json', ...args).join('')))
      .map(({ name }) => name)
  expect(names()).toEqual(['app', 'other'])
  expect(names('--team', 'red')).toEqual(['app'])
  expect(names('--organization', 'default')).toEqual(['app', 'other'])
  expect(names('--search', 'THE')).toEqual(['other'])
  expect(keys(data, 'list', '--search', 'nobody')).toEqual(['There is no such key.'])
  expect(exitCodeOf(() => keys(data, 'list', '--team', 'blue'))).toBe(EXIT.notFound)
  expect(keys(data, 'list').join('\n')).toContain('default/red')
})

test('keys and what they belong to may forbid that other models answer', async () => {
  const data = freshPath()
  run('teams', data, ['create', '--name', 'red'])
  const { key } = createKey(data, '--name', 'app', '--team', 'red')
  using gateway = follow(data)
  const may = () => mayUseEquivalents(authenticate(gateway.index, key, Date.now()))
  expect(may()).toBe(true)
  keys(data, 'update', 'app', '--forbid-equivalents')
  await until(() => !may())
  expect(keys(data, 'show', 'app').join('\n')).toMatch(/equivalents +false/)
  keys(data, 'update', 'app', '--no-forbid-equivalents')
  await until(may)
  run('teams', data, ['update', 'red', '--forbid-equivalents'])
  await until(() => !may())
})
