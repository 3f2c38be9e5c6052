import { afterAll, beforeAll, describe, expect, test } from 'bun:test'

import { createKeyQueries, type KeyQueries } from '../src/db/key-queries'
import { openSqlite } from '../src/db/open'
import { errorOf } from './answers'
import { startHarness, until, type Harness } from './harness'

let harness: Harness
let key: { token: string; id: string; name: string }

beforeAll(async () => {
  harness = await startHarness({ keys: { required: true }, log: { refused_rows_per_second: 1000 } })
  key = harness.makeKey({ name: 'app' })
  await untilStatus(200, key.token)
})
afterAll(() => harness.stop())

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

/** The change of a key reaches the gateway by its feed, within a second. */
function untilStatus(status: number, token: string): Promise<boolean> {
  return until(async () => (await harness.chat({}, bearer(token))).status === status, 1_000)
}

function change(make: (queries: KeyQueries) => void): void {
  const database = openSqlite(harness.directory.statePath)
  make(createKeyQueries(database))
  database.close()
}

async function expectRefused(response: Response, says: RegExp) {
  expect(response.status).toBe(401)
  const error = await errorOf(response)
  expect(error).toMatchObject({ code: 'invalid_api_key', type: 'authentication_error' })
  expect(error.message).toMatch(says)
  expect(error.message).not.toContain('sk-tg-A')
}

describe('a virtual key', () => {
  test.each<[string, (token: string) => Record<string, string>]>([
    ['authorization', (token) => ({ authorization: `Bearer ${token}` })],
    ['authorization in another case', (token) => ({ Authorization: `bearer  ${token} ` })],
    ['x-api-key', (token) => ({ 'x-api-key': token })],
    ['api-key', (token) => ({ 'api-key': token })],
    ['x-goog-api-key', (token) => ({ 'x-goog-api-key': token })],
    ['x-tg-key', (token) => ({ 'x-tg-key': token })],
    [
      'x-tg-key, where Authorization is taken',
      (token) => ({ authorization: 'AWS4-HMAC-SHA256 Credential=x', 'x-tg-key': token }),
    ],
    [
      'x-api-key, beside an Authorization of another scheme',
      (token) => ({ authorization: 'Basic eDp5', 'x-api-key': token }),
    ],
  ])('may come in %s', async (_, headersOf) => {
    expect((await harness.chat({}, { headers: headersOf(key.token) })).status).toBe(200)
  })

  test('may come in the query, and goes nowhere from there', async () => {
    const body = JSON.stringify({ model: 'sim/sim-1', messages: [{ role: 'user', content: 'x' }] })
    const url = `${harness.gateway.url}/v1/chat/completions?x=1&key=${key.token}`
    const response = await fetch(url, { method: 'POST', body })
    expect(response.status).toBe(200)
    const { lastRequest } = harness.simulator.stats()
    expect(JSON.stringify(lastRequest)).not.toContain(key.token)
    const row = await harness.rowOf(response)
    expect(row.keyName).toBe('app')
    expect(JSON.stringify([row, harness.programLines])).not.toContain(key.token)
  })

  test('opens lists and health no differently', async () => {
    const status = async (path: string, init: RequestInit = {}) =>
      (await fetch(harness.gateway.url + path, init)).status
    expect(await status('/v1/models')).toBe(401)
    expect(await status('/v1/models', bearer(key.token))).toBe(200)
    expect(await status('/v1/models/sim/sim-1')).toBe(401)
    expect(await status('/v1/requests/x')).toBe(401)
    expect(await status('/health/ready')).toBe(200)
  })

  test('lets any host and origin ask', async () => {
    const headers = {
      ...bearer(key.token).headers,
      host: 'gateway.example',
      origin: 'https://app.example',
    }
    expect((await harness.chat({}, { headers })).status).toBe(200)
  })
})

