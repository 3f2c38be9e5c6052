import { afterAll, beforeAll, describe, expect, test } from 'bun:test'

import { createApp } from '../src/http/app'
import { findInference } from '../src/http/inference-routes'
import { ALL_OBJECT_ROUTES, type ObjectRoute } from '../src/http/object-routes'
import { BodyReads } from '../src/http/read-body'
import { createModelIndex } from '../src/routing/model-index'
import { createTicker } from '../src/std/ticker'
import { type Harness, startHarness, until } from './harness'

// Every route with an id in it, found in the routes themselves: another key's id is as unknown as none.

let harness: Harness
let mine: string
let other: string

beforeAll(async () => {
  process.env['CLAUDE_TEST_KEY'] = 'secret'
  const started = await startHarness({ keys: { required: true } })
  harness = started
  await harness.reload({
    keys: { required: true },
    models: { 'sim/sim-1': { max_output: 100 } },
    providers: {
      goo: {
        ...{ type: 'gemini', base_url: harness.simulator.url },
        ...{ api_key: '${CLAUDE_TEST_KEY}', model_list: false, private_addresses: true },
      },
      claude: {
        ...{ type: 'anthropic', base_url: harness.simulator.url },
        ...{ api_key: '${CLAUDE_TEST_KEY}', model_list: false, private_addresses: true },
      },
    },
  })
  const tokens = [harness.makeKey().token, harness.makeKey().token]
  for (const token of tokens) await until(async () => (await ask(token, 'GET', '/v1/models')).ok)
  ;[mine = '', other = ''] = tokens
})
afterAll(async () => {
  await harness.stop()
  delete process.env['CLAUDE_TEST_KEY']
})

function ask(
  token: string,
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: string | FormData } = {}
): Promise<Response> {
  return fetch(harness.gateway.url + path, {
    ...{ method, headers: { authorization: `Bearer ${token}`, ...headers } },
    ...(body !== undefined && { body }),
  })
}

const ANTHROPIC = { 'anthropic-version': '2023-06-01' }

async function idOf(answer: Response): Promise<string> {
  const text = await answer.text()
  const { id }: { id?: unknown } = JSON.parse(text)
  if (answer.status !== 200 || typeof id !== 'string') throw new Error(text)
  return id
}

function uploadForm(): FormData {
  const form = new FormData()
  form.set('purpose', 'batch')
  const line = {
    custom_id: 'a',
    url: '/v1/chat/completions',
    body: { model: 'sim-1', messages: [] },
  }
  form.set('file', new File([JSON.stringify(line)], 'in.jsonl'))
  return form
}

/** Has `mine` make what the route is about. */
async function make({ kind, protocols }: ObjectRoute): Promise<string> {
  const isAnthropic = protocols.json.name.startsWith('anthropic')
  const headers = isAnthropic ? ANTHROPIC : {}
  const send = async (path: string, body: unknown) =>
    idOf(await ask(mine, 'POST', path, { headers, body: JSON.stringify(body) }))
  if (protocols.json.name === 'gemini-batches') {
    const requests = [{ request: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] } }]
    const path = '/v1beta/models/goo/sim-1:batchGenerateContent'
    const batch = { inputConfig: { requests: { requests } } }
    const answer = await ask(mine, 'POST', path, { body: JSON.stringify({ batch }) })
    const { name }: { name?: unknown } = await JSON.parse(await answer.text())
    return String(name).replace('batches/', '')
  }
  if (kind === 'response') return send('/v1/responses', { model: 'sim/sim-1', input: 'Hello' })
  if (isAnthropic && kind === 'batch') {
    const messages = [{ role: 'user', content: 'Hi' }]
    const params = { model: 'claude/sim-1', max_tokens: 5, messages }
    return send('/v1/messages/batches', { requests: [{ custom_id: 'a', params }] })
  }
  const query = isAnthropic ? '' : '?provider=sim'
  const uploaded = await ask(mine, 'POST', `/v1/files${query}`, { headers, body: uploadForm() })
  const file = await idOf(uploaded)
  if (kind === 'file') return file
  return send('/v1/batches', { input_file_id: file, endpoint: '/v1/chat/completions' })
}

const table = ALL_OBJECT_ROUTES.filter(({ route }) => route.path.includes(':id')).map(
  ({ prefix, route }) =>
    [
      `${route.method} ${prefix}${route.path} by ${route.protocols.json.name}`,
      prefix,
      route,
    ] as const
)

