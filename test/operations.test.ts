import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { GoogleGenAI } from '@google/genai'
import { CohereClient, CohereClientV2 } from 'cohere-ai'
import OpenAI from 'openai'
import { z } from 'zod'

import { type Harness, startHarness } from './harness'

// What is no chat, by the SDKs of those who made it, at hosts of every format that has it.

let harness: Harness
let openai: OpenAI
let google: GoogleGenAI
let cohere: CohereClientV2
let firstCohere: CohereClient

/** USD a million tokens, or a unit. */
const PRICES = {
  'sim/embed': { price: { input: 1 } },
  'co/embed-v4.0': { price: { input: 1 } },
  'goo/gemini-embedding-001': { price: { input: 1 } },
  'bed/amazon.titan-embed-text-v2:0': { price: { input: 1 } },
  'sim/rerank': { price: { input: 2 } },
  'co/rerank-v4.0-pro': { price: { request: 0.0025 } },
  'sim/omni-moderation-latest': { price: { input: 0 } },
  'sim/gpt-image-1': { price: { input: 5, image_output: 40 } },
  'sim/dall-e-3': { price: { image_output_each: 0.04 } },
  'goo/imagen-4': { price: { image_output_each: 0.02 } },
  'sim/tts-1': { price: { input_character: 0.000015 } },
  'sim/gpt-4o-mini-tts': { price: { input: 0.6, audio_output: 12 } },
}

beforeAll(async () => {
  process.env['OPERATIONS_TEST_KEY'] = 'secret'
  process.env['AWS_ACCESS_KEY_ID'] ??= 'AKIDEXAMPLE'
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'secret'
  harness = await startHarness()
  const { url } = harness.simulator
  const key = { api_key: '${OPERATIONS_TEST_KEY}', model_list: false, private_addresses: true }
  await harness.reload({
    models: PRICES,
    providers: {
      co: { type: 'cohere', base_url: url, ...key },
      goo: { type: 'gemini', base_url: url, ...key },
      bed: { type: 'bedrock', base_url: url, ...key },
      claude: { type: 'anthropic', base_url: url, ...key },
    },
  })
  const base = harness.gateway.url
  openai = new OpenAI({ baseURL: `${base}/v1`, apiKey: 'none', maxRetries: 0 })
  google = new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl: base } })
  cohere = new CohereClientV2({ environment: base, token: 'none' })
  firstCohere = new CohereClient({ environment: base, token: 'none' })
})
afterAll(async () => {
  await harness.stop()
  delete process.env['OPERATIONS_TEST_KEY']
})

const ask = (path: string, body: unknown) =>
  fetch(`${harness.gateway.url}${path}`, { method: 'POST', body: JSON.stringify(body) })

/** Enough of all answers to be looked into. */
const answerSchema = z.looseObject({
  data: z.array(z.looseObject({ embedding: z.string() })).catch([]),
  embedding: z.union([z.array(z.number()), z.object({ values: z.array(z.number()) })]).optional(),
  inputTextTokenCount: z.number().optional(),
  error: z.looseObject({ message: z.string(), param: z.string().nullish() }).optional(),
})
const read = async (answer: Response) => answerSchema.parse(await answer.json())

const MODELS = [
  'sim/embed',
  'co/embed-v4.0',
  'goo/gemini-embedding-001',
  'bed/cohere.embed-v4:0',
] as const

