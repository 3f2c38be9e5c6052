import { afterAll, beforeAll, describe, expect, test } from 'bun:test'

import { CLIENTS, type TestClient } from './fixtures/clients'
import { type Harness, startHarness } from './harness'

// Every fault of a first target, in every format, streamed and whole, for every kind of client: with a healthy second
// target nobody notices what comes before the first token, and what comes after it is an error that SDKs raise.

/** Nothing has been said yet. */
const BEFORE = [
  ...['error-401', 'error-403', 'error-404', 'error-429', 'error-500', 'error-503'],
  ...['hang-before-headers', 'hang-after-head', 'comments-only', 'reset-before-headers'],
  ...['error-first-frame', 'html-error', 'html-200', 'redirect', 'empty-body'],
]

/** In the midst of an answer, streamed or whole. */
const WITHIN = ['hang-mid-stream', 'reset-mid-stream', 'truncated-json']
/** In the midst of a stream alone. */
const WITHIN_STREAMS = [...WITHIN, 'truncated-stream', 'error-mid-stream']

const UPSTREAMS = ['sim', 'responses', 'claude', 'google', 'bedrock']
const KINDS = [true, false].map((stream) => ({ stream, kind: stream ? 'streamed' : 'whole' }))

/** A name for each request: what one of them finds out of its target must not spare the next one the fault. */
const aliasOf = (fault: string, client: string, kind: string) => `${fault}.${client}.${kind}`
const routeOf = (upstream: string, alias: string) => `${upstream}.${alias}`

let harness: Harness

beforeAll(async () => {
  harness = await startHarness()
  const { url } = harness.simulator
  const aliases: Record<string, string> = {}
  const routes: Record<string, unknown> = {}
  for (const fault of [...BEFORE, ...WITHIN_STREAMS, 'error-400'])
    for (const { name } of CLIENTS)
      for (const { kind } of KINDS) {
        const alias = aliasOf(fault, name, kind)
        aliases[alias] = `fault-${fault}`
        for (const upstream of UPSTREAMS)
          routes[routeOf(upstream, alias)] = {
            targets: [`${upstream}/${alias}`, 'well/sim-1;tokens=5'],
          }
      }
  const deadlines = { connect: '500ms', first_byte: '500ms', between_frames: '500ms' }
  const host = { api_key: 'none', model_list: false, aliases, deadlines, retry_on_reset: false }
  const responses = { ...host, type: 'openai', base_url: `${url}/v1` }
  await harness.reload({
    sim: { model_list: false, aliases, deadlines, retry_on_reset: false },
    providers: {
      responses: { ...responses, protocols: ['openai-responses'] },
      claude: { ...host, type: 'anthropic', base_url: url },
      google: { ...host, type: 'gemini', base_url: url },
      bedrock: { ...host, type: 'bedrock', base_url: url },
      well: { type: 'openai', base_url: `${url}/v1`, api_key: 'none', model_list: false },
    },
    routes,
  })
})
afterAll(() => harness.stop())

async function ask(
  { path, body, name }: TestClient,
  fault: string,
  upstream: string,
  stream: boolean
) {
  const model = routeOf(upstream, aliasOf(fault, name, stream ? 'streamed' : 'whole'))
  const response = await fetch(`${harness.gateway.url}${path(model, stream)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body(model, stream)),
  })
  return { response, text: await response.text() }
}

describe.each(CLIENTS)('a client of $name', (client) => {
  describe.each(KINDS)('that asks for $kind answers', ({ stream }) => {
    test.concurrent.each(UPSTREAMS)(
      'notices nothing that %s does before it speaks',
      async (upstream) => {
        const faults = stream ? BEFORE : [...BEFORE, ...WITHIN]
        const seen = await Promise.all(
          faults.map(async (fault) => {
            const { response, text } = await ask(client, fault, upstream, stream)
            const isWell = response.ok && !client.failed.test(text)
            const isWhole = stream ? text.includes(client.ended) : text.startsWith('{')
            return [fault, response.status, isWell && isWhole, response.headers.get('x-tg-model')]
          })
        )
        expect(seen).toEqual(faults.map((fault) => [fault, 200, true, 'well/sim-1;tokens=5']))
      }
    )

    test.concurrent.each(UPSTREAMS)(
      'is told at once that %s refuses what it asks',
      async (upstream) => {
        const { response, text } = await ask(client, 'error-400', upstream, stream)
        expect(response.status).toBe(400)
        expect(text).toContain('refuses this temperature')
        expect(response.headers.get('x-tg-attempts')).toBe('1')
      }
    )
  })

  test.concurrent.each(UPSTREAMS)(
    'hears of what %s does in the midst of a stream, once',
    async (upstream) => {
      for (const fault of WITHIN_STREAMS) {
        const { response, text } = await ask(client, fault, upstream, true)
        const errors = text.match(new RegExp(client.failed, 'gm'))?.length
        expect([fault, response.status, errors, text.includes(client.ended)]).toEqual([
          ...[fault, 200, 1, false],
        ])
      }
    }
  )
})
