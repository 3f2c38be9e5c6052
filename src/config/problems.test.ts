import { describe, expect, test } from 'bun:test'
import { parseConfiguration } from './load-configuration'
import { type Problem, renderProblems } from './problem'
import type { ProviderRow } from './provider-row'
import { configurationJsonSchema } from './schema'

const ROWS: ProviderRow[] = ['openai', 'mistral'].map((name) => ({
  name,
  title: name,
  family: 'openai',
  baseUrl: `https://${name}.example/v1`,
  apiKeyEnv: `${name.toUpperCase()}_API_KEY`,
  local: false,
  protocols: ['openai-chat'],
  quirks: { includeUsage: true },
  models: [],
  documentUrl: 'https://example.com',
  checked: '2026-11-22',
}))

async function problemsOf(text: string, name = 'tollgate.yaml') {
  const env = { OPENAI_API_KEY: 'sk-1', EMPTY: '' }
  const given = { name, directory: '/', env, overrides: {}, rows: ROWS }
  const result = await parseConfiguration(text, given)
  return result.ok ? [] : result.problems
}

const TABLE: [string, string, Partial<Problem>][] = [
  [
    'an unknown field',
    'server:\n  prot: 1\n',
    { line: 2, column: 3, path: 'server.prot', message: 'is not a known field', nearest: 'port' },
  ],
  [
    'an unknown section',
    'provider:\n  openai: {}\n',
    {
      line: 1,
      column: 1,
      path: 'provider',
      nearest: 'providers',
      allowed:
        'server, keys, log, failover, responses, batches, models, model_list, routes, budgets, limits, alerts, providers',
    },
  ],
  [
    'a field of a capability that is not there',
    'guardrails: []\n',
    { line: 1, path: 'guardrails', message: 'is not a known field' },
  ],
  [
    'an unknown field of a provider',
    'providers:\n  openai:\n    api_kye: none\n',
    { line: 3, column: 5, path: 'providers.openai.api_kye', nearest: 'api_key' },
  ],
  [
    'a duplicate field',
    'server:\n  port: 1\n  host: localhost\n  port: 2\n',
    { line: 4, column: 3, path: 'server.port', message: 'is there twice' },
  ],
  [
    'a duplicate provider',
    'providers:\n  openai: {}\n  "openai": {}\n',
    { line: 3, column: 3, path: 'providers.openai', message: 'is there twice' },
  ],
  [
    'a duration without unit',
    'server:\n  head_hold: 15\n',
    {
      line: 2,
      column: 14,
      path: 'server.head_hold',
      found: '15',
      allowed: 'a duration such as 500ms, 15s, 2m, 1h or 30d, from 0s to 10m',
    },
  ],
  [
    'a wrong unit',
    'server:\n  head_hold: 15sec\n',
    { line: 2, path: 'server.head_hold', found: '"15sec"' },
  ],
  [
    'a size as a duration',
    'server:\n  max_body: 15s\n',
    { line: 2, path: 'server.max_body', found: '"15s"' },
  ],
  [
    'a duration out of range',
    'server:\n  heartbeat: 0s\n',
    { line: 2, path: 'server.heartbeat', found: '"0s"' },
  ],
  [
    'a wrong type',
    'keys:\n  required: yes\n',
    { line: 2, column: 13, path: 'keys.required', found: '"yes"', allowed: 'true, false' },
  ],
  [
    'a text for a port',
    'server: { port: "80" }\n',
    {
      line: 1,
      column: 17,
      path: 'server.port',
      found: '"80"',
      allowed: 'a whole number from 0 to 65535',
    },
  ],
  ['a port out of range', 'server: { port: 65536 }\n', { path: 'server.port', found: '65536' }],
  [
    'an address with more than a host',
    'server: { host: "127.0.0.1/8" }\n',
    { line: 1, column: 17, path: 'server.host', allowed: 'a host name or address' },
  ],
  [
    'a choice that is none',
    'log:\n  bodies: ful\n',
    { line: 2, path: 'log.bodies', found: '"ful"', allowed: 'off, full', nearest: 'full' },
  ],
  ['nothing for a mapping', 'log:\n', { line: 1, path: 'log', found: 'nothing' }],
  ['a list for a mapping', '- server\n', { path: '', found: 'a list' }],
  [
    'a missing field',
    'server:\n  tls: { cert: a }\n',
    { line: 2, column: 3, path: 'server.tls.key', message: 'is missing' },
  ],
  [
    'a bad provider name',
    'providers:\n  OpenAI: {}\n',
    { line: 2, column: 3, path: 'providers.OpenAI', message: 'is not a name that fits here' },
  ],
  [
    'an unknown provider',
    'providers:\n  opnai: {}\n',
    { line: 2, column: 3, path: 'providers.opnai', nearest: 'openai', allowed: 'openai, mistral' },
  ],
  [
    'an unknown type',
    'providers:\n  a: { type: mistrl }\n',
    { line: 2, column: 14, path: 'providers.a.type', nearest: 'mistral' },
  ],
  [
    'a key in the file',
    'providers:\n  openai:\n    api_key: sk-abc\n',
    {
      line: 3,
      column: 14,
      path: 'providers.openai.api_key',
      found: 'a text (not shown)',
      allowed: 'none, caller, ${ENV_NAME} or ${file:PATH}',
    },
  ],
  [
    'a missing variable',
    'providers:\n  openai:\n    api_key: ${OPENAI_APIKEY}\n',
    {
      line: 3,
      path: 'providers.openai.api_key',
      message: 'refers to the environment variable OPENAI_APIKEY, which is not set',
      nearest: 'OPENAI_API_KEY',
    },
  ],
  [
    'an empty variable',
    'providers:\n  openai:\n    api_key: ${EMPTY}\n',
    { line: 3, message: 'refers to the environment variable EMPTY, which is empty' },
  ],
  [
    "a missing catalog's variable",
    'providers:\n  mistral: {}\n',
    {
      line: 2,
      path: 'providers.mistral.api_key',
      message: 'is left out and means the environment variable MISTRAL_API_KEY, which is not set',
    },
  ],
  [
    'a missing secret file',
    'providers:\n  openai:\n    api_key: ${file:/no/such}\n',
    { line: 3, message: 'refers to the file /no/such, which does not exist' },
  ],
  [
    'a reference of no form',
    'providers:\n  openai:\n    headers: { x-a: "${a-b}" }\n',
    {
      line: 3,
      column: 21,
      path: 'providers.openai.headers.x-a',
      message: 'holds a reference of unknown form',
    },
  ],
  [
    'an open reference',
    'providers:\n  openai:\n    headers: { x-a: "${A" }\n',
    { line: 3, message: 'holds a reference that is not closed by }' },
  ],
  [
    'a header of the gateway',
    'providers:\n  openai:\n    headers: { Authorization: x }\n',
    {
      line: 3,
      column: 16,
      path: 'providers.openai.headers.Authorization',
      message: 'is not a name that fits here',
    },
  ],
  [
    'a header twice',
    'providers:\n  openai:\n    headers:\n      x-a: a\n      X-A: b\n',
    { line: 5, path: 'providers.openai.headers.X-A', message: 'is there twice, in another case' },
  ],
  [
    'an address with a query',
    'providers:\n  openai: { base_url: "https://h/v1?k=1" }\n',
    { line: 2, path: 'providers.openai.base_url' },
  ],
  [
    'an address of another scheme',
    'providers:\n  openai: { base_url: "ftp://h/v1" }\n',
    { path: 'providers.openai.base_url', found: '"ftp://h/v1"' },
  ],
  [
    'a password in a proxy',
    'providers:\n  openai: { proxy: "http://u:p@h:1" }\n',
    {
      line: 2,
      path: 'providers.openai.proxy',
      message: 'holds a password, which does not belong in the file',
    },
  ],
  [
    'a proxy that is none',
    'providers:\n  openai: { proxy: socks5://h }\n',
    { line: 2, path: 'providers.openai.proxy', allowed: 'none, or an http(s):// address' },
  ],
  [
    'a public address without keys',
    'server: { host: 0.0.0.0, behind_proxy: true }\n',
    {
      line: 1,
      column: 17,
      path: 'server.host',
      fix: 'set keys.required: true, or server.host: 127.0.0.1',
    },
  ],
  [
    'a public address in clear text',
    'server:\n  host: 192.168.1.2\nkeys: { required: true }\n',
    {
      line: 2,
      path: 'server.host',
      fix: 'set server.tls, or server.behind_proxy: true where a proxy in front does TLS',
    },
  ],
  [
    'limits that contradict each other',
    'server: { max_body: 2MB, max_bodies: 1MB }\n',
    { line: 1, path: 'server.max_bodies' },
  ],
  [
    'no provider',
    'providers: {}\n',
    {
      line: 1,
      path: 'providers',
      fix: 'set one of OPENAI_API_KEY, MISTRAL_API_KEY, or name a provider in the file',
    },
  ],
  ['broken YAML', 'server:\n  - a\n b: 1\n', { line: 3, path: '' }],
  [
    'an unquoted reference in braces',
    'providers:\n  openai: { api_key: ${OPENAI_API_KEY} }\n',
    { line: 2, fix: 'put a value with ${…} in quotes: "${NAME}"' },
  ],
  [
    'an alias without anchor',
    'server: *nowhere\n',
    { message: 'has an alias without its anchor, or too many of them' },
  ],
  ['two documents', 'keys: {}\n---\nkeys: {}\n', { line: 2, path: '' }],
]