describe('embeddings', () => {
  test.each(MODELS)('OpenAI’s client has the same vectors of %s', async (model) => {
    const told = await openai.embeddings.create({
      model,
      input: ['a toll gate', 'a bridge'],
      dimensions: 256,
    })
    const plain = await openai.embeddings.create({
      ...{ model: 'sim/embed', input: ['a toll gate', 'a bridge'], dimensions: 256 },
      encoding_format: 'float',
    })
    expect(told.data.map(({ index }) => index)).toEqual([0, 1])
    for (const [at, { embedding }] of told.data.entries()) {
      expect(embedding).toHaveLength(256)
      const wanted = plain.data[at]?.embedding ?? []
      for (const [place, value] of embedding.entries())
        expect(value).toBeCloseTo(wanted[place] ?? NaN, 5)
    }
  })

  test.each(MODELS)('OpenAI’s client may ask %s for base64', async (model) => {
    const answer = await ask('/v1/embeddings', {
      ...{ model, input: 'a toll gate', encoding_format: 'base64', dimensions: 8 },
    })
    const { data } = await read(answer)
    expect(Buffer.from(data[0]?.embedding ?? '', 'base64')).toHaveLength(32)
  })

  test.each(MODELS)('Cohere’s client asks %s', async (model) => {
    const { embeddings, meta } = await cohere.embed({
      model,
      texts: ['a toll gate', 'a bridge'],
      inputType: 'search_query',
      embeddingTypes: ['float'],
      outputDimension: 64,
    })
    expect(embeddings.float?.map((vector) => vector.length)).toEqual([64, 64])
    expect(meta?.billedUnits?.inputTokens).toBeGreaterThanOrEqual(0)
  })

  test.each(MODELS)('the client of Cohere’s first API asks %s', async (model) => {
    const answer = await firstCohere.embed({
      model,
      texts: ['a toll gate'],
      inputType: 'search_document',
    })
    const { embeddings } = answer
    expect(Array.isArray(embeddings) && embeddings[0]).toHaveLength(1536)
  })

  test.each(MODELS)('Google’s client asks %s', async (model) => {
    const { embeddings } = await google.models.embedContent({
      model,
      contents: ['a toll gate', 'a bridge'],
      config: { outputDimensionality: 32, taskType: 'RETRIEVAL_QUERY' },
    })
    expect(embeddings?.map(({ values }) => values?.length)).toEqual([32, 32])
  })

  test('one text by Google’s other call, and by Bedrock’s', async () => {
    const content = { parts: [{ text: 'a toll gate' }] }
    for (const model of MODELS) {
      const answer = await ask(`/v1beta/models/${model}:embedContent`, { content })
      expect((await read(answer)).embedding).toMatchObject({ values: { length: 1536 } })
    }
    const titan = 'bed/amazon.titan-embed-text-v2:0'
    for (const model of [...MODELS.slice(0, 3), titan]) {
      const path = `/bedrock/model/${encodeURIComponent(model)}/invoke`
      const answer = await ask(path, { inputText: 'a toll gate', dimensions: 256 })
      const { embedding, inputTextTokenCount } = await read(answer)
      expect(embedding).toHaveLength(256)
      expect(inputTextTokenCount).toBeGreaterThanOrEqual(0)
    }
  })

  test('many texts for a model that takes one are refused with the mend', async () => {
    const model = 'bed/amazon.titan-embed-text-v2:0'
    const answer = await ask('/v1/embeddings', { model, input: ['a', 'b'] })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      error: { param: 'input', message: expect.stringContaining('one text a request') },
    })
  })

  test('what could only mean something to its own models is refused elsewhere', async () => {
    const answer = await ask('/v1/embeddings', { model: 'sim/embed', input: [[1, 2, 3]] })
    expect(answer.status).toBe(200)
    const google = await ask('/v1/embeddings', { model: MODELS[2], input: [[1, 2, 3]] })
    expect(google.status).toBe(400)
    expect((await read(google)).error?.param).toBe('input')
  })

  test('each is charged by what its host counted', async () => {
    for (const model of ['sim/embed', 'co/embed-v4.0', 'bed/amazon.titan-embed-text-v2:0']) {
      const answer = await ask('/v1/embeddings', { model, input: 'a toll gate' })
      const row = await harness.rowOf(answer)
      expect(row).toMatchObject({ operation: 'embed', inputTokens: 3, costNanoUsd: 3_000 })
      expect(answer.headers.get('x-tg-cost-usd')).toBe('0.000003')
    }
  })

  test('what a host does not count is estimated', async () => {
    const [model] = MODELS.slice(2)
    const answer = await ask('/v1/embeddings', {
      model: `${model};fault=no-usage`,
      input: 'a toll gate',
    })
    expect(answer.status).toBe(200)
    const row = await harness.rowOf(answer)
    expect(row).toMatchObject({ usageProvenance: 'estimated' })
    expect(row.inputTokens).toBeGreaterThan(0)
  })

  test('a provider without any says so', async () => {
    const answer = await ask('/v1/embeddings', { model: 'claude/claude-5', input: 'a' })
    expect(answer.status).toBe(400)
    expect((await read(answer)).error).toMatchObject({ code: 'protocol_not_spoken' })
  })
})

