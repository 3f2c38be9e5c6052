import { afterAll, beforeAll, describe, expect, test } from 'bun:test'

import { isRecord } from '../src/std/record'
import { type Harness, startHarness, until } from './harness'

// What the gateway does around a translation: reports, refusals, headers, marks, counts, shapes.

let harness: Harness
let ownKey: string

beforeAll(async () => {
  harness = await startHarness({ sim: { models: ['sim-1'], model_list: false } })
  const { url } = harness.simulator
  const host = { api_key: 'none', model_list: false }
  await harness.reload({
    sim: { models: ['sim-1'], model_list: false },
    providers: {
      claude: { ...host, type: 'anthropic', base_url: url, anthropic_beta: ['context-*'] },
      marked: { ...host, type: 'anthropic', base_url: `${url}/v1`, cache_prompts: '1h' },
      google: { ...host, type: 'gemini', base_url: url },
      caller: { ...host, type: 'anthropic', base_url: url, api_key: 'caller' },
    },
  })
  ownKey = 'sk-ant-the-callers-own'
})
afterAll(() => harness.stop())

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(harness.gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

const MESSAGES = [{ role: 'user', content: 'Hi' }]

function lastSent() {
  const sent = harness.simulator.requests().at(-1)
  if (sent === undefined) throw new Error('nothing was sent upstream')
  const body: unknown = JSON.parse(sent.body)
  if (!isRecord(body)) throw new Error('no object was sent upstream')
  return { ...sent, body }
}

describe('what a translation can’t say', () => {
  test('is told in a header and in the log', async () => {
    const answer = await post('/v1/chat/completions', {
      ...{ model: 'claude/sim-1', messages: MESSAGES, seed: 1, temperature: 1.5 },
    })
    const lossy = 'seed;dropped, temperature;clamped'
    expect(answer.headers.get('x-tg-lossy')).toBe(lossy)
    expect((await harness.rowOf(answer)).lossy).toBe(lossy)
  })

  test('is a 400 that names the field where the client is strict, and nothing is sent', async () => {
    const before = harness.simulator.requests().length
    const body = { model: 'claude/sim-1', messages: MESSAGES, seed: 1 }
    const answer = await post('/v1/chat/completions', body, { 'x-tg-require': 'strict' })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      error: { code: 'lossy_translation', param: 'seed' },
    })
    expect(harness.simulator.requests()).toHaveLength(before)
  })

  test('is nothing where both speak the same', async () => {
    const body = { model: 'sim/sim-1', messages: MESSAGES, seed: 1 }
    const answer = await post('/v1/chat/completions', body, { 'x-tg-require': 'strict' })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-tg-lossy')).toBeNull()
    expect(lastSent().body).toEqual({ ...body, model: 'sim-1' })
  })

  test.each(['previous_response_id', 'conversation'])(
    'is refused where it would change what is meant: %s',
    async (name) => {
      const answer = await post('/v1/responses', {
        model: 'claude/sim-1',
        input: 'Hi',
        [name]: 'x',
      })
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({ error: { param: name } })
    }
  )

  test('may be the whole operation', async () => {
    const answer = await post('/v1/embeddings', { model: 'claude/sim-1', input: 'Hi' })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { code: 'protocol_not_spoken' } })
  })
})

describe('headers', () => {
  const message = { model: 'claude/sim-1', max_tokens: 10, messages: MESSAGES }

  test('of the client’s format pass to an upstream of the same, betas as far as they may', async () => {
    await post('/v1/messages', message, {
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'context-1m, secret-feature',
      cookie: 'a=b',
      'x-custom': 'c',
    })
    const { headers } = lastSent()
    expect(headers['anthropic-beta']).toBe('context-1m')
    expect(headers['anthropic-version']).toBe('2023-06-01')
    expect(headers).not.toHaveProperty('cookie')
    expect(headers).not.toHaveProperty('x-custom')
  })

  test('mean nothing to another format', async () => {
    const body = { ...message, model: 'sim/sim-1' }
    await post('/v1/messages', body, { 'anthropic-beta': 'context-1m' })
    expect(lastSent().headers).not.toHaveProperty('anthropic-beta')
  })

  test('with a credential go upstream only where the provider takes the caller’s', async () => {
    const { token } = harness.makeKey()
    const headers = { 'x-api-key': ownKey, 'x-tg-key': token }
    // A new key works within a second.
    await until(async () => (await post('/v1/messages', message, headers)).status === 200)
    expect(JSON.stringify(lastSent().headers)).not.toContain(ownKey)
    await post('/v1/messages', { ...message, model: 'caller/sim-1' }, headers)
    expect(lastSent().headers['x-api-key']).toBe(ownKey)
    expect(JSON.stringify(lastSent().headers)).not.toContain(token)
  })

  test('that is the caller’s own and refused is the caller’s to mend', async () => {
    const body = { ...message, model: 'caller/fault-error-401' }
    const answer = await post('/v1/messages', body, { 'x-api-key': ownKey })
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ type: 'error' })
    const ours = await post('/v1/messages', { ...body, model: 'claude/fault-error-401' })
    expect(ours.status).toBe(502)
  })
})

