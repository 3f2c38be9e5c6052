import { afterAll, describe, expect, test } from 'bun:test'

import { z } from 'zod'

import { createKeyQueries } from '../src/db/key-queries'
import { openSqlite } from '../src/db/open'
import { KeyAdministration } from '../src/keys/administration'
import { createTokenHasher } from '../src/keys/token'
import { openDataDirectory } from '../src/cli/data-directory'
import { errorOf } from './answers'
import { type Harness, type HarnessOptions, startHarness, until } from './harness'
import { eventStream, startUpstream, type Upstream } from './upstream'

const cleanUps: (() => unknown)[] = []
afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp()
})

async function start(options: HarnessOptions): Promise<Harness> {
  const harness = await startHarness(options)
  cleanUps.push(() => harness.stop())
  return harness
}

/** An upstream that remembers what it was sent. */
function listen(answer: Parameters<typeof startUpstream>[0]): Upstream {
  const upstream = startUpstream(answer)
  cleanUps.push(() => upstream.stop())
  return upstream
}

const WHOLE = { choices: [{ index: 0, finish_reason: 'stop', message: { content: 'x' } }] }
const DOWN = { error: { message: 'down', type: 'server_error', param: null, code: 'down' } }
const broken = listen(() => Response.json(DOWN, { status: 500 }))

const provider = ({ url }: Upstream, more: Record<string, unknown> = {}) => ({
  ...{ type: 'openai', base_url: url, api_key: 'none' },
  ...more,
})

/** The headers of a new key with these settings, once the gateway knows it. */
async function keyOf(harness: Harness, settings: Record<string, unknown>) {
  const database = openSqlite(harness.directory.statePath)
  const { secret } = openDataDirectory(harness.directory.path)
  const name = `key-${Bun.randomUUIDv7()}`
  const keys = new KeyAdministration(createKeyQueries(database), createTokenHasher(secret))
  const { token } = keys.create({ name, ...settings })
  database.close()
  const init = { headers: { authorization: `Bearer ${token}` } }
  await until(async () => (await fetch(`${harness.gateway.url}/v1/models`, init)).ok)
  return init
}

describe('a fallback route', () => {
  const silent = listen(() => eventStream([': only a comment\n\n']))

  test.each([false, true])('survives a first target that fails (streamed: %p)', async (stream) => {
    const { chat, rowOf } = await start({
      providers: { broken: provider(broken) },
      routes: { smart: { strategy: 'fallback', targets: ['broken/x', 'sim/sim-1'] } },
    })
    const answer = await chat({ model: 'smart', stream })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-tg-model')).toBe('sim/sim-1')
    expect(answer.headers.get('x-tg-attempts')).toBe('2')
    const text = await answer.text()
    if (stream) expect(text).toEndWith('data: [DONE]\n\n')
    else expect(JSON.parse(text)).toMatchObject({ object: 'chat.completion' })
    expect(await rowOf(answer)).toMatchObject({
      ...{ requestedModel: 'smart', model: 'sim/sim-1', provider: 'sim', outcome: 'ok' },
    })
  })

  test('goes on to the next target when a stream ends before it said anything', async () => {
    const { chat } = await start({
      providers: { silent: provider(silent) },
      routes: { smart: { strategy: 'fallback', targets: ['silent/x', 'sim/sim-1'] } },
    })
    const answer = await chat({ model: 'smart', stream: true })
    expect(answer.headers.get('x-tg-model')).toBe('sim/sim-1')
    expect(await answer.text()).toEndWith('data: [DONE]\n\n')
  })

  test('speaks to a target of another format in its own', async () => {
    const claude = listen(() =>
      Response.json({
        ...{ id: 'm', type: 'message', role: 'assistant', model: 'x', stop_reason: 'end_turn' },
        content: [{ type: 'text', text: 'Hello' }],
        usage: { input_tokens: 1, output_tokens: 1 },
      })
    )
    const base = claude.url.replace('/v1', '')
    const target = { model: 'claude/x', params: { max_tokens: 77, stop: 'END' } }
    const { chat } = await start({
      providers: {
        broken: provider(broken),
        claude: { type: 'anthropic', base_url: base, api_key: 'none' },
      },
      routes: { smart: { targets: ['broken/x', target] } },
    })
    const answer = await chat({ model: 'smart' })
    expect(await answer.json()).toMatchObject({ choices: [{ message: { content: 'Hello' } }] })
    expect(JSON.parse(claude.received[0]?.body ?? '')).toMatchObject({
      ...{ model: 'x', max_tokens: 77, stop_sequences: ['END'] },
    })
  })

  test('tells the last failure when all of them fail', async () => {
    const { chat } = await start({
      providers: { broken: provider(broken) },
      routes: { smart: { targets: ['sim/fault-error-503', 'broken/x'] } },
    })
    const answer = await chat({ model: 'smart' })
    expect(answer.status).toBe(500)
    expect(await errorOf(answer)).toMatchObject({ message: 'down' })
  })
})

