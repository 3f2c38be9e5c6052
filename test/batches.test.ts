import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import Anthropic, { NotFoundError as NotFound } from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI, { NotFoundError, toFile } from 'openai'
import { z } from 'zod'

import { type Harness, startHarness, until } from './harness'

// Batches: held when they are made, settled when they are done, by whoever looks first.

let harness: Harness

/** USD a million tokens: a batch is half as dear by no list, so that the usual rates are taken, and said to be estimated. */
const options = () => ({
  keys: { required: true },
  batches: { poll: '1s' },
  models: {
    'sim/sim-1': { price: { input: 1, output: 2 }, max_output: 1_000 },
    'goo/sim-1': { price: { input: 5, output: 6 } },
    'claude/sim-1': { price: { input: 3, output: 4 } },
  },
  budgets: [{ subject: 'organization', limit_usd: 1, window: '1d' }],
  providers: {
    goo: {
      ...{ type: 'gemini', base_url: harness?.simulator.url ?? 'http://127.0.0.1:1' },
      ...{ api_key: '${CLAUDE_TEST_KEY}', model_list: false, private_addresses: true },
    },
    claude: {
      ...{ type: 'anthropic', base_url: harness?.simulator.url ?? 'http://127.0.0.1:1' },
      ...{ api_key: '${CLAUDE_TEST_KEY}', model_list: false, private_addresses: true },
    },
  },
})

beforeAll(async () => {
  process.env['CLAUDE_TEST_KEY'] = 'secret'
  harness = await startHarness(options())
  await harness.reload(options())
})
afterAll(async () => {
  await harness.stop()
  delete process.env['CLAUDE_TEST_KEY']
})

async function newKey(models: string[] = []): Promise<{ apiKey: string; client: OpenAI }> {
  const { token: apiKey } = harness.makeKey({ models })
  const client = new OpenAI({ baseURL: `${harness.gateway.url}/v1`, apiKey, maxRetries: 0 })
  await until(() =>
    client.models.list().then(
      () => true,
      () => false
    )
  )
  return { apiKey, client }
}

const lines = (count: number, body: Record<string, unknown> = {}) =>
  Array.from({ length: count }, (_, at) =>
    JSON.stringify({
      ...{ custom_id: `r${at}`, method: 'POST', url: '/v1/chat/completions' },
      body: {
        ...{ model: 'sim-1', max_tokens: 20 },
        messages: [{ role: 'user', content: `What is a tollgate, and what is number ${at}?` }],
        ...body,
      },
    })
  ).join('\n')

async function upload(client: OpenAI, text: string) {
  const file = await toFile(Buffer.from(text), 'in.jsonl')
  return client.files.create({ file, purpose: 'batch' }, { query: { provider: 'sim' } })
}

const make = (client: OpenAI, fileId: string, metadata = {}) =>
  client.batches.create({
    ...{ input_file_id: fileId, endpoint: '/v1/chat/completions', completion_window: '24h' },
    metadata,
  })

const standingSchema = z.object({
  limits: z.array(z.looseObject({ unit: z.string(), used: z.number(), reserved: z.number() })),
})

/** What is spent and held of the one budget, in USD. */
async function standing(apiKey: string) {
  const answer = await fetch(`${harness.gateway.url}/v1/usage/self`, {
    headers: { authorization: `Bearer ${apiKey}` },
  })
  const { limits } = standingSchema.parse(await answer.json())
  const budget = limits.find(({ unit }) => unit === 'usd')
  return { used: (budget?.used ?? NaN) / 1e9, reserved: (budget?.reserved ?? NaN) / 1e9 }
}