describe('rerank', () => {
  const documents = ['the capital of Peru', 'a toll gate on the road', 'bread']

  test.each(['co/rerank-v4.0-pro', 'sim/rerank'])('Cohere’s clients ask %s', async (model) => {
    const query = 'where is the toll gate'
    const { results } = await cohere.rerank({ model, query, documents, topN: 2 })
    expect(results.map(({ index }) => index)).toEqual([1, 0])
    const first = await firstCohere.rerank({
      model,
      query,
      documents,
      topN: 1,
      returnDocuments: true,
    })
    expect(first.results[0]).toMatchObject({ index: 1, document: { text: documents[1] } })
  })

  test('Jina’s and Voyage’s clients find what they read', async () => {
    const model = 'co/rerank-v4.0-pro'
    const answer = await ask('/v1/rerank', { model, query: 'toll gate', documents, top_k: 1 })
    expect(await answer.json()).toMatchObject({
      results: [{ index: 1 }],
      data: [{ index: 1 }],
      usage: { total_tokens: expect.any(Number) },
    })
  })

  test('search units and tokens are charged for', async () => {
    const many = Array.from({ length: 150 }, (_, at) => `document ${at}`)
    const units = await ask('/v2/rerank', {
      ...{ model: 'co/rerank-v4.0-pro', query: 'toll', documents: many },
    })
    expect(await harness.rowOf(units)).toMatchObject({
      operation: 'rerank',
      costNanoUsd: 2 * 2_500_000,
    })
    const tokens = await ask('/v1/rerank', {
      model: 'sim/rerank',
      query: 'toll',
      documents: ['gate'],
    })
    expect(await harness.rowOf(tokens)).toMatchObject({ inputTokens: 2, costNanoUsd: 4_000 })
  })
})

describe('moderations', () => {
  test('texts are judged, and cost nothing', async () => {
    const { results } = await openai.moderations.create({
      model: 'sim/omni-moderation-latest',
      input: ['I will kill you', 'good morning'],
    })
    expect(results.map(({ flagged }) => flagged)).toEqual([true, false])
    const row = await harness.row(({ operation }) => operation === 'moderate')
    expect(row).toMatchObject({ costNanoUsd: 0, costProvenance: 'computed' })
  })

  test('without a model it is the usual one', async () => {
    const answer = await ask('/v1/moderations', { input: 'good morning' })
    expect(answer.status).toBe(404)
    expect((await read(answer)).error?.message).toContain('omni-moderation-latest')
  })
})

