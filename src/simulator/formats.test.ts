import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { JsonValue } from '../protocols/json'
import {
  FORMATS,
  GEMINI,
  type Question,
  type ReadFrame,
  type TestFormat,
  valuesOf,
} from './fixtures/formats'
import { createSimulator, type Simulator } from './simulator'
import { countTokens } from './tokens'

let simulator: Simulator
beforeAll(() => {
  simulator = createSimulator()
})
beforeEach(() => simulator.reset())
afterAll(() => simulator.stop())

function ask(format: TestFormat, question: Question = {}, headers: Record<string, string> = {}) {
  const { model = 'sim-1', stream = false } = question
  return fetch(`${simulator.url}${format.path(model, stream)}`, {
    method: 'POST',
    body: JSON.stringify(format.body(question, model)),
    headers,
  })
}

async function whole(format: TestFormat, question: Question = {}) {
  const response = await ask(format, question)
  const json: JsonValue = JSON.parse(await response.text())
  expect([response.status, json]).toEqual([200, expect.anything()])
  return json
}

async function streamed(format: TestFormat, question: Question = {}) {
  const response = await ask(format, { ...question, stream: true })
  expect(response.status).toBe(200)
  return format.frames(await response.bytes())
}

const textOf = (format: TestFormat, frames: ReadFrame[]) =>
  frames.map(({ json }) => format.text(json)).join('')

