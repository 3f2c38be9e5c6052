import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI, { NotFoundError } from 'openai'
import { z } from 'zod'

import { type Harness, startHarness, until } from './harness'
import { eventStream, startUpstream, type Upstream } from './upstream'

// Responses that later requests go on from: at a provider that keeps them, and at one that keeps none.

let harness: Harness
let keeper: Upstream
let kept = 0
const asked: string[] = []

const head = (id: string) => ({
  ...{ id, object: 'response', created_at: 1, status: 'completed', model: 'm', output: [] },
  usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
})

beforeAll(async () => {
  keeper = startUpstream((request) => {
    const { pathname, search } = new URL(request.url)
    const authorization = request.headers.get('authorization') ?? ''
    asked.push(`${request.method} ${pathname}${search} ${authorization}`)
    if (request.method === 'DELETE')
      return Response.json({ id: 'x', object: 'response', deleted: true })
    if (pathname === '/v1/responses/compact')
      return Response.json({ ...head(`resp_short${kept++}`), object: 'response.compaction' })
    if (pathname !== '/v1/responses') return Response.json(head(pathname.split('/')[3] ?? ''))
    return Response.json(head(`resp_kept${kept++}`))
  })
  process.env['KEEPER_ONE'] = 'one'
  process.env['KEEPER_TWO'] = 'two'
  const keeps = { type: 'openai', base_url: keeper.url, model_list: false }
  harness = await startHarness({
    keys: { required: true },
    providers: {
      keeper: {
        ...keeps,
        protocols: ['openai-responses'],
        credentials: [
          { name: 'first', api_key: '${KEEPER_ONE}' },
          { name: 'second', api_key: '${KEEPER_TWO}' },
        ],
      },
    },
  })
})
afterAll(async () => {
  await harness.stop()
  await keeper.stop()
  delete process.env['KEEPER_ONE']
  delete process.env['KEEPER_TWO']
})

/** A client with a key of its own, once the gateway knows it. */
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

