import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import OpenAI, { NotFoundError } from 'openai'
import { z } from 'zod'

import { type Harness, startHarness, until } from './harness'
import { eventStream, startUpstream, type Upstream } from './upstream'

// Responses that their provider keeps: whose they are from the first byte on, what they hold, and what those hold that go
// on from them.

let harness: Harness
let keeper: Upstream
/** What the provider says of a response in the background, by its id. */
const running = new Map<string, Record<string, unknown>>()
let made = 0
/** A stream says no more than that it has begun until then. */
let released = Promise.withResolvers<void>()

const USAGE = { input_tokens: 1_000, output_tokens: 500, total_tokens: 1_500 }
const DONE = { status: 'completed', usage: USAGE }
const QUEUED = { status: 'queued', usage: null }

const response = (id: string, state: Record<string, unknown> = DONE) => ({
  ...{ id, object: 'response', created_at: 1, model: 'm', output: [], ...state },
})

const event = (type: string, id: string, state?: Record<string, unknown>) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, response: response(id, state) })}\n\n`

const DELTA = `event: response.output_text.delta\ndata: ${JSON.stringify({
  ...{ type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0 },
  delta: 'Hello',
})}\n\n`

function answer(request: Request, text: string): Response {
  const [, , , id = ''] = new URL(request.url).pathname.split('/')
  if (request.method === 'DELETE') {
    running.delete(id)
    return Response.json({ id, object: 'response', deleted: true })
  }
  if (request.method === 'GET') {
    const state = running.get(id)
    return state
      ? Response.json(response(id, state))
      : Response.json({ error: { message: 'unknown' } }, { status: 404 })
  }
  const asked: unknown = JSON.parse(text)
  const { background, stream, shape } = z
    .object({
      background: z.boolean().optional(),
      stream: z.boolean().optional(),
      shape: z.object({ id: z.string() }).optional(),
    })
    .parse(asked)
  const name = shape?.id ?? `resp_${made++}`
  if (background === true) running.set(name, QUEUED)
  else running.set(name, DONE)
  if (stream !== true) return Response.json(response(name, background === true ? QUEUED : DONE))
  const begin = [event('response.created', name, { status: 'in_progress', usage: null }), DELTA]
  // In the background it may be left at any time.
  if (background === true) return eventStream(begin)
  async function* frames() {
    yield begin.join('')
    await released.promise
    yield event('response.completed', name)
  }
  return new Response(frames(), { headers: { 'content-type': 'text/event-stream' } })
}

beforeAll(async () => {
  keeper = startUpstream(answer)
  process.env['KEEPER_KEY'] = 'secret'
  harness = await startHarness({
    keys: { required: true },
    batches: { poll: '1s' },
    failover: { retries: 0 },
    models: {
      'keeper/m': { price: { input: 1, output: 2 }, max_output: 1_000, context: 100_000 },
    },
    budgets: [{ subject: 'organization', limit_usd: 1, window: '1d' }],
    providers: {
      keeper: {
        ...{ type: 'openai', base_url: keeper.url, model_list: false },
        ...{ protocols: ['openai-responses'], api_key: '${KEEPER_KEY}' },
      },
    },
  })
})
afterAll(async () => {
  await harness.stop()
  await keeper.stop()
  delete process.env['KEEPER_KEY']
})

async function newClient(): Promise<OpenAI> {
  const { token: apiKey } = harness.makeKey()
  const client = new OpenAI({ baseURL: `${harness.gateway.url}/v1`, apiKey, maxRetries: 0 })
  await until(() =>
    client.models.list().then(
      () => true,
      () => false
    )
  )
  return client
}

const failure = (call: Promise<unknown>) => call.catch((error: unknown) => error)

const standingSchema = z.object({
  limits: z.array(z.looseObject({ unit: z.string(), used: z.number(), reserved: z.number() })),
})

/** What is spent and held of the budget, in nano-USD. */
async function standing({ apiKey }: OpenAI) {
  const headers = { authorization: `Bearer ${apiKey}` }
  const told = await fetch(`${harness.gateway.url}/v1/usage/self`, { headers })
  const { limits } = standingSchema.parse(await told.json())
  const { used, reserved } = limits.find(({ unit }) => unit === 'usd') ?? { used: -1, reserved: -1 }
  return { used, reserved }
}

const COST = 1_000 * 1_000 + 500 * 2_000

describe('whose it is', () => {
  test('is known of ids of any shape', async () => {
    const { responses } = await newClient()
    const id = 'a8d3a1e4-5c11-4be1-9f6e-7a4f0d9e2c11'
    await responses.create({ model: 'keeper/m', input: 'Hello', ...{ shape: { id } } })
    expect(await responses.retrieve(id)).toMatchObject({ id })
    const other = (await newClient()).responses
    expect(await failure(other.retrieve(id))).toBeInstanceOf(NotFoundError)
  })

  test('is known when a stream has begun', async () => {
    const client = await newClient()
    released = Promise.withResolvers()
    const stream = await client.responses.create({ model: 'keeper/m', input: 'Hi', stream: true })
    const seen: string[] = []
    for await (const told of stream) {
      seen.push(told.type)
      if (told.type !== 'response.created') continue
      const { id } = told.response
      expect(await client.responses.retrieve(id)).toMatchObject({ id })
      released.resolve()
    }
    expect(seen.at(-1)).toBe('response.completed')
  })

  test('is not told by what else has an id in it', async () => {
    const mine = await newClient()
    const { id } = await mine.responses.create({ model: 'keeper/m', input: 'Hello' })
    const other = await newClient()
    const request = { model: 'keeper/m', input: 'Hello', previous_response_id: id }
    expect(await failure(other.responses.create(request))).toMatchObject({
      ...{ status: 400, code: 'previous_response_not_found', param: 'previous_response_id' },
    })
    const body = `{"model":"keeper/m","input":"a","previous_response_id":"${id}","previous_response_id":null}`
    const headers = { authorization: `Bearer ${other.apiKey}` }
    const url = `${harness.gateway.url}/v1/responses`
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(400)
  })
})

test('what passes through is owned as well, and goes on from one’s own alone', async () => {
  const mine = await newClient()
  const url = `${harness.gateway.url}/passthrough/keeper/v1`
  const through = ({ apiKey }: OpenAI) => new OpenAI({ baseURL: url, apiKey, maxRetries: 0 })
  const { id } = await through(mine).responses.create({ model: 'm', input: 'Hello' })
  expect(await mine.responses.retrieve(id)).toMatchObject({ id })
  const request = { model: 'm', input: 'Go on', previous_response_id: id }
  expect(await through(mine).responses.create(request)).toMatchObject({ status: 'completed' })
  const other = await newClient()
  expect(await failure(other.responses.retrieve(id))).toBeInstanceOf(NotFoundError)
  expect(await failure(through(other).responses.create(request))).toMatchObject({
    ...{ status: 400, code: 'previous_response_not_found' },
  })
})

describe('what goes on from a response', () => {
  test('is held with all that came before', async () => {
    const client = await newClient()
    const first = await client.responses.create({ model: 'keeper/m', input: 'Hello' })
    const request = { model: 'keeper/m', input: 'Go on', background: true, store: true }
    const before = await standing(client)
    const alone = await client.responses.create(request)
    const between = await standing(client)
    const following = await client.responses.create({ ...request, previous_response_id: first.id })
    const after = await standing(client)
    const heldAlone = between.reserved - before.reserved
    const heldAfter = after.reserved - between.reserved
    // 1,500 tokens at 1 USD a million, and the bytes of the id.
    expect(heldAfter - heldAlone).toBeGreaterThanOrEqual(1_500 * 1_000)
    for (const { id } of [alone, following]) await client.responses.delete(id)
  })

  test('says in its record where it had to go', async () => {
    const { responses, apiKey } = await newClient()
    const first = await responses.create({ model: 'keeper/m', input: 'Hello' })
    const request = { model: 'keeper/m', input: 'Go on', previous_response_id: first.id }
    const { response: head } = await responses.create(request).withResponse()
    const id = head.headers.get('x-request-id')
    const headers = { authorization: `Bearer ${apiKey}` }
    const record = await until(async () => {
      const told = await fetch(`${harness.gateway.url}/v1/requests/${id}`, { headers })
      const text = await told.text()
      return told.ok && text.includes('is kept by') && text
    })
    expect(record).toContain(`'${first.id}' is kept by keeper`)
    const explain = (body: unknown) =>
      fetch(`${harness.gateway.url}/v1/route/explain`, {
        ...{ method: 'POST', headers, body: JSON.stringify(body) },
      })
    const explained: unknown = await (await explain(request)).json()
    expect(explained).toMatchObject({
      targets: [{ model: 'keeper/m' }],
      notes: [`'${first.id}' is kept by keeper`],
    })
    const elsewhere = await explain({ ...request, model: 'sim/sim-1' })
    expect(await elsewhere.text()).toContain('keeps: name one of its models')
  })
})

describe('in the background', () => {
  test('its cost is held until its client sees it done', async () => {
    const client = await newClient()
    const before = await standing(client)
    const { id } = await client.responses.create({
      ...{ model: 'keeper/m', input: 'Hello', background: true },
    })
    expect(await client.responses.retrieve(id)).toMatchObject({ status: 'queued' })
    const held = await standing(client)
    expect(held.used).toBe(before.used)
    expect(held.reserved).toBeGreaterThanOrEqual(before.reserved + 1_000 * 2_000)
    running.set(id, DONE)
    await client.responses.retrieve(id)
    expect(await standing(client)).toEqual({ used: before.used + COST, reserved: before.reserved })
    await client.responses.retrieve(id)
    expect((await standing(client)).used).toBe(before.used + COST)
  })

  test('it is looked after when nobody asks', async () => {
    const client = await newClient()
    const before = await standing(client)
    const { id } = await client.responses.create({
      ...{ model: 'keeper/m', input: 'Hello', background: true },
    })
    running.set(id, DONE)
    await until(async () => (await standing(client)).used === before.used + COST, 10_000)
    expect((await standing(client)).reserved).toBe(before.reserved)
  }, 15_000)

  test('so is one whose stream was left', async () => {
    const client = await newClient()
    const before = await standing(client)
    const stream = await client.responses.create({
      ...{ model: 'keeper/m', input: 'Hello', background: true, stream: true },
    })
    let id = ''
    // Its upstream breaks off: the work goes on there.
    const broken = await failure(
      (async () => {
        for await (const told of stream) if (told.type === 'response.created') id = told.response.id
      })()
    )
    expect(broken).toBeInstanceOf(Error)
    expect((await standing(client)).reserved).toBeGreaterThan(before.reserved)
    running.set(id, DONE)
    await client.responses.retrieve(id)
    expect(await standing(client)).toEqual({ used: before.used + COST, reserved: before.reserved })
  })

  test('one that failed costs nothing, one that was cancelled what it was held for', async () => {
    const client = await newClient()
    const before = await standing(client)
    const request = { model: 'keeper/m', input: 'Hello', background: true }
    const failed = await client.responses.create(request)
    running.set(failed.id, { status: 'failed', usage: null })
    await client.responses.retrieve(failed.id)
    expect(await standing(client)).toEqual(before)
    const { id } = await client.responses.create(request)
    const held = (await standing(client)).reserved - before.reserved
    running.set(id, { status: 'cancelled', usage: null })
    await client.responses.retrieve(id)
    expect(await standing(client)).toEqual({ used: before.used + held, reserved: before.reserved })
  })

  test('one that is deleted before it is done counts as it was held', async () => {
    const client = await newClient()
    const before = await standing(client)
    const { id } = await client.responses.create({
      ...{ model: 'keeper/m', input: 'Hello', background: true },
    })
    const held = (await standing(client)).reserved - before.reserved
    await client.responses.delete(id)
    expect(await standing(client)).toEqual({ used: before.used + held, reserved: before.reserved })
  })
})
