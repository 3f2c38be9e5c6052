import { beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareDataDirectory } from '../db/data-directory'
import { createKeyQueries, type KeyQueries } from '../db/key-queries'
import { migrateDatabases } from '../db/migrate'
import { openSqlite } from '../db/open'
import { KeyAdministration } from './administration'
import { AdministrationError } from './administration-error'
import { GroupAdministration } from './group-administration'
import { createTokenHasher } from './token'

const DAY_MS = 86_400_000
const hashToken = createTokenHasher(new Uint8Array(32).fill(7))
let nowMs = 0
let queries: KeyQueries
let keys: KeyAdministration
let teams: GroupAdministration
let organizations: GroupAdministration

beforeEach(() => {
  const prepared = prepareDataDirectory(mkdtempSync(join(tmpdir(), 'tollgate-administration-')))
  if (!prepared.ok) throw new Error(prepared.problem)
  migrateDatabases(prepared.directory)
  queries = createKeyQueries(openSqlite(prepared.directory.statePath))
  nowMs = Date.UTC(2030, 0, 1)
  const now = () => nowMs
  keys = new KeyAdministration(queries, hashToken, now)
  teams = new GroupAdministration('team', queries, now)
  organizations = new GroupAdministration('organization', queries, now)
})

function failureOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof AdministrationError) return `${error.failure}: ${error.message}`
    throw error
  }
  return 'none'
}

describe('what a key belongs to', () => {
  test('is the default organization, another one, or a team', () => {
    organizations.create({ name: 'acme' })
    teams.create({ name: 'red', organization: 'acme' })
    teams.create({ name: 'blue' })
    const belonging = (name: string, of: object) => {
      const { organization, team } = keys.create({ name, ...of }).record
      return [organization, team]
    }
    expect(belonging('a', {})).toEqual(['default', undefined])
    expect(belonging('b', { organization: 'acme' })).toEqual(['acme', undefined])
    expect(belonging('c', { team: 'red' })).toEqual(['acme', 'red'])
    expect(belonging('d', { team: 'blue', organization: 'default' })).toEqual(['default', 'blue'])
    expect(failureOf(() => keys.create({ name: 'e', team: 'blue', organization: 'acme' }))).toBe(
      'conflict: the team blue is not in the organization acme'
    )
    expect(failureOf(() => keys.create({ name: 'e', team: 'green' }))).toBe(
      'not-found: no team has the name or id green'
    )
  })

  test('is changed alone, and leaving a team keeps the organization', () => {
    organizations.create({ name: 'acme' })
    teams.create({ name: 'red', organization: 'acme' })
    keys.create({ name: 'app', team: 'red', models: ['openai/*'] })
    const update = (input: object) => {
      const { organization, team, profile } = keys.update('app', input)
      return [organization, team, profile.rights.models]
    }
    expect(update({ bodies: 'full' })).toEqual(['acme', 'red', ['openai/*']])
    expect(update({ team: null })).toEqual(['acme', undefined, ['openai/*']])
    expect(update({ team: null })).toEqual(['acme', undefined, ['openai/*']])
    expect(update({ organization: 'default' })).toEqual(['default', undefined, ['openai/*']])
    expect(update({ team: 'red' })).toEqual(['acme', 'red', ['openai/*']])
  })

  test('can not be deleted under it, nor meanwhile', () => {
    organizations.create({ name: 'acme' })
    const { row: red } = teams.create({ name: 'red', organization: 'acme' })
    const { record } = keys.create({ name: 'app', team: 'red' })
    expect(failureOf(() => teams.delete('red'))).toContain('the team red still has 1 key')
    expect(failureOf(() => organizations.delete('acme'))).toContain('still has 1 team')
    expect(failureOf(() => organizations.delete('default'))).toContain('always exists')
    keys.revoke('app')
    teams.delete('red')
    expect(failureOf(() => teams.get('red'))).toContain('not-found')
    expect(keys.get(record.row.id)).toMatchObject({ team: 'red', organization: 'acme' })
    // Somebody found the team just before it was deleted.
    const late = { ...record.row, id: 'late', name: 'late', tokenHash: hashToken('late') }
    expect(queries.store({ ...late, revokedAtMs: null, groupId: red.id })).toBe('group_gone')
    organizations.delete('acme')
    expect(queries.groups.insert({ ...red, id: 'new' })).toBe(false)
    // The names are free again, and mean something new.
    expect(teams.create({ name: 'red' })).toMatchObject({ organization: 'default' })
    expect(keys.list({ team: 'red' }).records).toEqual([])
  })
})

describe('rotation', () => {
  const hints = () => keys.get('app').previous.map(({ endsAtMs }) => endsAtMs - nowMs)

  test('leaves the old token its grace, and no earlier one longer', () => {
    keys.create({ name: 'app' })
    const first = keys.rotate('app', 10 * DAY_MS)
    expect(hints()).toEqual([10 * DAY_MS])
    const second = keys.rotate('app', DAY_MS)
    expect(second.token).not.toBe(first.token)
    expect(second.record.row.id).toBe(first.record.row.id)
    expect(hints()).toEqual([DAY_MS, DAY_MS])
    keys.rotate('app', 0)
    expect(hints()).toEqual([])
  })

  test('never makes a time longer', () => {
    keys.create({ name: 'app' })
    keys.rotate('app', DAY_MS)
    nowMs += DAY_MS / 2
    keys.rotate('app', 10 * DAY_MS)
    expect(hints()).toEqual([DAY_MS / 2, 10 * DAY_MS])
  })

  test.each([-1, NaN, 366 * DAY_MS])('a grace of %p ms is refused', (graceMs) => {
    const { record } = keys.create({ name: 'app' })
    expect(failureOf(() => keys.rotate('app', graceMs))).toContain('invalid')
    expect(keys.get('app').row.tokenHint).toBe(record.row.tokenHint)
  })
})