describe('an id of another key', () => {
  test.each(table)('%s', async (_, prefix, route) => {
    const id = await make(route)
    const headers = route.protocols.json.name.startsWith('anthropic') ? ANTHROPIC : {}
    const at = (some: string) => prefix + route.path.replace(':id', some)
    const refused = await ask(other, route.method, at(id), { headers })
    expect(refused.status).toBe(404)
    // Not a word tells it from one that nobody has.
    const unknown = `${id.slice(0, -6)}abcdef`
    const never = await ask(other, route.method, at(unknown), { headers })
    const neutral = (text: string, name: string) =>
      text.replaceAll(name, 'ID').replaceAll(/"request_?[iI]d":"[^"]+"/g, '')
    expect(neutral(await refused.text(), id)).toBe(neutral(await never.text(), unknown))
    expect(refused.status).toBe(never.status)
    const own = await ask(mine, route.method, at(id), { headers })
    expect(own.status).not.toBe(404)
  })

  test('GET /v1/requests/:id', async () => {
    const answer = await ask(mine, 'POST', '/v1/embeddings', {
      body: JSON.stringify({ model: 'sim/embed', input: 'a' }),
    })
    const id = answer.headers.get('x-request-id') ?? ''
    expect((await ask(mine, 'GET', `/v1/requests/${id}`)).status).toBe(200)
    expect((await ask(other, 'GET', `/v1/requests/${id}`)).status).toBe(404)
  })
})

test('a file of another key can’t be named in a chat, by whichever API', async () => {
  const uploaded = await ask(mine, 'POST', '/v1/files?provider=sim', { body: uploadForm() })
  const file_id = await idOf(uploaded)
  const file = { type: 'file', file: { file_id } }
  const input = { type: 'input_file', file_id }
  const source = { type: 'document', source: { type: 'file', file_id } }
  const calls: [path: string, body: object][] = [
    ['/v1/chat/completions', { messages: [{ role: 'user', content: [file] }] }],
    ['/v1/responses', { input: [{ role: 'user', content: [input] }] }],
    ['/v1/messages', { max_tokens: 5, messages: [{ role: 'user', content: [source] }] }],
    ['/passthrough/sim/v1/chat/completions', { messages: [{ role: 'user', content: [file] }] }],
  ]
  for (const [path, body] of calls) {
    const model = path.startsWith('/passthrough') ? 'sim-1' : 'sim/sim-1'
    const send = (token: string, written: string) => ask(token, 'POST', path, { body: written })
    const written = JSON.stringify({ model, ...body })
    expect((await send(other, written)).status).toBe(404)
    expect((await send(mine, written)).status).not.toBe(404)
    // What was uploaded elsewhere is nobody's here.
    expect((await send(other, written.replaceAll(file_id, 'file-elsewhere'))).status).not.toBe(404)
  }
})

test('no other route has an id in it', () => {
  const ticker = createTicker()
  const app = createApp({
    gateway: JSON.parse('{}'),
    bodies: new BodyReads(ticker, () => 0, { directory: '', maxBytes: () => 0 }),
    localHost: () => undefined,
    isReady: () => true,
    models: () => createModelIndex([]),
  })
  ticker.stop()
  const named = app.routes.map(({ path }) => path).filter((path) => path.includes(':'))
  // Models are what a key may use, and belong to nobody.
  const owned = named.filter((path) => !path.endsWith('/models/:id{.+}'))
  expect([...new Set(owned)]).toEqual(['/v1/requests/:id'])
})

/** What the providers keep under ids, by their paths: of each the gateway serves all by its table, or nothing. */
const NOUNS = [
  ...ALL_OBJECT_ROUTES.map(({ route }) => route.path.split('/:id')[0] ?? route.path),
  ...['/conversations', '/threads', '/assistants', '/vector_stores', '/uploads', '/containers'],
  ...['/fine_tuning/jobs', '/evals', '/videos', '/chat/completions', '/cachedContents', '/skills'],
]

test('no path of inference has an id in it', () => {
  const prefixes = ['', '/openai', '/anthropic', '/genai', '/bedrock', '/cohere', '/litellm']
  const found: string[] = []
  for (const prefix of prefixes)
    for (const version of ['/v1', '/v1beta', '/v2'])
      for (const noun of new Set(NOUNS))
        for (const rest of ['', '/cancel', '/items', ':cancel', ':download']) {
          const path = `${prefix}${version}${noun}/some-id${rest}`
          if (findInference(path, '')) found.push(path)
        }
  expect(found).toEqual([])
})

test('an id that could lead elsewhere is none', async () => {
  harness.simulator.reset()
  for (const id of ['..', '%2e%2e', 'a%2fb', '..%2f..%2fkeys', 'a\\b', 'x?y'])
    for (const path of [`/v1/files/${id}/content`, `/v1/responses/${id}`, `/v1/batches/${id}`])
      expect((await ask(mine, 'GET', path)).status).toBeOneOf([404, 405])
  expect(harness.simulator.stats().requests).toBe(0)
})
