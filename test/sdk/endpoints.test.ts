import { afterAll, beforeAll, describe, expect, test } from 'bun:test'

import { createClient, type Floor, loadSdks, rejectionOf, startFloor } from './sdks'

const SDKS = await loadSdks()

let floor: Floor
beforeAll(async () => {
  floor = await startFloor()
})
afterAll(() => floor.stop())

/** What of a request's body the provider got. */
const sentBody = (): unknown => JSON.parse(floor.simulator.stats().lastRequest?.body ?? 'null')

describe.each(SDKS)('completions by $name', (sdk) => {
  const ask = () => createClient(sdk, floor).completions
  const request = { model: 'sim/sim-1', prompt: 'Once upon a road' }

  test('a whole one, with usage', async () => {
    const completion = await ask().create(request)
    expect(completion.object).toBe('text_completion')
    expect(completion.choices[0]?.text).toContain('Once upon a road')
    expect(completion.choices[0]?.finish_reason).toBe('stop')
    expect(completion.usage?.completion_tokens).toBeGreaterThan(0)
  })

  test('a stream brings the same text, and usage where it is asked for', async () => {
    const whole = await ask().create(request)
    const plain = await Array.fromAsync(await ask().create({ ...request, stream: true }))
    expect(plain.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe(
      whole.choices[0]?.text ?? ''
    )
    expect(plain.filter(({ usage }) => usage)).toEqual([])
    const stream = await ask().create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = await Array.fromAsync(stream)
    expect(chunks.at(-1)?.usage?.total_tokens).toBe(whole.usage?.total_tokens ?? -1)
  })

  test('several prompts have a choice each', async () => {
    const completion = await ask().create({ ...request, prompt: ['north', 'south'] })
    expect(completion.choices.map(({ text }) => /north|south/.exec(text)?.[0])).toEqual([
      'north',
      'south',
    ])
  })
})

describe.each(SDKS)('embeddings by $name', (sdk) => {
  const ask = () => createClient(sdk, floor).embeddings
  const request = { model: 'sim/sim-embed-1', input: 'a toll is due' }

  test('by default they travel as base64 and arrive as the same numbers', async () => {
    const decoded = await ask().create(request)
    expect(sentBody()).toMatchObject({ encoding_format: 'base64', model: 'sim-embed-1' })
    const plain = await ask().create({ ...request, encoding_format: 'float' })
    expect(sentBody()).toMatchObject({ encoding_format: 'float' })
    const vector = plain.data[0]?.embedding ?? []
    expect(vector).toHaveLength(1536)
    expect(decoded.data[0]?.embedding).toEqual(vector)
    expect(Math.hypot(...vector)).toBeCloseTo(1, 5)
    expect(decoded.usage.total_tokens).toBeGreaterThan(0)
  })

  test('base64 that is asked for is left as it is', async () => {
    const answer = await ask().create({ ...request, encoding_format: 'base64' })
    const text: unknown = answer.data[0]?.embedding
    if (typeof text !== 'string') throw new Error('the embedding is no text')
    expect(Buffer.from(text, 'base64')).toHaveLength(1536 * 4)
  })

  test('several inputs keep their order, at the dimensions asked for', async () => {
    const input = ['first', 'second', 'third']
    const answer = await ask().create({ ...request, input, dimensions: 8 })
    expect(answer.data.map(({ index }) => index)).toEqual([0, 1, 2])
    expect(answer.data.map(({ embedding }) => embedding.length)).toEqual([8, 8, 8])
  })
})

describe.each(SDKS)('models by $name', (sdk) => {
  test('the list has every known model, named with its provider', async () => {
    const models = await Array.fromAsync(createClient(sdk, floor).models.list())
    expect(models.map(({ id }) => id)).toEqual(['sim/sim-1', 'sim/sim-embed-1', 'sim/family/sim-1'])
    expect(models[0]).toMatchObject({ object: 'model', owned_by: 'sim' })
  })

  test('a key sees the models it may use', async () => {
    const client = createClient(sdk, floor, { apiKey: floor.narrowKey })
    const models = await Array.fromAsync(client.models.list())
    expect(models.map(({ id }) => id)).toEqual(['sim/sim-embed-1'])
    const error = await rejectionOf(client.models.retrieve('sim/sim-1'))
    expect(error).toBeInstanceOf(sdk.openai.PermissionDeniedError)
  })

  test('one is found by its name, slashes in it too', async () => {
    const { models } = createClient(sdk, floor)
    expect((await models.retrieve('sim/sim-1')).id).toBe('sim/sim-1')
    expect((await models.retrieve('sim/family/sim-1')).id).toBe('sim/family/sim-1')
    const error = await rejectionOf(models.retrieve('sim/sim-2'))
    expect(error).toBeInstanceOf(sdk.openai.NotFoundError)
    expect(error).toMatchObject({ code: 'model_not_found', param: 'model' })
  })
})
