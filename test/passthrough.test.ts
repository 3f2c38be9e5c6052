import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { array, assert, asyncProperty, constantFrom } from 'fast-check'

import { type Harness, startHarness, until } from './harness'
import { exchangeRaw } from './raw-client'
import { eventStream, startUpstream, type Upstream } from './upstream'

// What goes to a provider as it is: by its own paths, within what its key may use and spend.

let harness: Harness
let upstream: Upstream
let free: string
let bound: string
let answer: (request: Request) => Response = () => Response.json({})

const CHAT = {
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
}

beforeAll(async () => {
  upstream = startUpstream((request) => answer(request))
  process.env['PASSED_TEST_KEY'] = 'provider-secret'
  const root = new URL(upstream.url).origin
  const shared = { api_key: '${PASSED_TEST_KEY}', model_list: false }
  harness = await startHarness({
    keys: { required: true },
    models: { 'up/m': { price: { input: 1, output: 2 } } },
    providers: {
      up: {
        ...{ type: 'openai', base_url: upstream.url, ...shared },
        aliases: { cheap: 'm' },
        passthrough: { paths: ['/videos', '/videos/*'], price: 0.25 },
      },
      goo: { type: 'gemini', base_url: root, ...shared },
      closed: {
        type: 'openai',
        base_url: upstream.url,
        ...shared,
        passthrough: { enabled: false },
      },
    },
    budgets: [{ subject: 'team/small', limit_usd: 0.3, window: '1d' }],
  })
  free = harness.makeKey().token
  bound = harness.makeKey({ models: ['up/m'] }).token
  for (const token of [free, bound])
    await until(async () => (await ask('/v1/models', undefined, token)).ok)
})
beforeEach(() => {
  upstream.received.length = 0
  answer = () => Response.json(CHAT)
})
afterAll(async () => {
  await harness.stop()
  await upstream.stop()
  delete process.env['PASSED_TEST_KEY']
})

const ask = (path: string, body?: unknown, token = free, headers = {}) =>
  fetch(harness.gateway.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })

describe('what passes', () => {
  test('goes as it is, with the provider’s credential in the place of the client’s', async () => {
    const body = '{ "model":"m","messages":[ {"role":"user","content":"\\u0048i"}],"new":1e3 }'
    const headers = { 'x-api-key': free, cookie: 'a=b' }
    const passed = await ask(
      '/passthrough/up/v1/chat/completions?beta=1&key=mine',
      body,
      free,
      headers
    )
    expect(await passed.json()).toEqual(CHAT)
    const [sent] = upstream.received
    expect(sent?.path).toBe('/v1/chat/completions?beta=1')
    expect(sent?.body).toBe(body)
    expect(sent?.headers.authorization).toBe('Bearer provider-secret')
    expect(JSON.stringify(sent?.headers)).not.toContain(free)
    expect(sent?.headers.cookie).toBeUndefined()
    expect(await harness.rowOf(passed)).toMatchObject({
      ...{ api: 'passthrough', model: 'up/m', inputTokens: 10, outputTokens: 5 },
      costNanoUsd: 10 * 1_000 + 5 * 2_000,
    })
  })

  test('may be written from the version or from behind it', async () => {
    await ask('/passthrough/up/chat/completions', { model: 'm', messages: [] })
    expect(upstream.received[0]?.path).toBe('/v1/chat/completions')
  })

  test('is streamed', async () => {
    const frames = [
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'Hi' } }] })}\n\n`,
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: CHAT.usage })}\n\n`,
      'data: [DONE]\n\n',
    ]
    answer = () => eventStream(frames)
    const passed = await ask('/passthrough/up/v1/chat/completions', {
      ...{ model: 'm', messages: [], stream: true },
    })
    expect(await passed.text()).toBe(frames.join(''))
    expect(await harness.rowOf(passed)).toMatchObject({ stream: true, costNanoUsd: 20_000 })
  })

  test('of Google’s, whose paths name the model', async () => {
    answer = () =>
      Response.json({
        candidates: [{ content: { parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }],
        usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 1 },
      })
    const passed = await ask('/passthrough/goo/v1beta/models/g:generateContent', { contents: [] })
    expect(passed.status).toBe(200)
    expect(upstream.received[0]?.path).toBe('/v1beta/models/g:generateContent')
    expect(await harness.rowOf(passed)).toMatchObject({ model: 'goo/g', inputTokens: 3 })
  })

  test('by paths that the configuration allows, at the price it names', async () => {
    answer = () => new Response('film', { headers: { 'content-type': 'video/mp4' } })
    const passed = await ask('/passthrough/up/v1/videos/v1/content')
    expect(await passed.text()).toBe('film')
    expect(passed.headers.get('content-type')).toBe('video/mp4')
    expect(await harness.rowOf(passed)).toMatchObject({ costNanoUsd: 250_000_000 })
  })

  test('an error is told as it came', async () => {
    answer = () =>
      Response.json({ error: { message: 'no', type: 't', code: 'c' } }, { status: 400 })
    const passed = await ask('/passthrough/up/v1/chat/completions', { model: 'm', messages: [] })
    expect(passed.status).toBe(400)
    expect(await passed.json()).toMatchObject({ error: { code: 'c' } })
  })
})