describe('a problem has its place, its path and its words', () => {
  test.each(TABLE)('%s', async (_, text, expected) => {
    expect(await problemsOf(text)).toMatchObject([expected])
  })

  test.each([
    [
      '{\n  "server": {"port": 1,}\n}',
      { line: 2, column: 24, message: "is not a JSON object: unexpected '}'" },
    ],
    ['{"server":\n {"prot": 1}}', { line: 2, column: 3, path: 'server.prot', nearest: 'port' }],
    ['{"keys": {},\n "keys": {}}', { line: 2, column: 2, path: 'keys', message: 'is there twice' }],
    ['keys: {}', { line: 1, column: 1 }],
  ])('in JSON too: %p', async (text, expected) => {
    expect(await problemsOf(text, 'tollgate.json')).toMatchObject([expected])
  })
})

test('all problems are told together, from the top of the file to its end', async () => {
  const problems = await problemsOf(`server:
  prot: 1
  port: many
providers:
  openai: { api_key: sk-1 }
keys: {}
keys: {}
colour: red
`)
  expect(problems.map(({ line, path }) => `${line} ${path}`)).toEqual([
    '2 server.prot',
    '3 server.port',
    '5 providers.openai.api_key',
    '7 keys',
    '8 colour',
  ])
})

test('secrets, files and rules between fields are told together as well', async () => {
  const problems = await problemsOf(`server: { host: 0.0.0.0 }
providers:
  openai: { api_key: "\${A}", ca: /no/such }
  mistral: {}
`)
  expect(problems.map(({ path }) => path)).toEqual([
    'server.host',
    'server.host',
    'providers.openai.api_key',
    'providers.openai.ca',
    'providers.mistral.api_key',
  ])
})

