import { afterAll, beforeAll, describe, expect, test } from 'bun:test'

import { CLIENTS, type TestClient, textOf } from './fixtures/clients'
import { type Harness, startHarness } from './harness'

// What breaks a stream in the midst of a text, in every format and for every kind of client: with `continue_streams`
// another target goes on with it, and the client reads one whole answer.

const FAULTS = ['hang-mid-stream', 'reset-mid-stream', 'truncated-json', 'truncated-stream']
FAULTS.push('error-mid-stream', 'malformed-sse')

const UPSTREAMS = ['sim', 'responses', 'claude', 'google', 'bedrock', 'cohere', 'ollama']

const aliasOf = (fault: string, client: string) => `${fault}.${client}`

let harness: Harness

beforeAll(async () => {
  harness = await startHarness()
  const { url } = harness.simulator
  const aliases: Record<string, string> = {}
  const routes: Record<string, unknown> = {}
  const on = { continue_streams: true }
  for (const { name } of CLIENTS) {
    for (const fault of FAULTS) {
      const alias = aliasOf(fault, name)
      aliases[alias] = `fault-${fault}`
      for (const upstream of UPSTREAMS)
        routes[`${upstream}.${alias}`] = { ...on, targets: [`${upstream}/${alias}`, 'well/sim-1'] }
    }
    const broken = aliasOf('reset-mid-stream', name)
    for (const upstream of UPSTREAMS)
      routes[`to-${upstream}.${name}`] = { ...on, targets: [`sim/${broken}`, `${upstream}/sim-1`] }
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
      cohere: { ...host, type: 'cohere', base_url: url },
      ollama: { ...host, type: 'ollama', base_url: url },
      well: { type: 'openai', base_url: `${url}/v1`, api_key: 'none', model_list: false },
    },
    routes,
  })
})
afterAll(() => harness.stop())

async function ask({ path, body }: TestClient, model: string) {
  const response = await fetch(`${harness.gateway.url}${path(model, true)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body(model, true)),
  })
  return { response, text: await response.text() }
}

test("a client of Gemini's lists reads one list", async () => {
  const body = JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] })
  const texts = await Promise.all(
    ['google', 'sim'].map(async (upstream) => {
      const model = `${upstream}.${aliasOf('error-mid-stream', 'gemini')}`
      const path = `/v1beta/models/${model}:streamGenerateContent`
      const answer = await fetch(`${harness.gateway.url}${path}`, { method: 'POST', body })
      const chunks: unknown = await answer.json()
      return Array.isArray(chunks) && chunks.map((chunk) => JSON.stringify(chunk)).join('\n')
    })
  )
  const gemini = CLIENTS.find(({ name }) => name === 'gemini')
  for (const text of texts)
    expect(gemini && textOf(gemini, String(text))).toEndWith('and nothing was billed.')
})

describe.each(CLIENTS)('a client of $name', (client) => {
  test.concurrent.each(UPSTREAMS)('notices nothing of %s breaking off', async (upstream) => {
    const whole = textOf(client, (await ask(client, 'well/sim-1')).text)
    expect(whole).toStartWith('You said: “Hi”.')
    const seen = await Promise.all(
      FAULTS.map(async (fault) => {
        const { response, text } = await ask(client, `${upstream}.${aliasOf(fault, client.name)}`)
        const ends = text.split(client.ended).length - 1
        return [fault, response.status, client.failed.test(text), ends, textOf(client, text)]
      })
    )
    const ends = client.name === 'openai-responses' ? 2 : 1
    expect(seen).toEqual(FAULTS.map((fault) => [fault, 200, false, ends, whole]))
  })

  test.concurrent.each(UPSTREAMS)('notices nothing of %s going on', async (upstream) => {
    const whole = textOf(client, (await ask(client, 'well/sim-1')).text)
    const { text } = await ask(client, `to-${upstream}.${client.name}`)
    expect([client.failed.test(text), textOf(client, text)]).toEqual([false, whole])
  })
})