describe('a request is refused', () => {
  const unknown = `sk-tg-${'A'.repeat(43)}`
  test.each<[string, Record<string, string>, RegExp]>([
    ['without a key', {}, /no API key was given: .*Authorization: Bearer/],
    ['with an empty key', { authorization: 'Bearer ' }, /no API key was given/],
    ['with an empty x-tg-key', { 'x-tg-key': '' }, /no API key was given/],
    ['with another service’s key', { 'x-api-key': 'sk-ant-123' }, /is not one of this gateway's/],
    ['with a cut key', { authorization: 'Bearer sk-tg-AAAA' }, /is not one of this gateway's/],
    ['with a key that was never made', { authorization: `Bearer ${unknown}` }, /AAAA is unknown/],
  ])('%s', async (_, headers, says) => {
    await expectRefused(await harness.chat({}, { headers }), says)
  })

  test('before its body is looked at', async () => {
    await expectRefused(await harness.chat({}, { body: 'no JSON' }), /no API key/)
  })

  test('with a key that has expired', async () => {
    const { token } = harness.makeKey({ expiresAtMs: Date.now() - 1_000 })
    await until(async () => {
      const response = await harness.chat({}, bearer(token))
      return (await errorOf(response)).message.includes('expired on 20')
    }, 1_000)
    await expectRefused(await harness.chat({}, bearer(token)), /expired on 20\d\d-/)
  })

  test('with a key as long as it is disabled, a second later at most', async () => {
    const { token, id } = harness.makeKey()
    await untilStatus(200, token)
    change((queries) => queries.setEnabled(id, false, Date.now()))
    await untilStatus(401, token)
    await expectRefused(await harness.chat({}, bearer(token)), /is disabled/)
    change((queries) => queries.setEnabled(id, true, Date.now()))
    await untilStatus(200, token)
  })

  test('with a key that was revoked, for good', async () => {
    const { token, id } = harness.makeKey()
    await untilStatus(200, token)
    change((queries) => queries.revoke(id, Date.now()))
    await untilStatus(401, token)
    change((queries) => queries.setEnabled(id, true, Date.now()))
    await expectRefused(await harness.chat({}, bearer(token)), /was revoked/)
  })

  test('with a key that may not use its model', async () => {
    const { token, name } = harness.makeKey({ models: ['sim/sim-*', 'other/**'] })
    await untilStatus(200, token)
    const allowed = await harness.chat({ model: 'sim/sim-1;tokens=3/x' }, bearer(token))
    expect(allowed.status).not.toBe(403)
    for (const model of ['sim/fault-gzip', 'sim/SIM-1', 'sim/xsim-1']) {
      const response = await harness.chat({ model }, bearer(token))
      expect(response.status).toBe(403)
      expect(await errorOf(response)).toMatchObject({
        code: 'model_not_allowed',
        type: 'permission_error',
        param: 'model',
        message: expect.stringContaining(`'${name}' may not use the model '${model}'`),
      })
    }
  })

  test('by what a bare name stands for, not by how it is spelled', async () => {
    const { token } = harness.makeKey({ models: ['other/*', 'sim-1'] })
    await untilStatus(403, token)
    expect((await harness.chat({ model: 'sim-1' }, bearer(token))).status).toBe(403)
    const other = harness.makeKey({ models: ['sim/sim-1'] })
    await untilStatus(200, other.token)
    expect((await harness.chat({ model: 'sim-1' }, bearer(other.token))).status).toBe(200)
  })
})

describe('where keys are not required', () => {
  let open: Harness
  beforeAll(async () => {
    open = await startHarness()
  })
  afterAll(() => open.stop())

  test('a key of another service is as good as none', async () => {
    const response = await open.chat({}, bearer('sk-anything'))
    expect(response.status).toBe(200)
    expect((await open.rowOf(response)).keyId).toBeNull()
  })

  test('one of ours still has its rights and its name, or is refused', async () => {
    const { token, id, name } = open.makeKey({ models: ['sim/sim-1'] })
    const response = await until(async () => {
      const answer = await open.chat({}, bearer(token))
      return answer.ok && answer
    })
    expect(await open.rowOf(response)).toMatchObject({ keyId: id, keyName: name })
    const denied = await open.chat({ model: 'sim/sim-2' }, bearer(token))
    expect(denied.status).toBe(403)
    await expectRefused(await open.chat({}, bearer(`sk-tg-${'A'.repeat(43)}`)), /unknown/)
  })
})
