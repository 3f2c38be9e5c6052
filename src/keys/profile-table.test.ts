import { expect, test } from 'bun:test'
import { readProfile, toProfileColumns } from './profile'
import { ProfileTable } from './profile-table'

const columns = (model: string) => ({ models: `["${model}"]`, rights: null, limits: null })

test('equal profiles are one, kept until the last key leaves it', () => {
  const table = new ProfileTable()
  const first = table.take(columns('a/*'))
  expect(table.take(columns('a/*'))).toBe(first)
  const other = table.take(columns('b/*'))
  expect(table.size).toBe(2)
  table.release(first)
  expect(table.get(first).rights.models).toEqual(['a/*'])
  table.release(first)
  expect(table.size).toBe(1)
  // The number is given again, and means the new one.
  expect(table.take(columns('c/*'))).toBe(first)
  expect(table.get(first).rights.models).toEqual(['c/*'])
  expect(table.get(other).rights.models).toEqual(['b/*'])
})

test('a profile is read as it was written', () => {
  const profile = {
    rights: {
      models: ['a/*'],
      deniedModels: ['a/b'],
      providers: ['a', 'c'],
      deniedProviders: ['d*'],
      ...{ tools: ['mcp.*'], deniedTools: ['mcp.x'] },
      credentials: ['a/prod-*'],
    },
    headers: [{ name: 'x-team', value: 'red\n' }],
    limits: [
      { unit: 'usd' as const, amount: 5, window: '1d' },
      { unit: 'in_flight' as const, amount: 2 },
    ],
  }
  const written = toProfileColumns(profile)
  expect(readProfile(written)).toEqual(profile)
  const table = new ProfileTable()
  expect(table.get(table.take(written))).toMatchObject(profile)
  const none = { models: null, rights: null, limits: null }
  expect(toProfileColumns(readProfile(none))).toEqual(none)
})

test.each([
  { models: '{}', rights: null, limits: null },
  { models: null, rights: '{"providers":"openai"}', limits: null },
  { models: null, rights: null, limits: '[{"unit":"apples","amount":1}]' },
  { models: null, rights: null, limits: '[{"unit":"usd","amount":1,"window":"soon"}]' },
])('what nobody wrote is an error, not a key without limits: %p', (written) => {
  expect(() => readProfile(written)).toThrow()
})