describe('images', () => {
  test('are drawn and charged by their tokens', async () => {
    const { data, response } = await openai.images
      .generate({ model: 'sim/gpt-image-1', prompt: 'a toll gate', n: 2 })
      .withResponse()
    expect(data.data?.map(({ b64_json: png }) => png?.slice(0, 8))).toEqual([
      'iVBORw0K',
      'iVBORw0K',
    ])
    expect(await harness.rowOf(response)).toMatchObject({
      ...{ operation: 'image', inputTokens: 3, outputTokens: 2_112 },
      costNanoUsd: 3 * 5_000 + 2_112 * 40_000,
    })
  })

  test('or by the piece', async () => {
    const answer = await ask('/v1/images/generations', {
      ...{ model: 'sim/dall-e-3', prompt: 'a toll gate', n: 3 },
    })
    expect(await harness.rowOf(answer)).toMatchObject({ costNanoUsd: 3 * 40_000_000 })
    expect(answer.headers.get('x-tg-cost-usd')).toBe('0.12')
  })

  test('are streamed', async () => {
    const stream = await openai.images.generate({
      ...{ model: 'sim/gpt-image-1', prompt: 'a toll gate' },
      ...{ stream: true, partial_images: 2 },
    })
    const types: string[] = []
    for await (const event of stream) types.push(event.type)
    expect(types).toEqual([
      'image_generation.partial_image',
      'image_generation.partial_image',
      'image_generation.completed',
    ])
    const row = await harness.row((one) => one.operation === 'image' && one.stream === true)
    expect(row.costNanoUsd).toBe(3 * 5_000 + 1_056 * 40_000)
  })

  test('a stream that breaks raises', async () => {
    const stream = await openai.images.generate({
      ...{ model: 'sim/gpt-image-1;fault=reset-mid-stream', prompt: 'a toll gate' },
      ...{ stream: true, partial_images: 3 },
    })
    const reading = (async () => {
      for await (const event of stream) expect(event.type).toBeTruthy()
    })()
    expect(
      await reading.then(
        () => 'ended',
        () => 'raised'
      )
    ).toBe('raised')
  })

  test('Imagen’s own call is charged by the piece', async () => {
    const answer = await ask('/v1beta/models/goo/imagen-4:predict', {
      instances: [{ prompt: 'a toll gate' }],
      parameters: { sampleCount: 2 },
    })
    expect(await answer.json()).toMatchObject({ predictions: [{}, { mimeType: 'image/png' }] })
    expect(await harness.rowOf(answer)).toMatchObject({ costNanoUsd: 2 * 20_000_000 })
  })
})

describe('speech', () => {
  const input = 'The gate is open.'

  test('leaves as it comes, under its own type', async () => {
    const answer = await openai.audio.speech.create({
      ...{ model: 'sim/tts-1', voice: 'alloy', input, response_format: 'wav' },
    })
    expect(answer.headers.get('content-type')).toBe('audio/wav')
    const direct = await fetch(`${harness.simulator.url}/v1/audio/speech`, {
      method: 'POST',
      body: JSON.stringify({ model: 'tts-1', voice: 'alloy', input, response_format: 'wav' }),
    })
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.from(await direct.arrayBuffer()))
    expect(await harness.rowOf(answer)).toMatchObject({
      ...{ operation: 'speech', usageProvenance: 'estimated' },
      costNanoUsd: input.length * 15_000,
    })
  })

  test('its tokens are estimated where nobody counts them', async () => {
    const model = 'sim/gpt-4o-mini-tts'
    const answer = await openai.audio.speech.create({ model, voice: 'alloy', input })
    await answer.arrayBuffer()
    const row = await harness.rowOf(answer)
    expect(row.usageProvenance).toBe('estimated')
    expect(row.costNanoUsd).toBeGreaterThan(100_000)
  })

  test('and counted in its events', async () => {
    const answer = await ask('/v1/audio/speech', {
      ...{ model: 'sim/gpt-4o-mini-tts', voice: 'alloy', input, stream_format: 'sse' },
    })
    expect(await answer.text()).toContain('speech.audio.done')
    expect(await harness.rowOf(answer)).toMatchObject({
      usageProvenance: 'provider',
      outputTokens: 24,
    })
  })

  test('what breaks in its midst ends the connection', async () => {
    const answer = await ask('/v1/audio/speech', {
      ...{ model: 'sim/tts-1;fault=reset-mid-stream', voice: 'alloy', input: input.repeat(50) },
    })
    expect(
      await answer.bytes().then(
        () => 'whole',
        () => 'broken'
      )
    ).toBe('broken')
  })

  test('no text, no speech', async () => {
    const answer = await ask('/v1/audio/speech', { model: 'sim/tts-1', voice: 'alloy' })
    expect(answer.status).toBe(400)
    expect((await read(answer)).error?.param).toBe('input')
  })
})
