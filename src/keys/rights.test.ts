import { describe, expect, test } from 'bun:test'
import { credentialRule, explainHeaders, explainRights, mayUse } from './rights'
import type { Level, LevelKind, Rights } from './virtual-key'

const NAMES = { key: 'app', team: 'red', organization: 'default' } as const
const NONE: Rights = {
  ...{ models: [], deniedModels: [], providers: [], deniedProviders: [] },
  ...{ credentials: [], tools: [], deniedTools: [] },
}

/** A key of these levels. */
function keyOf(rights: Partial<Record<LevelKind, Partial<Rights>>>) {
  const levels = (['key', 'team', 'organization'] as const).map((kind): Level => ({
    kind,
    id: kind,
    name: NAMES[kind],
    rights: { ...NONE, ...rights[kind] },
    limits: [],
  }))
  return { levels }
}

test.each<[string[], string, boolean]>([
  [[], 'openai/gpt-4o', true],
  [['openai/*'], 'openai/gpt-4o', true],
  [['openai/*'], 'openrouter/openai/gpt-4o', false],
  [['openai/*', 'local/*'], 'local/meta/llama-3', true],
  [['openai/gpt-4o'], 'openai/gpt-4o-mini', false],
  [['openai/gpt-4o'], 'OPENAI/GPT-4O', false],
  [['*'], 'any/model/at/all', true],
])('a key for %p and %s: %p', (models, model, allowed) => {
  expect(mayUse(keyOf({ key: { models } }), model)).toBe(allowed)
  expect(mayUse(keyOf({ team: { models } }), model)).toBe(allowed)
  expect(mayUse(keyOf({ organization: { models } }), model)).toBe(allowed)
})

test('every level must allow', () => {
  const key = keyOf({
    key: { models: ['openai/*', 'local/*'] },
    team: { providers: ['openai', 'azure*'] },
    organization: { deniedModels: ['*/o1-*'] },
  })
  expect(mayUse(key, 'openai/gpt-4o')).toBe(true)
  expect(mayUse(key, 'local/gpt-4o')).toBe(false)
  expect(mayUse(key, 'openai/o1-pro')).toBe(false)
  expect(mayUse(key, 'azure-west/gpt-4o')).toBe(false)
})

describe('credentials', () => {
  test('are all allowed where no list names their provider', () => {
    expect(credentialRule(keyOf({}), 'openai')).toBeUndefined()
    const elsewhere = keyOf({ key: { credentials: ['openai-eu/prod-*'] } })
    expect(credentialRule(elsewhere, 'openai')).toBeUndefined()
  })

  test('must be allowed by every level whose list names their provider', () => {
    const key = keyOf({
      key: { credentials: ['openai/prod-*', 'openai/batch'] },
      team: { credentials: ['*/prod-?'] },
      organization: { credentials: ['azure/west'] },
    })
    const mayUseIt = credentialRule(key, 'openai')
    const names = ['prod-1', 'prod-12', 'batch', 'other']
    expect(names.filter((name) => mayUseIt?.(name))).toEqual(['prod-1'])
    expect(credentialRule(key, 'azure')?.('west')).toBe(false)
    expect(credentialRule(key, 'local')?.('prod-1')).toBe(true)
  })
})

describe('the reason names the level and the rule', () => {
  test.each<[Parameters<typeof keyOf>[0], string]>([
    [
      { key: { models: ['local/*', 'azure/*'] } },
      "the key 'app' may not use the model 'openai/o1-pro': its allow list of models has only local/*, azure/*",
    ],
    [
      { team: { models: ['openai/*'], deniedModels: ['x', 'openai/o1-*'] } },
      "the team 'red' may not use the model 'openai/o1-pro': its deny list of models has openai/o1-*",
    ],
    [
      { organization: { providers: ['azure'] } },
      "the organization 'default' may not use the model 'openai/o1-pro': its allow list of providers has only azure",
    ],
    [
      { organization: { providers: ['openai'], deniedProviders: ['open*'] } },
      "the organization 'default' may not use the model 'openai/o1-pro': its deny list of providers has open*",
    ],
  ])('%p', (rights, message) => {
    expect(explainRights(keyOf(rights), 'openai/o1-pro')?.message).toBe(message)
  })

  test('a long list is not all told', () => {
    const models = Array.from({ length: 100 }, (_, number) => `local/model-${number}`)
    const denial = explainRights(keyOf({ key: { models } }), 'openai/x')
    expect(denial?.message).toContain('local/model-9 and 90 more')
    expect(denial?.message).not.toContain('local/model-10')
  })

  test('of several levels the nearest to the key speaks', () => {
    const key = keyOf({ team: { models: ['a/*'] }, organization: { models: ['b/*'] } })
    expect(explainRights(key, 'openai/x')).toMatchObject({
      level: { kind: 'team', name: 'red' },
      rule: 'models',
      entry: undefined,
    })
    expect(explainRights(keyOf({ key: { deniedModels: ['*/x'] } }), 'openai/x')).toMatchObject({
      level: { kind: 'key', name: 'app' },
      rule: 'deniedModels',
      entry: '*/x',
    })
  })
})

describe('required headers', () => {
  const headers = [
    { name: 'x-team', value: 'red*' },
    { name: 'x-stage', value: '*' },
  ]
  const explain = (given: Record<string, string>) =>
    explainHeaders({ name: 'app', headers }, (name) => given[name])

  test('are all asked for', () => {
    expect(explain({ 'x-team': 'red-1', 'x-stage': '' })).toBeUndefined()
    expect(explain({ 'x-team': 'red' })).toContain('x-stage, which is missing')
    expect(explain({})).toContain('x-team, which is missing')
  })

  test('and the value that is wanted is not told', () => {
    const reason = explain({ 'x-team': 'blue', 'x-stage': 'a' })
    expect(reason).toContain("the key 'app' may not be used with this value of the header x-team")
    expect(reason).not.toContain('red')
  })
})
