import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { z } from 'zod'

import { errorOf } from './answers'
import { startHarness, until, type Harness } from './harness'

let harness: Harness

beforeAll(async () => {
  harness = await startHarness({ sim: { models: ['extra/model', 'sim-1'] } })
  await harness.reload({
    sim: { models: ['extra/model', 'sim-1'] },
    providers: {
      second: {
        type: 'openai',
        base_url: `${harness.simulator.url}/v1`,
        api_key: 'none',
        models: ['only-second', 'sim-1'],
        model_list: false,
      },
    },
  })
  await untilListed('sim/sim-embed-1')
})
afterAll(() => harness.stop())

const listSchema = z.object({
  object: z.literal('list'),
  data: z.array(
    z.object({ id: z.string(), object: z.literal('model'), created: z.int(), owned_by: z.string() })
  ),
})

async function listModels(headers: Record<string, string> = {}) {
  const response = await fetch(`${harness.gateway.url}/v1/models`, { headers })
  return listSchema.parse(await response.json()).data
}

/** The host's list is fetched off the path, so it is there a little later. */
async function untilListed(id: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if ((await listModels()).some((model) => model.id === id)) return
    await Bun.sleep(10)
  }
  throw new Error(`${id} was never listed`)
}

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(harness.gateway.url + path, { headers })

describe('a model’s name', () => {
  const servedBy = async (model: string) => {
    const response = await harness.chat({ model })
    expect(response.status).toBe(200)
    return [response.headers.get('x-tg-model'), harness.simulator.stats().lastRequest?.model]
  }

  test('begins with its provider, and the rest is passed on, slashes too', async () => {
    expect(await servedBy('sim/org/family/model')).toEqual([
      'sim/org/family/model',
      'org/family/model',
    ])
    expect(await servedBy('sim/sim/sim-1')).toEqual(['sim/sim/sim-1', 'sim/sim-1'])
  })

  test('without a provider belongs to the first that knows it', async () => {
    expect(await servedBy('sim-1')).toEqual(['sim/sim-1', 'sim-1'])
    expect(await servedBy('only-second')).toEqual(['second/only-second', 'only-second'])
    // Known from the host's own list alone.
    expect(await servedBy('sim-embed-1')).toEqual(['sim/sim-embed-1', 'sim-embed-1'])
    expect(await servedBy('extra/model')).toEqual(['sim/extra/model', 'extra/model'])
  })

  test.each([
    ['only-secund', /did you mean 'only-second'\?/],
    ['sum/sim-1', /did you mean 'sim\/sim-1'\?/],
    ['quite-another-thing', /provider\/model, with one of the providers sim, second/],
    ['sim/', /./],
    ['/sim-1', /./],
    ['Sim/sim-1', /./],
    [`x${'y'.repeat(10_000)}`, /provider\/model/],
  ])('%p, which nobody knows, is a 404 with a hint', async (model, hint) => {
    const response = await harness.chat({ model })
    expect(response.status).toBe(404)
    const error = await errorOf(response)
    expect(error).toMatchObject({ code: 'model_not_found', param: 'model' })
    expect(error.message).toMatch(hint)
    expect(error.message.length).toBeLessThan(1_000)
  })
})

describe('GET /v1/models', () => {
  test('lists what configuration and hosts name, each once, by provider', async () => {
    const ids = (await listModels()).map(({ id }) => id)
    expect(ids.slice(0, 2)).toEqual(['sim/extra/model', 'sim/sim-1'])
    expect(ids).toContain('sim/fault-error-429')
    expect(ids.slice(-2)).toEqual(['second/only-second', 'second/sim-1'])
    expect(new Set(ids).size).toBe(ids.length)
    expect(await listModels()).toContainEqual({
      id: 'sim/sim-embed-1',
      object: 'model',
      created: 1_750_000_000,
      owned_by: 'sim',
    })
  })

  test('shows a key the models it may use', async () => {
    const { token } = harness.makeKey({ models: ['second/*'] })
    const headers = { authorization: `Bearer ${token}` }
    await until(async () => (await get('/v1/models', headers)).ok)
    expect((await listModels(headers)).map(({ id }) => id)).toEqual([
      'second/only-second',
      'second/sim-1',
    ])
  })

  test('keeps the last list when the host can give none', async () => {
    let isBroken = false
    const lists = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: () =>
        isBroken
          ? new Response('no', { status: 500 })
          : Response.json([{ id: 'bare', object: 'x' }]),
    })
    const providers = {
      listing: { type: 'openai', base_url: `http://127.0.0.1:${lists.port}/v1`, api_key: 'none' },
    }
    await harness.reload({ providers })
    await untilListed('listing/bare')
    isBroken = true
    expect((await get('/v1/models/bare')).status).toBe(200)
    await lists.stop(true)
  })
})

describe('GET /v1/models/{id}', () => {
  test.each([
    ['/v1/models/sim/sim-1', 'sim/sim-1'],
    ['/v1/models/sim%2Fsim-1', 'sim/sim-1'],
    ['/v1/models/sim-1', 'sim/sim-1'],
    ['/v1/models/sim/extra/model', 'sim/extra/model'],
  ])('%s is %s', async (path, id) => {
    await harness.reload({ sim: { models: ['extra/model', 'sim-1'] } })
    const response = await get(path)
    expect(response.status).toBe(200)
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(await response.json()).toMatchObject({ id, object: 'model', owned_by: 'sim' })
  })

  test.each(['/v1/models/nothing', '/v1/models/sim/unlisted', '/v1/models/%zz', '/v1/models/%00'])(
    '%s is a 404',
    async (path) => {
      const response = await get(path)
      expect(response.status).toBe(404)
      expect((await errorOf(response)).code).toBe('model_not_found')
    }
  )

  test('is a 403 for a key that may not use it', async () => {
    const { token } = harness.makeKey({ models: ['other/*'] })
    const headers = { authorization: `Bearer ${token}` }
    await until(async () => (await get('/v1/models', headers)).ok)
    const response = await get('/v1/models/sim/sim-1', headers)
    expect(response.status).toBe(403)
    expect((await errorOf(response)).code).toBe('model_not_allowed')
  })
})
