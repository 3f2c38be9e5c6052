import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { parseConfiguration } from '../../src/config/load-configuration'
import type { ProviderConfiguration } from '../../src/config/configuration'
import { renderProblems } from '../../src/config/problem'
import { CATALOG } from '../../src/providers/catalog'
import { createServiceAccount, startGoogleTokens } from '../credentials/google-stand-ins'
import { startIbmIam } from '../credentials/other-stand-ins'
import { type Harness, startHarness } from '../harness'
import { toClientForm, toClientRequest } from './ask'
import { EXPECTED_CALLS, type ExpectedCall } from './expected'
import { KEY } from './expected-call'
import { startHost } from './host'

/** Responses say of each answer that it had none. */
const ERROR = /"error":(?!null)/

const AWS = { access_key_id: 'AKIDEXAMPLE', secret_access_key: '${TOLLGATE_TEST_SECRET}' }

/** One provider of the gateway for each host, and where one host has several settings, each of them. */
const nameOf = ({ name, settings }: ExpectedCall) =>
  [name, ...Object.values(settings)]
    .join('-')
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '_')

const calls = EXPECTED_CALLS.map((call) => {
  const signed = call.credential.kind === 'identity' ? `-${call.credential.identity}` : ''
  return Object.assign({ provider: nameOf(call) + signed }, call)
})
const table = calls.map((call) => [`${call.provider} ${call.format}`, call] as const)

let harness: Harness
let host: ReturnType<typeof startHost>
let google: ReturnType<typeof startGoogleTokens>
let ibm: ReturnType<typeof startIbmIam>

beforeAll(async () => {
  process.env.TOLLGATE_TEST_KEY = KEY
  process.env.TOLLGATE_TEST_SECRET = 'a-secret'
  harness = await startHarness({ sim: { model_list: false } })
  const account = createServiceAccount()
  google = startGoogleTokens(account.publicKey)
  ibm = startIbmIam(KEY)
  process.env.TOLLGATE_TEST_GOOGLE = account.toKeyFile(google.url)
  host = startHost(harness.simulator.url)
  const known = await resolveAll()
  const providers: Record<string, Record<string, unknown>> = {}
  for (const call of calls) {
    const { pathname } = new URL(known.get(call.provider)?.baseUrl ?? '')
    const base_url = host.url + pathname
    providers[call.provider] = { ...fieldsOf(call), base_url, private_addresses: true }
  }
  await harness.reload({ sim: { model_list: false }, providers })
})

afterAll(async () => {
  await harness.stop()
  await Promise.all([host.stop(), google.stop(), ibm.stop()])
})

/** What a configuration says of the host. */
function fieldsOf({ name, settings, credential }: ExpectedCall): Record<string, unknown> {
  const fields = { type: name, model_list: false, ...settings }
  if (credential.kind === 'none') return { ...fields, api_key: 'none' }
  if (credential.kind === 'header') return { ...fields, api_key: '${TOLLGATE_TEST_KEY}' }
  switch (credential.identity) {
    case 'aws':
      return { ...fields, aws: AWS }
    case 'google':
      return { ...fields, google: { credentials: '${TOLLGATE_TEST_GOOGLE}' } }
    case 'ibm':
      return { ...fields, api_key: '${TOLLGATE_TEST_KEY}', ibm: { token_url: ibm.url } }
    case 'azure':
      throw new Error('Entra gives its tokens over TLS alone: test/credentials has it')
  }
}

/** The catalog's own addresses. */
async function resolveAll(): Promise<Map<string, ProviderConfiguration>> {
  const providers = Object.fromEntries(calls.map((call) => [call.provider, fieldsOf(call)]))
  const parsed = await parseConfiguration(JSON.stringify({ providers }), {
    ...{ name: 'the test', directory: '.', env: process.env, overrides: {}, rows: CATALOG },
  })
  if (!parsed.ok) throw new Error(renderProblems(parsed.problems))
  return new Map(parsed.configuration.providers.map((provider) => [provider.name, provider]))
}