describe('importing', () => {
  const token = 'sk-imported-0123456789'

  test('a token has one key, even after that was revoked or rotated', () => {
    keys.import({ name: 'app' }, { token })
    expect(failureOf(() => keys.import({ name: 'b' }, { token }))).toContain('conflict')
    keys.rotate('app', 0)
    expect(failureOf(() => keys.import({ name: 'b' }, { token }))).toContain('conflict')
    keys.revoke('app')
    expect(failureOf(() => keys.import({ name: 'b' }, { token }))).toContain('conflict')
    expect(keys.list({}).records).toHaveLength(1)
  })

  test.each(['short', 'with spaces 0123456789', 'ungewöhnlich-0123456789', ''])(
    '%p is no token',
    (text) => {
      expect(failureOf(() => keys.import({ name: 'b' }, { token: text }))).toContain('invalid')
    }
  )

  test.each(['', 'ab', 'g'.repeat(64), 'a'.repeat(65)])('%p is no SHA-256', (litellmHash) => {
    expect(failureOf(() => keys.import({ name: 'b' }, { litellmHash }))).toContain('invalid')
  })
})

describe('listing', () => {
  test('pages meet every key once, and filters narrow', () => {
    organizations.create({ name: 'acme' })
    teams.create({ name: 'red', organization: 'acme' })
    for (let number = 0; number < 7; number++) {
      keys.create({ name: `App-${number}`, ...(number % 2 === 1 && { team: 'red' }) })
    }
    keys.create({ name: 'other', organization: 'acme' })
    keys.revoke('App-0')
    const names = (filter: object, limit = 3) => {
      const found: string[] = []
      let afterId: string | undefined = ''
      while (afterId !== undefined) {
        const page = keys.list(filter, afterId, limit)
        found.push(...page.records.map(({ row }) => row.name))
        afterId = page.nextAfterId
      }
      return found.sort()
    }
    const all = ['App-0', 'App-1', 'App-2', 'App-3', 'App-4', 'App-5', 'App-6', 'other']
    expect(names({})).toEqual(all)
    expect(names({}, 4)).toEqual(all)
    expect(names({ team: 'red' })).toEqual(['App-1', 'App-3', 'App-5'])
    expect(names({ organization: 'acme' })).toEqual(['App-1', 'App-3', 'App-5', 'other'])
    expect(names({ organization: 'default', withRevoked: false })).toEqual([
      'App-2',
      'App-4',
      'App-6',
    ])
    expect(names({ search: 'app-1' })).toEqual(['App-1'])
    expect(names({ search: '%' })).toEqual([])
  })
})

test.each<[object, string]>([
  [{ name: 'a', unknown: 1 }, 'unknown'],
  [{ name: 'a', models: ['gpt-4o'] }, 'models.0: Models are named provider/model'],
  [{ name: 'a', providers: ['openai/x'] }, 'no slash'],
  [{ name: 'a', credentials: ['prod-1'] }, 'named provider/name'],
  [{ name: 'a', budgets: [{ unit: 'requests', amount: 1, window: '1m' }] }, 'in USD'],
  [{ name: 'a', limits: [{ unit: 'usd', amount: 1, window: '1m' }] }, 'is a budget'],
  [{ name: 'a', limits: [{ unit: 'requests', amount: 1, window: 'soon' }] }, 'a window'],
  [{ name: 'a', headers: { 'X-Team': 'red' } }, 'lower case'],
  [{ name: 'a', headers: { 'x-team': '' } }, '1 to 256'],
  [{ name: 'a', metadata: { 'two words': 'x' } }, 'a name of letters'],
  [{ name: 'a+b' }, 'A name has'],
  [{}, 'name'],
])('%p is refused', (input, message) => {
  const failure = failureOf(() => keys.create(input))
  expect(failure).toStartWith('invalid: ')
  expect(failure).toContain(message)
  expect(keys.list({}).records).toEqual([])
})

test('budgets and limits are written anew apart from each other', () => {
  const budget = { unit: 'usd', amount: 5, window: '1d' } as const
  const limit = { unit: 'requests', amount: 600, window: '1m' } as const
  keys.create({ name: 'app', budgets: [budget], limits: [limit] })
  const update = (input: object) => keys.update('app', input).profile.limits
  expect(update({ limits: [{ ...limit, amount: 1 }] })).toEqual([budget, { ...limit, amount: 1 }])
  expect(update({ budgets: [] })).toEqual([{ ...limit, amount: 1 }])
  expect(update({ metadata: { owner: 'me' } })).toEqual([{ ...limit, amount: 1 }])
  expect(keys.get('app').metadata).toEqual({ owner: 'me' })
})