describe('a provider that keeps none', () => {
  test('has the gateway keep them, and conversations go on', async () => {
    const { responses } = await newClient()
    const first = await responses.create({ model: 'sim/sim-1', input: 'What is a tollgate?' })
    const second = await responses.create({
      ...{ model: 'sim/sim-1', input: 'And a toll?', previous_response_id: first.id },
    })
    expect(second.previous_response_id).toBe(first.id)
    const [sent] = harness.simulator.requests().slice(-1)
    const body = JSON.stringify(sent?.body)
    expect(body).toContain('What is a tollgate?')
    expect(body).toContain(JSON.stringify(first.output_text).slice(1, -1))
    expect(body).toContain('And a toll?')
    const items = await responses.inputItems.list(second.id)
    expect(items.data).toHaveLength(3)
    expect(await responses.retrieve(first.id)).toMatchObject({
      id: first.id,
      output: first.output,
    })
    await responses.delete(first.id)
    const gone = await responses.retrieve(first.id).catch((error: unknown) => error)
    expect(gone).toBeInstanceOf(NotFoundError)
  })

  test('streams are kept too', async () => {
    const { responses } = await newClient()
    const stream = await responses.create({ model: 'sim/sim-1', input: 'Hello', stream: true })
    let id = ''
    for await (const event of stream)
      if (event.type === 'response.completed') id = event.response.id
    expect(await responses.retrieve(id)).toMatchObject({ id, status: 'completed' })
  })

  test('streams are kept too that end before the model was done', async () => {
    const { responses } = await newClient()
    const request = { model: 'sim/sim-1', input: 'Hello', max_output_tokens: 1 }
    let id = ''
    for await (const event of await responses.create({ ...request, stream: true }))
      if (event.type === 'response.incomplete') id = event.response.id
    expect(await responses.retrieve(id)).toMatchObject({ id, status: 'incomplete' })
  })

  test('their items come in pages, the newest first unless asked otherwise', async () => {
    const { responses } = await newClient()
    const input = ['one', 'two', 'three'].map((content) => ({ role: 'user' as const, content }))
    const { id } = await responses.create({ model: 'sim/sim-1', input })
    const texts = async (query: object) => {
      const found: string[] = []
      for await (const item of responses.inputItems.list(id, query))
        found.push(JSON.stringify(item))
      return found.map((text) => /"text":"(\w+)"/.exec(text)?.[1])
    }
    expect(await texts({ limit: 2 })).toEqual(['three', 'two', 'one'])
    expect(await texts({ limit: 1, order: 'asc' })).toEqual(['one', 'two', 'three'])
    const page = await responses.inputItems.list(id, { limit: 2 })
    expect(page).toMatchObject({ has_more: true, data: { length: 2 } })
    const unknown = await responses.inputItems
      .list(id, { after: 'item_x' })
      .catch((e: unknown) => e)
    expect(unknown).toMatchObject({ status: 400, param: 'after' })
  })

  test('they have no stream to look at again', async () => {
    const { responses } = await newClient()
    const { id } = await responses.create({ model: 'sim/sim-1', input: 'Hello' })
    const error = await responses.retrieve(id, { stream: true }).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ status: 400, param: 'stream' })
  })

  test('they outlive a process that is killed once it has answered', async () => {
    const path = mkdtempSync(join(tmpdir(), 'tollgate-killed-'))
    const fixture = join(import.meta.dir, 'fixtures/respond-until-killed.ts')
    const killed = Bun.spawn([process.execPath, fixture, path], {
      ...{ stdout: 'pipe', stderr: 'inherit' },
    })
    const ids = z.array(z.string()).parse(JSON.parse(await killed.stdout.text()))
    await killed.exited
    expect(killed.signalCode).toBe('SIGKILL')
    const next = await startHarness({ path })
    const { responses } = new OpenAI({ baseURL: `${next.gateway.url}/v1`, apiKey: 'none' })
    const [whole = '', streamed = ''] = ids
    expect(await responses.retrieve(whole)).toMatchObject({ id: whole, status: 'completed' })
    const items = await responses.inputItems.list(streamed)
    expect(JSON.stringify(items.data)).toContain('What is a tollgate?')
    await next.stop()
  })

  test('not where they are too large, which is said', async () => {
    const { responses } = await newClient()
    const request = { model: 'sim/sim-1', input: 'a'.repeat(9 << 20) }
    const { data, response } = await responses.create(request).withResponse()
    expect(response.headers.get('x-tg-lossy')).toContain('store;dropped')
    const error = await responses.retrieve(data.id).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(NotFoundError)
  })

  test('not where the request says so, and nothing of it can be read on the disk', async () => {
    const { responses } = await newClient()
    const unkept = await responses.create({ model: 'sim/sim-1', input: 'Hello', store: false })
    const error = await responses.retrieve(unkept.id).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(NotFoundError)
    await responses.create({ model: 'sim/sim-1', input: 'xyzzy-secret-words' })
    const { logPath } = harness.directory
    const text = Buffer.concat([
      await Bun.file(logPath).bytes(),
      await Bun.file(`${logPath}-wal`)
        .bytes()
        .catch(() => new Uint8Array()),
    ])
    expect(text.includes('xyzzy-secret-words')).toBe(false)
  })

  test('another key knows nothing of them', async () => {
    const { responses } = await newClient()
    const mine = await responses.create({ model: 'sim/sim-1', input: 'Hello' })
    const other = (await newClient()).responses
    const request = { model: 'sim/sim-1', input: 'Go on', previous_response_id: mine.id }
    const error = await other.create(request).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ status: 400, code: 'previous_response_not_found' })
    for (const call of [
      () => other.retrieve(mine.id),
      () => other.delete(mine.id),
      () => other.cancel(mine.id),
      async () => (await other.inputItems.list(mine.id)).data,
    ]) {
      const refused = await call().catch((caught: unknown) => caught)
      expect(refused).toBeInstanceOf(NotFoundError)
    }
    expect(await responses.retrieve(mine.id)).toMatchObject({ id: mine.id })
  })

  test('what runs behind its answer needs one that can', async () => {
    const { responses } = await newClient()
    const request = { model: 'sim/sim-1', input: 'Hello', background: true }
    const error = await responses.create(request).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ status: 400, param: 'background' })
  })
})