test('a count of tokens shows the credential that its chats show', async () => {
  const counting = startUpstream(() => Response.json({ input_tokens: 5 }))
  const base_url = new URL(counting.url).origin
  const key = { api_key: '${PASSED_TEST_KEY}', model_list: false }
  const own = await startHarness({ providers: { claude: { type: 'anthropic', base_url, ...key } } })
  try {
    const answer = await fetch(`${own.gateway.url}/v1/messages/count_tokens`, {
      method: 'POST',
      body: JSON.stringify({ model: 'claude/c', messages: [{ role: 'user', content: 'Hi' }] }),
    })
    expect(await answer.json()).toEqual({ input_tokens: 5 })
    expect(counting.received[0]?.headers['x-api-key']).toBe('provider-secret')
  } finally {
    await own.stop()
    await counting.stop()
  }
})

describe('what does not', () => {
  test.each([
    '/v1/organization/users',
    '/v1/files',
    '/v1/fine_tuning/jobs',
    '/v1/batches',
    '/v1/models/m',
    '/v1/responses/resp_1',
    '/v1/vector_stores',
    '/v1/chat/completions/../../files',
    '/v1/videosx',
  ])('%s', async (path) => {
    for (const body of [undefined, {}]) {
      const refused = await ask(`/passthrough/up${path}`, body)
      expect(refused.status).toBeOneOf([403, 404])
    }
    expect(upstream.received).toEqual([])
  })

  test('nothing, where a provider is closed, or unknown', async () => {
    expect((await ask('/passthrough/closed/v1/chat/completions', {})).status).toBe(403)
    expect((await ask('/passthrough/nobody/v1/chat/completions', {})).status).toBe(404)
  })

  test('other models than a key may use, named or not', async () => {
    const chat = (model: unknown) =>
      ask('/passthrough/up/v1/chat/completions', { model, messages: [] }, bound)
    expect((await chat('m')).status).toBe(200)
    expect((await chat('other')).status).toBe(403)
    expect((await ask('/passthrough/up/v1/videos', {}, bound)).status).toBe(403)
    const twice = '{"model":"m","messages":[],"model":"other"}'
    expect((await ask('/passthrough/up/v1/chat/completions', twice, bound)).status).toBe(400)
    expect(upstream.received).toHaveLength(1)
  })

  test('what another key’s response was, by whichever path', async () => {
    const head = { object: 'response', status: 'completed', output: [], model: 'm' }
    let made = 0
    answer = () => Response.json({ ...head, id: `resp_${made++}`, usage: CHAT.usage })
    const first = await ask('/passthrough/up/v1/responses', { model: 'm', input: 'Hi' })
    expect(first.status).toBe(200)
    const on = { model: 'm', input: 'Go on', previous_response_id: 'resp_0' }
    expect((await ask('/passthrough/up/v1/responses', on)).status).toBe(200)
    const refused = await ask('/passthrough/up/v1/responses', on, bound)
    expect(refused.status).toBe(400)
    expect(await refused.text()).toContain('previous_response_not_found')
    expect(upstream.received).toHaveLength(2)
  })

  test('names that only the gateway knows', async () => {
    const refused = await ask('/passthrough/up/v1/chat/completions', {
      model: 'cheap',
      messages: [],
    })
    expect(refused.status).toBe(400)
    expect(await refused.text()).toContain("'m'")
  })

  test('what a budget has no room for, known or not', async () => {
    const poor = startHarness({
      keys: { required: false },
      models: { 'up/m': { price: { input: 1, output: 2 } } },
      providers: {
        up: {
          ...{ type: 'openai', base_url: upstream.url, api_key: 'none', model_list: false },
          passthrough: { paths: ['/videos'], price: 0.25 },
        },
      },
      budgets: [{ subject: 'organization', limit_usd: 0.6, window: '1d' }],
    })
    const small = await poor
    try {
      const send = (path: string, body: unknown) =>
        fetch(`${small.gateway.url}/passthrough/up/v1${path}`, {
          ...{ method: 'POST', body: JSON.stringify(body) },
        })
      const dear = { model: 'm', messages: [], max_tokens: 1_000_000 }
      expect((await send('/chat/completions', dear)).status).toBe(429)
      answer = () => Response.json({ id: 'v' })
      const statuses = await Promise.all(
        Array.from({ length: 5 }, async () => (await send('/videos', {})).status)
      )
      expect(statuses.toSorted()).toEqual([200, 200, 429, 429, 429])
      expect(upstream.received).toHaveLength(2)
    } finally {
      await small.stop()
    }
  })

  test('no crafted path reaches another host or a path that is closed', async () => {
    const { port } = harness.gateway
    const pieces = constantFrom(
      ...['v1', 'chat', 'completions', 'files', 'models', '..', '.', '%2e%2e', '%2E.', '', '%2f'],
      ...[
        '%5c',
        '\\',
        '@evil.invalid',
        'http:',
        '//evil.invalid',
        '%00',
        '%0d%0a',
        ';',
        'organization',
      ],
      ...['a:b@c', '%252e%252e', '%23', '%3f', 'videos', '*', '~', 'fine_tuning']
    )
    const ALLOWED = /^\/v1\/(chat\/completions|completions|videos(\/|$|\?))/
    await assert(
      asyncProperty(array(pieces, { minLength: 1, maxLength: 7 }), async (parts) => {
        const path = `/passthrough/up/${parts.join('/')}`
        const body = '{"model":"m","messages":[]}'
        upstream.received.length = 0
        await exchangeRaw(
          port,
          `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${free}\r\n` +
            `content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`
        )
        for (const { path: reached } of upstream.received) {
          expect(reached).toMatch(ALLOWED)
          expect(reached).not.toMatch(/\.\.|%2e|%2f|%5c|\\|\/\//i)
        }
      }),
      { numRuns: 400 }
    )
  }, 30_000)
})