describe.each(FORMATS)('$name', (format) => {
  test('quotes the message, the same whole and streamed, and again', async () => {
    const question = { text: 'What is a toll?' }
    const answer = await whole(format, question)
    expect(format.text(answer)).toStartWith('You said: “What is a toll?”. ')
    expect(textOf(format, await streamed(format, question))).toBe(format.text(answer))
    expect(await whole(format, question)).toEqual(answer)
    expect(answer).toHaveProperty(format.usage, countTokens(format.text(answer)))
  })

  test('takes directives in the model’s name', async () => {
    const model = 'sim-1;tokens=40;ttft=30'
    const begun = performance.now()
    expect(await whole(format, { model })).toHaveProperty(format.usage, 40)
    expect(performance.now() - begun).toBeGreaterThanOrEqual(29)
    expect(simulator.stats().lastRequest?.model).toBe(model)
  })

  test('streams at the pace asked for, stamped, and says the same', async () => {
    const begun = performance.timeOrigin + performance.now()
    const frames = await streamed(format, { model: 'sim-1;ttft=40;tps=100;tokens=6;stamp=1' })
    const stamps = frames.flatMap(({ json }) => valuesOf(json, 'sim_sent_at_ms')).map(Number)
    const content = frames.filter(({ json }) => format.text(json) !== '')
    expect(stamps.length).toBeGreaterThanOrEqual(6)
    expect(content.length).toBeGreaterThanOrEqual(6)
    // A late frame delays none behind it, so only "not before" holds.
    content.slice(0, 6).forEach(({ json }, index) => {
      const [atMs] = valuesOf(json, 'sim_sent_at_ms')
      expect(Number(atMs) - begun).toBeGreaterThanOrEqual(40 + index * 10 - 1)
    })
  })

  test('ends where the limit is, and says so', async () => {
    const answer = await whole(format, { maxTokens: 3 })
    expect(format.text(answer)).toBe('You said: “Hi”.')
    expect(answer).toHaveProperty(format.usage, 3)
    expect(JSON.stringify(answer)).toMatch(/max_(output_)?tokens"|MAX_TOKENS|"length"/)
  })

  test('calls the first tool with arguments that fit, two when asked to call twice', async () => {
    const question = { tools: ['get_weather', 'get_time'] }
    const one = JSON.stringify(await whole(format, question))
    expect(one.match(format.callPattern)).toHaveLength(1)
    expect(one).toContain('"get_weather"')
    expect(one.replaceAll('\\', '')).toContain('"city":"simulated city"')
    const two = JSON.stringify(await whole(format, { ...question, text: 'Call twice.' }))
    expect(two.match(format.callPattern)).toHaveLength(2)
    const frames = JSON.stringify(await streamed(format, { ...question, text: 'Call twice.' }))
    expect(frames).toContain('"get_weather"')
    expect(frames).toContain('"get_time"')
  })

  test('gives JSON that fits a schema', async () => {
    const schema = {
      type: 'object',
      properties: { people: { type: 'integer', minimum: 1000 } },
      required: ['people'],
      additionalProperties: false,
    }
    const text = format.text(await whole(format, { schema }))
    expect(JSON.parse(text)).toEqual({ people: expect.any(Number) })
    expect(textOf(format, await streamed(format, { schema }))).toBe(text)
  })

  test('thinks when asked to, and signs it', async () => {
    const thinking = JSON.stringify(await whole(format, { thinks: true }))
    expect(thinking).toContain('there is little to think about')
    expect(format.text(await whole(format, { thinks: true }))).toStartWith('You said')
    expect(JSON.stringify(await whole(format))).not.toContain('little to think')
    const tools = ['get_weather']
    const signed = JSON.stringify(await whole(format, { thinks: true, tools }))
    expect(signed).toMatch(format.signaturePattern)
    const frames = JSON.stringify(await streamed(format, { thinks: true, tools }))
    expect(frames).toMatch(format.signaturePattern)
  })

  test('a body that is no request is refused in the format’s own shape', async () => {
    const path = format.path('sim-1', false)
    for (const body of ['{"model":', '[]', '{"model":"sim-1"}']) {
      const response = await fetch(`${simulator.url}${path}`, { method: 'POST', body })
      expect([body, response.status]).toEqual([body, 400])
      expect(await response.json()).toHaveProperty(format.errorMessage, expect.any(String))
    }
  })

  test('a client that leaves mid-stream is counted', async () => {
    const abort = new AbortController()
    const response = await fetch(`${simulator.url}${format.path('sim-1;tps=1;tokens=9', true)}`, {
      method: 'POST',
      body: JSON.stringify(format.body({ stream: true }, 'sim-1;tps=1;tokens=9')),
      signal: abort.signal,
    })
    await response.body?.getReader().read()
    abort.abort()
    for (const end = Date.now() + 4000; simulator.stats().cancelled === 0; await Bun.sleep(2))
      if (Date.now() > end) throw new Error('the stream was not cancelled')
  })
})

describe('tokens are counted', () => {
  const bodies = {
    responses: { model: 'sim-1', input: 'one two three' },
    anthropic: { model: 'sim-1', messages: [{ role: 'user', content: 'one two three' }] },
    gemini: { contents: [{ role: 'user', parts: [{ text: 'one two three' }] }] },
    converse: { messages: [{ role: 'user', content: [{ text: 'one two three' }] }] },
  }
  const invoked = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 1, ...bodies.anthropic }
  const base64 = Buffer.from(JSON.stringify(invoked)).toString('base64')
  const nested = { generateContentRequest: { model: 'models/sim-1', ...bodies.gemini } }
  test.each([
    ['/v1/responses/input_tokens', bodies.responses, 'input_tokens'],
    ['/v1/messages/count_tokens', bodies.anthropic, 'input_tokens'],
    ['/v1beta/models/sim-1:countTokens', bodies.gemini, 'totalTokens'],
    ['/v1/models/sim-1:countTokens', nested, 'totalTokens'],
    ['/model/sim-1/count-tokens', { input: { converse: bodies.converse } }, 'inputTokens'],
    ['/model/sim-1/count-tokens', { input: { invokeModel: { body: base64 } } }, 'inputTokens'],
  ])('%s', async (path, body, member) => {
    const response = await fetch(`${simulator.url}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
    // Three words, four for the message, three for the answer's beginning.
    expect(await response.json()).toHaveProperty(member, 10)
  })
})

test('models are listed in the shape that the headers ask for', async () => {
  const list = async (path: string, headers: Record<string, string>) =>
    (await fetch(`${simulator.url}${path}`, { headers })).json()
  expect(await list('/v1/models', {})).toMatchObject({ object: 'list', data: expect.any(Array) })
  const claude = await list('/v1/models', { 'anthropic-version': '2023-06-01' })
  expect(claude).toMatchObject({ has_more: false, first_id: 'sim-1' })
  expect(claude).toHaveProperty('data.0.type', 'model')
  for (const [path, headers] of [
    ['/v1beta/models', {}],
    ['/v1/models', { 'x-goog-api-key': 'any' }],
  ] as const)
    expect(await list(path, { ...headers })).toHaveProperty('models.0.name', 'models/sim-1')
})

describe('Gemini 3', () => {
  const call = { functionCall: { name: 'get_weather', args: {} } }
  const answer = { functionResponse: { name: 'get_weather', response: { result: 'warm' } } }
  const history = (...parts: object[]) => ({
    contents: [
      { role: 'user', parts: [{ text: 'Hi' }] },
      { role: 'model', parts },
      { role: 'user', parts: [answer] },
    ],
  })
  const status = async (model: string, body: object) => {
    const path = GEMINI.path(model, false)
    const response = await fetch(`${simulator.url}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
    return [response.status, JSON.stringify(await response.json())] as const
  }

  test('demands the signature of a step’s first call back', async () => {
    const [code, body] = await status('gemini-3-sim', history(call))
    expect(code).toBe(400)
    expect(body).toContain('Function call is missing a thought_signature')
    expect(body).toContain('"INVALID_ARGUMENT"')
    expect(body).toContain('default_api:get_weather')
  })

  test.each([
    ['its own', 'gemini-3-sim', [{ ...call, thoughtSignature: 'c2ln' }, call]],
    [
      'the dummy',
      'gemini-3-sim',
      [{ ...call, thoughtSignature: 'skip_thought_signature_validator' }],
    ],
    ['none, from an older model', 'gemini-2.5-sim', [call]],
  ])('takes %s', async (_, model, parts) => {
    const [code, body] = await status(model, history(...parts))
    expect(body).toContain('The tool answered')
    expect(code).toBe(200)
  })
})
