import { describe, expect, test } from 'bun:test'
import { parseConfiguration } from './load-configuration'
import type { ProviderRow } from './provider-row'

const ROW: ProviderRow = {
  name: 'cloud',
  title: 'A cloud',
  family: 'openai',
  baseUrl: 'https://{region}-{account}.cloud.example/v1',
  variables: {
    account: { what: 'the name of the account', env: ['CLOUD_ACCOUNT', 'CLOUD_PROJECT'] },
    region: {
      what: 'the region',
      env: ['CLOUD_REGION'],
      standard: 'eu',
      baseUrls: { global: 'https://{account}.cloud.example/v1' },
    },
    api_version: { what: 'the version', env: [], standard: '2024-10-21' },
  },
  apiKeyEnv: 'CLOUD_KEY',
  apiKeyPlace: { kind: 'header', name: 'api-key' },
  identity: 'azure',
  headers: { 'x-cloud': 'yes' },
  paths: {
    'openai-chat': '/v1/deployments/{model}/chat?api-version={api_version}',
    gemini: { whole: '/m/{model}:whole', stream: '/m/{model}:stream' },
  },
  modelFormats: [{ models: 'gem*', protocols: ['gemini'] }],
  modelList: { path: '/v1/list', shape: 'gemini' },
  local: false,
  protocols: ['openai-chat'],
  quirks: { includeUsage: true },
  models: [],
  documentUrl: 'https://cloud.example/docs',
  checked: '2026-11-23',
}

async function resolve(fields: string, env: Record<string, string> = {}) {
  const parsed = await parseConfiguration(`providers: { cloud: {${fields}} }`, {
    name: 'tollgate.yaml',
    directory: import.meta.dir,
    env,
    overrides: {},
    rows: [ROW],
  })
  const [provider] = parsed.ok ? parsed.configuration.providers : []
  return { provider, problems: parsed.ok ? [] : parsed.problems }
}

describe('an address with variables', () => {
  test.each<[string, Record<string, string>, string]>([
    ['account: acme', {}, 'https://eu-acme.cloud.example/v1'],
    ['account: acme, region: us', {}, 'https://us-acme.cloud.example/v1'],
    ['account: acme, region: global', {}, 'https://acme.cloud.example/v1'],
    ['', { CLOUD_PROJECT: 'p', CLOUD_REGION: 'us' }, 'https://us-p.cloud.example/v1'],
    ['account: "${WHO}"', { WHO: 'me', CLOUD_ACCOUNT: 'p' }, 'https://eu-me.cloud.example/v1'],
    ['base_url: "https://own.example/x/"', {}, 'https://own.example/x'],
  ])('%s', async (fields, env, baseUrl) => {
    const { provider } = await resolve(fields, env)
    expect(provider?.baseUrl).toBe(baseUrl)
  })

  test('that nobody tells is asked for by its meaning', async () => {
    const { problems } = await resolve('')
    expect(problems).toMatchObject([
      {
        path: 'providers.cloud.account',
        message: 'is missing: the name of the account',
        fix: 'write it, or set CLOUD_ACCOUNT',
      },
    ])
  })

  test.each(['a/b', '', 'a b', 'a@b'])('is no place for %p', async (account) => {
    const { problems } = await resolve(`account: "${account}"`)
    expect(problems).toMatchObject([{ path: 'providers.cloud.account' }])
  })

  test('is only taken from the environment when all of it is there', async () => {
    const load = async (env: Record<string, string>) => {
      const options = { name: 'x', directory: '.', overrides: {}, rows: [ROW], env }
      const parsed = await parseConfiguration('', options)
      return parsed.ok ? parsed.configuration.providers.length : 0
    }
    expect(await load({ CLOUD_KEY: 'k' })).toBe(0)
    expect(await load({ CLOUD_KEY: 'k', CLOUD_ACCOUNT: 'acme' })).toBe(1)
  })
})

describe('what a host does in its own way', () => {
  test('comes from the catalog', async () => {
    const { provider } = await resolve('account: acme', { CLOUD_KEY: 'k' })
    expect(provider).toMatchObject({
      apiKey: 'k',
      apiKeyPlace: { kind: 'header', name: 'api-key' },
      identity: undefined,
      headers: { 'x-cloud': 'yes' },
      paths: {
        'openai-chat': {
          whole: '/deployments/{model}/chat?api-version=2024-10-21',
          stream: '/deployments/{model}/chat?api-version=2024-10-21',
        },
        gemini: { whole: '/m/{model}:whole', stream: '/m/{model}:stream' },
      },
      modelFormats: [{ models: 'gem*', protocols: ['gemini'] }],
      modelList: { path: '/list', shape: 'gemini' },
    })
  })

  test('is overridden by the file', async () => {
    const { provider } = await resolve(
      `account: acme, api_version: "2025-01-01", api_key_header: X-Key, protocols: [openai-chat],
       aliases: { gpt-4o: my-deployment }, model_list: false, headers: { X-Cloud: "no" },
       paths: { openai-chat: "/x/{model}?v={api_version}" }`,
      { CLOUD_KEY: 'k' }
    )
    expect(provider).toMatchObject({
      apiKeyPlace: { kind: 'header', name: 'x-key' },
      aliases: { 'gpt-4o': 'my-deployment' },
      models: ['gpt-4o'],
      modelFormats: [],
      modelList: undefined,
      headers: { 'x-cloud': 'no' },
      paths: { 'openai-chat': { whole: '/x/{model}?v=2025-01-01' } },
    })
  })

  test('without a key its identity stands in', async () => {
    const { provider } = await resolve(
      'account: acme, azure: { tenant_id: t, client_id: c, client_secret: "${S}" }',
      { S: 'hush' }
    )
    expect(provider).toMatchObject({
      apiKey: undefined,
      identity: { kind: 'azure', tenantId: 't', clientId: 'c', clientSecret: 'hush' },
    })
  })

  test.each([
    ['aws: { profile: p }', 'providers.cloud.aws', 'is not where A cloud gets its credentials'],
    ['azure: { client_secret: hush }', 'providers.cloud.azure.client_secret', 'is not valid'],
  ])('%s is refused', async (fields, path, message) => {
    const { problems } = await resolve(`account: acme, ${fields}`)
    expect(problems).toMatchObject([{ path, message: expect.stringContaining(message) }])
  })
})