test('a fault in one part hides nothing in the others', async () => {
  const problems = await problemsOf(`server: { host: 0.0.0.0 }
providers:
  openai: { api_kye: none }
  mistral: {}
guardrails: {}
`)
  expect(problems.map(({ line, path }) => `${line} ${path}`)).toEqual([
    '1 server.host',
    '1 server.host',
    '3 providers.openai.api_kye',
    '4 providers.mistral.api_key',
    '5 guardrails',
  ])
})

test('nothing is said of a part that another fault may explain', async () => {
  const text = 'server: { host: 0.0.0.0, behind_proxy: true }\nkeys: { required: yes }\n'
  expect(await problemsOf(text)).toMatchObject([{ path: 'keys.required' }])
  const only = 'providers:\n  openai: { api_key: sk-1 }\n'
  expect(await problemsOf(only)).toMatchObject([{ path: 'providers.openai.api_key' }])
})

test('problems are rendered for people', async () => {
  const problems = await problemsOf('server:\n  prot: 1\nkeys: { required: 1 }\n')
  expect(renderProblems(problems)).toBe(`tollgate.yaml:2:3: server.prot is not a known field
  allowed: host, port, tls, behind_proxy, max_body, max_bodies, max_upload, max_in_flight, head_hold, heartbeat, client_stall, fetch_images, warm_connections, drain
  did you mean port?

tollgate.yaml:3:19: keys.required is not what belongs here
  found:   1
  allowed: true, false
`)
})

test('the JSON Schema describes every field, and refuses unknown ones', () => {
  const undescribed: string[] = []
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return
    const isField = /\.properties\.[^.]+$/.test(path)
    if (isField && !('description' in schema)) undescribed.push(path)
    if ('properties' in schema && !('additionalProperties' in schema)) undescribed.push(path)
    for (const [name, member] of Object.entries(schema)) visit(member, `${path}.${name}`)
  }
  const schema = configurationJsonSchema()
  visit(schema, '')
  expect(undescribed).toEqual([])
  expect(schema).toMatchObject({
    type: 'object',
    additionalProperties: false,
    properties: {
      server: { properties: { port: { default: 8080 }, head_hold: { default: '15s' } } },
    },
  })
})
