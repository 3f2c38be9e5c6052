import { describe, expect, test } from 'bun:test'
import { CATALOG } from '../providers/catalog'
import { parseConfiguration } from './load-configuration'
import { renderProblems } from './problem'

const ENV = { KEY_A: 'sk-a', KEY_B: 'sk-b', AWS_BEARER_TOKEN_BEDROCK: 'a-bearer', SECRET: 'shh' }

function parse(providers: Record<string, unknown>, more: Record<string, unknown> = {}) {
  const options = { name: 'f.json', directory: '.', env: ENV, overrides: {}, rows: [] }
  return parseConfiguration(JSON.stringify({ providers, ...more }), { ...options, rows: CATALOG })
}

async function providerOf(name: string, fields: Record<string, unknown>) {
  const parsed = await parse({ [name]: fields })
  if (!parsed.ok) throw new Error(renderProblems(parsed.problems))
  return parsed.configuration.providers[0]
}

async function problemsOf(name: string, fields: Record<string, unknown>) {
  const parsed = await parse({ [name]: fields })
  return parsed.ok ? [] : parsed.problems
}

describe('credentials of a provider', () => {
  test('are read with their names, weights and models', async () => {
    const provider = await providerOf('openai', {
      credentials: [
        { name: 'prod', api_key: '${KEY_A}', weight: 3, models: ['gpt-*'] },
        { api_key: '${KEY_B}' },
      ],
    })
    expect(provider?.credentials).toMatchObject([
      { name: 'prod', weight: 3, models: ['gpt-*'], provider: { apiKey: 'sk-a' } },
      { name: '2', weight: 1, models: [], provider: { name: 'openai', apiKey: 'sk-b' } },
    ])
  })

  test('may be accounts of one host', async () => {
    const provider = await providerOf('azure', {
      account: 'east',
      credentials: [
        { api_key: '${KEY_A}' },
        { account: 'west', azure: { tenant_id: 't', client_id: 'c', client_secret: '${SECRET}' } },
      ],
    })
    const reached = provider?.credentials.map((credential) => credential.provider)
    expect(reached?.map(({ baseUrl }) => new URL(baseUrl).hostname.split('.')[0])).toEqual([
      'east',
      'west',
    ])
    expect(reached?.[1]?.identity).toMatchObject({ kind: 'azure', clientSecret: 'shh' })
  })

  test("with an identity don't take the key of the environment", async () => {
    const provider = await providerOf('bedrock', {
      credentials: [{ aws: { profile: 'a' } }, { api_key: '${KEY_B}' }],
    })
    expect(provider?.credentials).toMatchObject([
      { provider: { apiKey: undefined, identity: { kind: 'aws', profile: 'a' } } },
      { provider: { apiKey: 'sk-b', identity: undefined } },
    ])
  })

  const A = { api_key: '${KEY_A}' }
  test.each<[string, Record<string, unknown>, string, RegExp]>([
    ['none', { credentials: [] }, 'credentials', /not valid/],
    ['beside a key', { credentials: [A], api_key: '${KEY_B}' }, 'api_key', /take its place/],
    ['beside an identity', { credentials: [A], aws: {} }, 'aws', /take its place/],
    [
      'of one name',
      { credentials: [{ ...A, name: '2' }, A] },
      'credentials.1',
      /second one called 2/,
    ],
    ['without a secret', { credentials: [{ name: 'a' }] }, 'credentials.0', /has no credential/],
    ['with two', { credentials: [{ ...A, aws: {} }] }, 'credentials.0', /more than one/],
    ['of another host', { credentials: [{ aws: {} }] }, 'credentials.0.aws', /is not where/],
    [
      'that nothing sets',
      { credentials: [A, { api_key: '${NOWHERE}' }] },
      'credentials.1.api_key',
      /NOWHERE/,
    ],
    ['of no weight', { credentials: [{ ...A, weight: 0 }] }, 'credentials.0.weight', /not valid/],
    [
      'of a name with a slash',
      { credentials: [{ ...A, name: 'a/b' }] },
      'credentials.0.name',
      /not valid/,
    ],
  ])('%s are a problem', async (_, fields, path, says) => {
    const problems = await problemsOf('openai', fields)
    expect(problems.map((problem) => problem.path)).toEqual([`providers.openai.${path}`])
    expect(problems[0]?.message).toMatch(says)
  })

  test('written as a key itself are never shown', async () => {
    const problems = await problemsOf('openai', { credentials: [{ api_key: 'sk-written-here' }] })
    expect(problems).toHaveLength(1)
    expect(renderProblems(problems)).not.toContain('sk-written-here')
  })

  test('share what is wrong with their provider, told once', async () => {
    const problems = await problemsOf('openai', { credentials: [A, A], ca: 'nowhere.pem' })
    expect(problems.map(({ path }) => path)).toEqual(['providers.openai.ca'])
  })

  test.each([
    ['credential/openai/prod-1', true],
    ['credential/*', true],
    ['credential/openai/prod-1+key/*', true],
    ['credential/openai', false],
    ['credential/openai/*', false],
  ])('may be limited as %s: %p', async (subject, isRight) => {
    const parsed = await parse({ openai: A }, { limits: [{ subject, requests: 1 }] })
    expect(parsed.ok).toBe(isRight)
  })
})