test('cache marks are set for clients that know none, where they are wished', async () => {
  const messages = [{ role: 'system', content: 'Be brief.' }, ...MESSAGES]
  await post('/v1/chat/completions', { model: 'marked/sim-1', messages })
  const mark = { cache_control: { type: 'ephemeral', ttl: '1h' } }
  expect(lastSent().body).toMatchObject({
    system: [{ type: 'text', text: 'Be brief.', ...mark }],
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', ...mark }] }],
  })
})

describe('counting', () => {
  test.each([
    ['/v1/messages/count_tokens', { model: 'google/sim-1', messages: MESSAGES }, 'input_tokens'],
    ['/v1/responses/input_tokens', { model: 'claude/sim-1', input: 'Hi' }, 'input_tokens'],
    [
      '/v1beta/models/claude/sim-1:countTokens',
      { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
      'totalTokens',
    ],
    [
      '/model/claude%2Fsim-1/count-tokens',
      { input: { converse: { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] } } },
      'inputTokens',
    ],
  ])('%s asks the provider', async (path, body, member) => {
    const answer = await post(path, body)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-tg-lossy')).toBeNull()
    expect(await answer.json()).toMatchObject({ [member]: expect.any(Number) })
    const row = await harness.rowOf(answer)
    expect([row.operation, row.usageProvenance]).toEqual(['count', null])
  })

  test('is an estimate, and says so, where the provider can’t', async () => {
    const before = harness.simulator.requests().length
    const body = { model: 'sim/sim-1', messages: MESSAGES }
    const answer = await post('/v1/messages/count_tokens', body)
    expect(answer.headers.get('x-tg-lossy')).toBe('input_tokens;estimated')
    expect(await answer.json()).toEqual({ input_tokens: 5 })
    expect(harness.simulator.requests()).toHaveLength(before)
  })
})

describe('the list of models', () => {
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(harness.gateway.url + path, { headers }).then((answer) => answer.json())

  test.each([
    ['/v1/models', {}, { object: 'list', data: [{ id: 'sim/sim-1', object: 'model' }] }],
    ['/openai/v1/models', { 'anthropic-version': '1' }, { object: 'list' }],
    ['/v1/models', { 'anthropic-version': '1' }, { data: [{ type: 'model', id: 'sim/sim-1' }] }],
    ['/anthropic/v1/models', {}, { has_more: false, first_id: 'sim/sim-1' }],
    ['/v1/models', { 'x-goog-api-key': 'k' }, { models: [{ name: 'models/sim/sim-1' }] }],
    ['/genai/v1beta/models', {}, { models: [{ name: 'models/sim/sim-1' }] }],
    ['/litellm/v1/models', {}, { object: 'list' }],
    ['/v1beta/models/sim/sim-1', {}, { name: 'models/sim/sim-1' }],
  ])('at %s with %p has its shape', async (path, headers, shape) => {
    expect(await get(path, headers)).toMatchObject(shape)
  })
})

describe('an error', () => {
  test.each([
    ['/anthropic/v1/messages', { type: 'error', error: { type: 'not_found_error' } }],
    ['/v1beta/models/nobody:generateContent', { error: { code: 404, status: 'NOT_FOUND' } }],
    ['/bedrock/model/nobody/converse', { message: expect.stringContaining('nobody') }],
    ['/v1/responses', { error: { code: 'model_not_found' } }],
    ['/anthropic/v1/nothing', { type: 'error' }],
    ['/genai/v1beta/nothing', { error: { code: 404 } }],
  ])('at %s has the shape of its API', async (path, shape) => {
    const body = { model: 'nobody', max_tokens: 1, messages: MESSAGES, input: 'Hi', contents: [] }
    const answer = await post(path, body)
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject(shape)
  })
})

test('Azure’s paths name the model', async () => {
  const body = { messages: MESSAGES, stream: true }
  const path = `/openai/deployments/${encodeURIComponent('sim/sim-1')}/chat/completions?api-version=2024-10-21`
  const answer = await post(path, body, { 'api-key': 'none' })
  expect(answer.status).toBe(200)
  await answer.text()
  expect(lastSent().body).toEqual({
    ...{ ...body, model: 'sim-1' },
    stream_options: { include_usage: true },
  })
})