function ask(call: ExpectedCall & { provider: string }, isStream: boolean, fault?: string) {
  host.expectFormat(call.format, isStream, fault)
  const form = toClientForm(call.format, `${call.provider}/${call.model}`)
  if (form) return fetch(harness.gateway.url + form.path, { method: 'POST', body: form.body })
  const { path, body } = toClientRequest(call.format, `${call.provider}/${call.model}`, isStream)
  return fetch(harness.gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify(body),
  })
}

function expectSent(call: ExpectedCall, path: string) {
  const sent = host.sent()
  if (sent === undefined) throw new Error('the host was not asked')
  expect(sent.path).toBe(path)
  for (const [name, value] of Object.entries(call.headers))
    expect(sent.headers.get(name)).toBe(value)
  const { credential } = call
  const authorization = sent.headers.get('authorization')
  if (credential.kind === 'header') expect(sent.headers.get(credential.name)).toBe(credential.value)
  else if (credential.kind === 'none') expect(authorization).toBeNull()
  else if (credential.identity === 'aws')
    expect(authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/[a-z0-9-]+\/bedrock\/aws4_request, /
    )
  else expect(authorization).toMatch(/^Bearer (?!a-key)\S+$/)
  if (credential.kind !== 'header' || credential.name !== 'authorization')
    expect(authorization ?? '').not.toContain(KEY)
  for (const [name, value] of Object.entries(call.body?.has ?? {}))
    expect(String(sent.body[name])).toBe(value)
  for (const name of call.body?.hasNot ?? []) expect(sent.body).not.toHaveProperty(name)
}

/** They are not asked for usage in streams; the simulator gives it to those who ask alone. */
const isUnasked = ({ name, format }: ExpectedCall) =>
  (name === 'mistral' || name === 'databricks') && format.startsWith('openai')

/** They count no tokens; of sound it is estimated what it took. */
const UNCOUNTED: ReadonlySet<string> = new Set([
  'openai-moderations',
  'openai-speech',
  'gemini-predict',
  'cohere-rerank',
])

/** What the gateway has written down of a request. */
async function requestOf(answer: Response): Promise<unknown> {
  const id = answer.headers.get('x-request-id')
  return (await fetch(`${harness.gateway.url}/v1/requests/${id}`)).json()
}

describe('a whole answer', () => {
  test.each(table)('%s', async (_, call) => {
    const answer = await ask(call, false)
    expect(await answer.text()).not.toMatch(ERROR)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-tg-model')).toBe(encodeURI(`${call.provider}/${call.model}`))
    expectSent(call, call.whole)
    expect(await requestOf(answer)).toMatchObject({
      outcome: 'ok',
      ...(!UNCOUNTED.has(call.format) && {
        usage_provenance: 'provider',
        input_tokens: expect.any(Number),
      }),
    })
  })
})

describe('a stream', () => {
  test.each(table.filter(([, { stream }]) => stream !== undefined))('%s', async (_, call) => {
    const answer = await ask(call, true)
    const text = await answer.text()
    expect(answer.status).toBe(200)
    expect(text).not.toMatch(ERROR)
    expect(text.length).toBeGreaterThan(100)
    expectSent(call, call.stream ?? '')
    expect(await requestOf(answer)).toMatchObject({
      outcome: 'ok',
      stream: true,
      usage_provenance: isUnasked(call) ? 'estimated' : 'provider',
    })
  })
})

describe('an error', () => {
  test.each(table)('%s', async (_, call) => {
    const answer = await ask(call, false, 'error-429')
    expect(answer.status).toBe(429)
    expect(await requestOf(answer)).toMatchObject({
      outcome: 'failed',
      error_code: 'upstream_refused',
      cost_nano_usd: null,
    })
  })
})

test('the catalog has each host where its document has it', async () => {
  const known = await resolveAll()
  const wrong = calls.filter(
    ({ provider, origin }) => new URL(known.get(provider)?.baseUrl ?? '').origin !== origin
  )
  expect(wrong).toEqual([])
})