describe('parameters of a target', () => {
  const host = listen(() => Response.json(WHOLE))

  test('stand in the place of what the client says, all else byte for byte', async () => {
    const target = { model: 'host/x', params: { temperature: 0, max_tokens: 5, user: null } }
    const { gateway } = await start({
      providers: { host: provider(host) },
      routes: { smart: { targets: [target] } },
    })
    const post = (body: string) =>
      fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body })
    await post('{"user":"u", "model":"smart","max_tokens" : 9,"messages":[ ],"temperature":1.0 }')
    expect(host.received.at(-1)?.body).toBe(
      '{"model":"x","max_tokens" : 5,"messages":[ ],"temperature":0 }'
    )
    await post('{"user":"u", "model":"host/x", "temperature":1.0 }')
    expect(host.received.at(-1)?.body).toBe('{"user":"u", "model":"x", "temperature":1.0 }')
  })

  test('are what budgets hold, not what the client allows', async () => {
    const params = { max_tokens: 100_000 }
    const { chat } = await start({
      providers: { host: provider(host) },
      models: { 'host/x': { price: { input: 1, output: 10 } } },
      budgets: [{ subject: 'organization', limit_usd: 0.5, window: '1d' }],
      routes: { long: { targets: [{ model: 'host/x', params }] } },
    })
    expect((await chat({ model: 'host/x', max_tokens: 10 })).status).toBe(200)
    const refused = await chat({ model: 'long', max_tokens: 10 })
    expect(refused.status).toBe(429)
    expect((await errorOf(refused)).code).toBe('insufficient_quota')
  })
})

