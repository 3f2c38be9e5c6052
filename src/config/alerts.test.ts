import { ALERT_TYPES } from './alerts'
import { describe, expect, test } from 'bun:test'
import { CATALOG } from '../providers/catalog'
import { parseConfiguration } from './load-configuration'

const SECRET = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`
const ENV = { OPENAI_API_KEY: 'sk-openai-key', ALERT_SECRET: SECRET, TOKEN: 'a-token' }

const parse = (alerts: unknown, env: Record<string, string> = ENV) =>
  parseConfiguration(JSON.stringify({ alerts }), {
    name: 'tollgate.yaml',
    directory: process.cwd(),
    env,
    overrides: {},
    rows: CATALOG,
  })

async function alertsOf(...given: Parameters<typeof parse>) {
  const parsed = await parse(...given)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.configuration.alerts
}

async function problemsOf(webhook: object) {
  const parsed = await parse({ webhooks: { ops: webhook } })
  return parsed.ok ? [] : parsed.problems
}

const WEBHOOK = { url: 'https://hooks.example/alerts', secret: '${ALERT_SECRET}' }

describe('alerts', () => {
  test('tell of everything at four fifths and the whole, unless said', async () => {
    expect(await alertsOf({ webhooks: { ops: WEBHOOK } })).toEqual({
      thresholds: [0.8, 1],
      unsettledAfterMs: 3 * 86_400_000,
      webhooks: [
        {
          name: 'ops',
          url: 'https://hooks.example/alerts',
          secrets: [SECRET],
          events: [...ALERT_TYPES],
          subjects: ['*'],
          headers: {},
          timeoutMs: 10_000,
          privateAddresses: false,
          proxy: undefined,
        },
      ],
    })
  })

  test('take what is secret from references, and a private address from its name', async () => {
    const { thresholds, webhooks } = await alertsOf({
      thresholds: [1, 0.5],
      webhooks: {
        near: {
          url: 'http://localhost:9/${TOKEN}',
          secret: ['${ALERT_SECRET}', '${ALERT_SECRET}'],
          headers: { Authorization: 'Bearer ${TOKEN}' },
        },
      },
    })
    expect(thresholds).toEqual([0.5, 1])
    expect(webhooks).toMatchObject([
      {
        url: 'http://localhost:9/a-token',
        secrets: [SECRET, SECRET],
        headers: { authorization: 'Bearer a-token' },
        privateAddresses: true,
      },
    ])
  })

  test('go through the proxy of the environment', async () => {
    const env = { ...ENV, HTTPS_PROXY: 'http://proxy.example:3128' }
    const { webhooks } = await alertsOf({ webhooks: { ops: WEBHOOK } }, env)
    expect(webhooks).toMatchObject([{ proxy: 'http://proxy.example:3128' }])
  })

  test.each([
    ['a secret in the file', { secret: SECRET }, 'secret', '${ENV_NAME} or ${file:PATH}'],
    ['a secret that is none', { secret: '${TOKEN}' }, 'secret', 'whsec_ and 24 to 64 bytes'],
    ['another scheme', { url: 'ftp://hooks.example' }, 'url', 'an http:// or https:// address'],
    ['a user in the address', { url: 'https://a:b@hooks.example' }, 'url', 'without credentials'],
    ['an unknown event', { events: ['budget_gone'] }, 'events.0', 'budget_threshold, '],
    ['no event', { events: [] }, 'events', 'one event at least'],
    ['a header of ours', { headers: { 'webhook-id': '1' } }, 'headers', 'not begin with webhook-'],
    ['an unknown field', { retries: 3 }, 'retries', 'url, secret, events, subjects'],
  ])('refuse %s', async (_, change, field, allowed) => {
    expect(await problemsOf({ ...WEBHOOK, ...change })).toMatchObject([
      { path: `alerts.webhooks.ops.${field}`, allowed: expect.stringContaining(allowed) },
    ])
  })

  test('show no secret in a problem', async () => {
    const url = 'https://hooks.example/s3cret#fragment'
    const problems = await problemsOf({ url, secret: SECRET, headers: { a: 1, b: 's3cret' } })
    expect(problems.length).toBeGreaterThan(0)
    expect(JSON.stringify(problems)).not.toMatch(/s3cret|whsec_[A-Za-z0-9]/)
  })
})