describe('a provider that keeps them', () => {
  test('is asked again with the credential that made them', async () => {
    const { responses } = await newClient()
    for (let turn = 0; turn < 6; turn++) {
      const made = await responses.create({ model: 'keeper/m', input: 'Hello' })
      const credential = asked.at(-1)?.split(' ').slice(-1)[0]
      await responses.retrieve(made.id)
      await responses.inputItems.list(made.id)
      await responses.create({
        ...{ model: 'keeper/m', input: 'Go on', previous_response_id: made.id },
      })
      await responses.cancel(made.id)
      await responses.delete(made.id)
      expect(asked.slice(-5).map((line) => line.split(' ').slice(-1)[0])).toEqual(
        Array.from({ length: 5 }, () => credential)
      )
      const gone = await responses.retrieve(made.id).catch((error: unknown) => error)
      expect(gone).toBeInstanceOf(NotFoundError)
    }
  })

  test('has them made shorter', async () => {
    const { responses } = await newClient()
    const made = await responses.create({ model: 'keeper/m', input: 'Hello' })
    const short = await responses.compact({ model: 'keeper/m', previous_response_id: made.id })
    expect(short).toMatchObject({ object: 'response.compaction' })
    expect(await responses.retrieve(short.id)).toMatchObject({ id: short.id })
    const request = { model: 'sim/sim-1', input: 'Hello' }
    const error = await responses.compact(request).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ status: 400, code: 'protocol_not_spoken' })
  })

  test('another model can’t go on from them', async () => {
    const { responses } = await newClient()
    const made = await responses.create({ model: 'keeper/m', input: 'Hello' })
    const request = { model: 'sim/sim-1', input: 'Go on', previous_response_id: made.id }
    const error = await responses.create(request).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ status: 400, param: 'previous_response_id' })
  })
})

describe('a provider that speaks the API and keeps nothing', () => {
  let forgetful: Upstream
  let other: Harness
  const bodies: string[] = []
  let told = 0

  /** As hosts without a state answer: https://openrouter.ai/docs/api_reference/responses/error-handling */
  function answer(request: Request, body: string): Response {
    if (request.method !== 'POST') return Response.json({ error: {} }, { status: 404 })
    bodies.push(body)
    const { stream, ...asked } = z
      .looseObject({ stream: z.boolean().optional() })
      .parse(JSON.parse(body))
    if ('store' in asked || 'previous_response_id' in asked)
      return Response.json({ error: { message: 'stateless' } }, { status: 400 })
    const text = { type: 'output_text', text: `answer ${++told}`, annotations: [] }
    const message = { type: 'message', id: `msg_${told}`, role: 'assistant', content: [text] }
    const response = { ...head(`gen-${told}`), output: [message] }
    if (stream !== true) return Response.json(response)
    const begun = { ...response, status: 'in_progress', output: [] }
    const events = [
      { type: 'response.created', response: begun },
      { type: 'response.output_text.delta', item_id: `msg_${told}`, delta: text.text },
      { type: 'response.completed', response },
    ]
    return eventStream(
      events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    )
  }

  beforeAll(async () => {
    forgetful = startUpstream(answer)
    const host = { type: 'vllm', base_url: forgetful.url, model_list: false }
    const { protocols } = { protocols: ['openai-responses'] }
    other = await startHarness({
      providers: {
        forgetful: { ...host, protocols },
        plain: { ...host, type: 'openai', api_key: 'none', protocols, keeps_responses: false },
      },
    })
  })
  afterAll(async () => {
    await other.stop()
    await forgetful.stop()
  })

  test.each(['forgetful', 'plain'])('%s has the gateway keep them', async (provider) => {
    const baseURL = `${other.gateway.url}/v1`
    const { responses } = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 })
    const model = `${provider}/m`
    const first = await responses.create({ model, input: 'The first question', store: true })
    expect(await responses.retrieve(first.id)).toMatchObject({ id: first.id })
    const asked = { model, input: 'The second', previous_response_id: first.id }
    let id = ''
    for await (const event of await responses.create({ ...asked, stream: true }))
      if (event.type === 'response.completed') id = event.response.id
    expect(bodies.at(-1)).toContain('The first question')
    expect(bodies.at(-1)).toContain(`answer ${told - 1}`)
    expect((await responses.inputItems.list(id)).data).toHaveLength(3)
    await responses.create({ model, input: 'The third', previous_response_id: id })
    expect(bodies.at(-1)).toContain(`answer ${told - 2}`)
    expect(bodies.at(-1)).toContain(`answer ${told - 1}`)
  })
})