describe('fallbacks in the body', () => {
  const host = listen(() => Response.json(WHOLE))
  const options = { providers: { broken: provider(broken), host: provider(host) } }

  test.each<[string, Record<string, unknown>]>([
    ['/v1/chat/completions', { messages: [] }],
    ['/v1/embeddings', { input: 'x' }],
    ['/v1/completions', { prompt: 'x' }],
  ])('are tried in order, and never sent: %s', async (path, rest) => {
    const { gateway } = await start(options)
    const fallbacks = [{ provider: 'broken', model: 'y' }, 'host/z']
    await fetch(gateway.url + path, {
      method: 'POST',
      body: JSON.stringify({ model: 'broken/x', fallbacks, ...rest }),
    })
    expect(broken.received.slice(-2).map(({ body }) => JSON.parse(body))).toEqual([
      { model: 'x', ...rest },
      { model: 'y', ...rest },
    ])
    expect(JSON.parse(host.received.at(-1)?.body ?? '')).toEqual({ model: 'z', ...rest })
  })

  test('are no part of a translated request', async () => {
    const { gateway } = await start(options)
    const answer = await fetch(`${gateway.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({
        ...{ fallbacks: ['host/z'], model: 'broken/x', max_tokens: 9 },
        messages: [{ role: 'user', content: 'Hello' }],
      }),
    })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-tg-model')).toBe('host/z')
    expect(answer.headers.get('x-tg-lossy')).toBeNull()
    expect(host.received.at(-1)?.body).not.toContain('fallbacks')
  })

  test('need the right, and stay within the rights', async () => {
    const harness = await start(options)
    const ask = (init: object, fallbacks: string[]) =>
      harness.chat({ model: 'broken/x', fallbacks }, init)
    const plain = await keyOf(harness, {})
    const refused = await ask(plain, ['host/z'])
    expect(refused.status).toBe(403)
    expect(await errorOf(refused)).toMatchObject({
      ...{ code: 'model_not_allowed', param: 'fallbacks' },
      message: expect.stringContaining('--allow-fallbacks'),
    })
    const allowed = await keyOf(harness, { fallbacks: true, deniedModels: ['sim/*'] })
    expect((await ask(allowed, ['host/z'])).headers.get('x-tg-model')).toBe('host/z')
    expect(await errorOf(await ask(allowed, ['sim/sim-1']))).toMatchObject({
      message: expect.stringContaining("may not use the model 'sim/sim-1': its deny list"),
    })
  })
})

describe('rights and lists', () => {
  const routes = {
    smart: { targets: ['broken/x', 'sim/sim-1'] },
    hidden: { targets: ['sim/sim-1'] },
  }

  test('a deny list holds for the targets of a route', async () => {
    const harness = await start({ providers: { broken: provider(broken) }, routes })
    const init = await keyOf(harness, { models: ['route/smart'], deniedProviders: ['broken'] })
    const before = broken.received.length
    const answer = await harness.chat({ model: 'smart' }, init)
    expect(answer.headers.get('x-tg-model')).toBe('sim/sim-1')
    expect(answer.headers.get('x-tg-attempts')).toBe('1')
    expect(broken.received).toHaveLength(before)
    expect((await harness.chat({ model: 'hidden' }, init)).status).toBe(403)
    expect((await harness.chat({ model: 'sim/sim-1' }, init)).status).toBe(403)
  })

  test('GET /v1/models has the routes that a key may use', async () => {
    const harness = await start({
      providers: { broken: provider(broken, { models: ['m'], model_list: false }) },
      routes,
    })
    const ask = (path: string, init = {}) => fetch(`${harness.gateway.url}/v1/models${path}`, init)
    const list = async (init = {}) => {
      const { data } = listSchema.parse(await (await ask('', init)).json())
      return data.map(({ id, owned_by }) => [id, owned_by]).filter(([, owner]) => owner !== 'sim')
    }
    expect(await list()).toEqual([
      ['smart', 'tollgate'],
      ['hidden', 'tollgate'],
      ['broken/m', 'broken'],
    ])
    const init = await keyOf(harness, { models: ['route/smart'] })
    expect(await list(init)).toEqual([['smart', 'tollgate']])
    expect(await (await ask('/smart', init)).json()).toMatchObject({
      ...{ id: 'smart', owned_by: 'tollgate' },
    })
    expect((await ask('/hidden', init)).status).toBe(403)
  })
})

const listSchema = z.object({
  data: z.array(z.object({ id: z.string(), owned_by: z.string() })),
})

describe('conditions', () => {
  test('go by headers, labels and what a budget has left', async () => {
    const host = listen(() => Response.json({ ...WHOLE, usage: { prompt_tokens: 1_000_000 } }))
    const { chat } = await start({
      providers: { host: provider(host), other: provider(host) },
      models: { '*/*': { price: { input: 1, output: 1 } } },
      budgets: [{ subject: 'tag/batch', limit_usd: 10, window: '1d' }],
      routes: {
        smart: {
          strategy: 'conditional',
          rules: [
            { when: 'headers["x-want"] == "other"', use: 'other/x' },
            { when: '"batch" in tags && budget_remaining("tag/batch") < 9.5', use: 'sim/sim-1' },
          ],
          else: 'host/x',
        },
      },
    })
    const served = async (headers: Record<string, string>) => {
      const answer = await chat({ model: 'smart', max_tokens: 10 }, { headers })
      await answer.text()
      return answer.headers.get('x-tg-model')
    }
    expect(await served({ 'x-want': 'other' })).toBe('other/x')
    expect(await served({ 'x-tg-tags': 'batch' })).toBe('host/x')
    expect(await served({ 'x-tg-tags': 'batch' })).toBe('sim/sim-1')
    expect(await served({})).toBe('host/x')
  })
})

describe('POST /v1/route/explain', () => {
  test('tells where a chat would go, and asks nobody', async () => {
    const harness = await start({
      keys: { required: true },
      sim: { models: ['sim-1'], model_list: false },
      models: { 'sim/plain': { abilities: [] } },
      routes: {
        smart: { targets: ['sim/plain', { model: 'sim/sim-1', params: { temperature: 0 } }] },
        quick: { targets: ['sim/sim-1', 'sim/sim-2'], hedge: { after: '2s', max_percent: 5 } },
      },
    })
    const { headers } = await keyOf(harness, { models: ['route/*'] })
    const explain = (body: object, init: RequestInit = { headers }) =>
      fetch(`${harness.gateway.url}/v1/route/explain`, {
        ...{ ...init, method: 'POST', body: JSON.stringify(body) },
      })
    const answer = await explain({ model: 'smart', tools: [{ type: 'function' }], messages: [] })
    expect(await answer.json()).toEqual({
      model: 'smart',
      path: ['smart: fallback'],
      targets: [{ model: 'sim/sim-1', reason: '1st in order', params: { temperature: 0 } }],
      excluded: [{ model: 'sim/plain', reason: 'it can call no tools' }],
      notes: [],
    })
    const quick = await explain({ model: 'quick', messages: [] })
    expect(await quick.json()).toMatchObject({
      continue_streams: false,
      hedge: { after: 2_000, max_percent: 5 },
    })
    expect(harness.simulator.requests()).toEqual([])
    expect((await explain({ model: 'sim/sim-1' })).status).toBe(403)
    expect((await explain({ model: 'smart' }, {})).status).toBe(401)
    expect((await explain({})).status).toBe(400)
  })
})

describe('the turns of a conversation', () => {
  const messages = [{ role: 'user', content: 'Begin' }]
  const later = [...messages, { role: 'assistant', content: 'Yes' }, { role: 'user', content: '?' }]

  test.each([
    [true, 1],
    [false, 2],
  ])('stay at one of many targets (affinity: %p)', async (affinity, least) => {
    const targets = Array.from({ length: 8 }, (_, at) => `sim/sim-${at}`)
    const routes = { smart: { strategy: 'weighted', targets, affinity } }
    const { chat } = await start({ routes })
    const served = new Set<string | null>()
    await chat({ model: 'smart', messages })
    for (let turn = 0; turn < 24; turn++)
      served.add((await chat({ model: 'smart', messages: later })).headers.get('x-tg-model'))
    expect(served.size).toBeGreaterThanOrEqual(least)
    if (affinity) expect(served.size).toBe(1)
  })
})

describe('equivalent models', () => {
  const claude = { type: 'anthropic', api_key: 'none', model_list: false }
  const openai = { type: 'openai', api_key: 'none', model_list: false }
  const say = (text: string) => ({
    ...{ id: 'm', type: 'message', role: 'assistant', model: 'x', stop_reason: 'end_turn' },
    content: [{ type: 'text', text }],
    usage: { input_tokens: 1, output_tokens: 1 },
  })
  const healthy = listen(() => Response.json(say('Hello')))
  const providers = {
    openai: { ...openai, base_url: `${broken.url}/v1` },
    anthropic: { ...claude, base_url: healthy.url },
  }

  test('answer in the place of one that fails, switched on by a word', async () => {
    const { chat, rowOf } = await start({ providers, failover: { equivalents: true } })
    const response = await chat({ model: 'openai/gpt-6.1-sol' })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-tg-model')).toBe('anthropic/claude-sonnet-5-5')
    const { route } = await rowOf(response)
    expect(JSON.stringify(route)).toContain('in the place of openai/gpt-6.1-sol: of the same tier')
  })

  test('are not asked unless it is switched on, or the key forbids it', async () => {
    const off = await start({ providers })
    expect((await off.chat({ model: 'openai/gpt-6.1-sol' })).status).toBe(500)
    const on = await start({ providers, failover: { equivalents: true } })
    const forbidden = await keyOf(on, { equivalents: false })
    expect((await on.chat({ model: 'openai/gpt-6.1-sol' }, forbidden)).status).toBe(500)
    const narrow = await keyOf(on, { models: ['openai/*'] })
    expect((await on.chat({ model: 'openai/gpt-6.1-sol' }, narrow)).status).toBe(500)
    const wide = await keyOf(on, { models: ['openai/*', 'anthropic/*'] })
    expect((await on.chat({ model: 'openai/gpt-6.1-sol' }, wide)).status).toBe(200)
  })

  test('are left alone where the request says its own fallbacks, or a route has the name', async () => {
    const routes = { 'gpt-6.1-sol': { targets: ['openai/gpt-6.1-sol'] } }
    const { chat } = await start({ providers, routes, failover: { equivalents: true } })
    expect((await chat({ model: 'gpt-6.1-sol' })).status).toBe(500)
    const own = { model: 'openai/gpt-6.1-sol', fallbacks: ['openai/gpt-4o'] }
    expect((await chat(own)).status).toBe(500)
  })
})