describe('OpenAI’s batches', () => {
  test('hold their worst case until their usage is known, which the client sees first', async () => {
    const { apiKey, client } = await newKey()
    const before = await standing(apiKey)
    const file = await upload(client, lines(3))
    const batch = await make(client, file.id)
    const held = await standing(apiKey)
    expect(held.used).toBe(before.used)
    // Sixty tokens of output at the least.
    expect(held.reserved - before.reserved).toBeGreaterThanOrEqual(60 * 2e-6)
    await client.batches.retrieve(batch.id)
    const done = await client.batches.retrieve(batch.id)
    expect(done.status).toBe('completed')
    const { usage } = z
      .object({ usage: z.object({ input_tokens: z.number(), output_tokens: z.number() }) })
      .parse(done)
    const cost = usage.input_tokens * 1e-6 + usage.output_tokens * 2e-6
    const settled = await until(async () => {
      const now = await standing(apiKey)
      return now.reserved === before.reserved && now
    })
    expect(settled.used - before.used).toBeCloseTo(cost, 9)
    const output = await client.files.content(done.output_file_id ?? '').catch((e: unknown) => e)
    expect(output instanceof Response && (await output.text())).toContain('"custom_id":"r2"')
    expect((await client.batches.list()).data.map(({ id }) => id)).toEqual([batch.id])
  })

  test('are settled too when nobody asks, from the lines of what they gave', async () => {
    const { apiKey, client } = await newKey()
    const before = await standing(apiKey)
    const file = await upload(client, lines(2))
    await make(client, file.id, { usage: 'omitted' })
    expect((await standing(apiKey)).reserved).toBeGreaterThan(before.reserved)
    const settled = await until(async () => {
      const now = await standing(apiKey)
      return now.reserved === before.reserved && now
    }, 10_000)
    expect(settled.used).toBeGreaterThan(before.used)
  }, 15_000)

  test('beyond a budget are refused before anybody is asked', async () => {
    const { client } = await newKey()
    const file = await upload(client, lines(2, { max_tokens: 1_000_000 }))
    harness.simulator.reset()
    const error = await make(client, file.id).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ status: 429, code: 'insufficient_quota' })
    expect(harness.simulator.stats().requests).toBe(0)
  })

  test('of models that the key may not use are refused', async () => {
    const { client } = await newKey(['sim/other'])
    const file = await upload(client, lines(1))
    const error = await make(client, file.id).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ status: 403, code: 'model_not_allowed' })
  })

  test('of files that are none are refused with the line', async () => {
    const { client } = await newKey()
    const file = await upload(client, `${lines(1)}\nnot json`)
    const error = await make(client, file.id).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ status: 400, param: 'input_file_id' })
    expect(String(error)).toContain('line 2')
  })

  test('are unknown to another key, and so are the files they were made of', async () => {
    const { client } = await newKey()
    const file = await upload(client, lines(1))
    const batch = await make(client, file.id)
    const { client: other } = await newKey()
    for (const call of [
      () => other.batches.retrieve(batch.id),
      () => other.batches.cancel(batch.id),
      () => make(other, file.id),
    ])
      expect(await call().catch((caught: unknown) => caught)).toBeInstanceOf(NotFoundError)
    expect((await other.batches.list()).data).toEqual([])
    expect(await client.batches.cancel(batch.id)).toMatchObject({ status: 'cancelling' })
  })
})

describe('Google’s batches', () => {
  test('are held, and settled by the answers that stand in them', async () => {
    const { apiKey } = await newKey()
    const { batches } = new GoogleGenAI({
      ...{ apiKey, httpOptions: { baseUrl: harness.gateway.url } },
    })
    const before = await standing(apiKey)
    const made = await batches.create({
      model: 'goo/sim-1',
      src: [1, 2].map((at) => ({
        contents: [{ role: 'user', parts: [{ text: `Number ${at}` }] }],
        config: { maxOutputTokens: 30 },
      })),
    })
    const name = made.name ?? ''
    expect((await standing(apiKey)).reserved).toBeGreaterThan(before.reserved)
    await batches.get({ name })
    const done = await batches.get({ name })
    expect(String(done.state)).toBe('JOB_STATE_SUCCEEDED')
    let cost = 0
    for (const { response } of done.dest?.inlinedResponses ?? []) {
      const { promptTokenCount = 0, candidatesTokenCount = 0 } = response?.usageMetadata ?? {}
      cost += promptTokenCount * 5e-6 + candidatesTokenCount * 6e-6
    }
    expect(cost).toBeGreaterThan(0)
    const settled = await until(async () => {
      const now = await standing(apiKey)
      return now.reserved === before.reserved && now
    })
    expect(settled.used - before.used).toBeCloseTo(cost, 9)
    const listed: (string | undefined)[] = []
    for await (const one of await batches.list()) listed.push(one.name)
    expect(listed).toEqual([name])
    await batches.cancel({ name })
    await batches.delete({ name })
  })
})

describe('Anthropic’s batches', () => {
  test('name their models as all requests do, and are settled by their results', async () => {
    const { apiKey } = await newKey()
    const client = new Anthropic({ baseURL: harness.gateway.url, apiKey, maxRetries: 0 })
    const before = await standing(apiKey)
    const batch = await client.messages.batches.create({
      requests: [1, 2].map((at) => ({
        custom_id: `r${at}`,
        params: {
          ...{ model: 'claude/sim-1', max_tokens: 30 },
          messages: [{ role: 'user' as const, content: `Number ${at}` }],
        },
      })),
    })
    expect((await standing(apiKey)).reserved).toBeGreaterThan(before.reserved)
    await client.messages.batches.retrieve(batch.id)
    const done = await client.messages.batches.retrieve(batch.id)
    expect(done.processing_status).toBe('ended')
    let cost = 0
    expect(done.results_url).toStartWith(harness.gateway.url)
    for await (const { result } of await client.messages.batches.results(batch.id)) {
      if (result.type !== 'succeeded') throw new Error(result.type)
      const { input_tokens, output_tokens } = result.message.usage
      cost += input_tokens * 3e-6 + output_tokens * 4e-6
    }
    const settled = await until(async () => {
      const now = await standing(apiKey)
      return now.reserved === before.reserved && now
    })
    expect(settled.used - before.used).toBeCloseTo(cost, 9)
    const { apiKey: otherKey } = await newKey()
    const other = new Anthropic({ baseURL: harness.gateway.url, apiKey: otherKey, maxRetries: 0 })
    const error = await other.messages.batches.retrieve(batch.id).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(NotFound)
    await client.messages.batches.delete(batch.id)
  })
})
