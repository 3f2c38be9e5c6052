import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'

import { type Harness, startHarness } from './harness'
import { cut, eventStream, startUpstream, type Upstream } from './upstream'

// Cohere's chat as an upstream: the same bytes for its own clients, a translation for all others.

let upstream: Upstream
let harness: Harness
/** What the upstream says next. */
let answer: () => Response = () => Response.json({})

beforeAll(async () => {
  upstream = startUpstream(() => answer())
  process.env['COHERE_TEST_KEY'] = 'secret'
  harness = await startHarness()
  const host = { type: 'cohere', api_key: '${COHERE_TEST_KEY}', model_list: false }
  await harness.reload({
    providers: {
      command: { ...host, base_url: harness.simulator.url },
      raw: { ...host, base_url: new URL(upstream.url).origin },
    },
  })
})
beforeEach(() => {
  upstream.received.length = 0
})
afterAll(async () => {
  await harness.stop()
  await upstream.stop()
  delete process.env['COHERE_TEST_KEY']
})

const ask = (path: string, body: object | string) =>
  fetch(`${harness.gateway.url}${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

// Spelled as no serializer would, so that one that was at work would show.
const WHOLE =
  ' {"id" : "a", "message":{"role":"assistant","content":[{"type":"text","text":"\\u00e9 \\/ é"}]},\n' +
  '"finish_reason":"COMPLETE", "usage":{"billed_units":{"input_tokens":5,"output_tokens":7},' +
  '"tokens":{"input_tokens":500,"output_tokens":9},"cached_tokens":448}, "new":1.50}\n'

const event = (data: string) => `event: ${/"type":"([\w-]+)"/.exec(data)?.[1]}\ndata: ${data}\n\n`
const FRAMES = [
  event('{"type":"message-start", "id":"a","delta":{"message":{"role":"assistant"}}}'),
  event('{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text"}}}}'),
  event('{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"\\u00e9"}}}}'),
  event('{"type":"tomorrow","n":1.50}'),
]
const END = event(
  '{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":5,"output_tokens":7},"tokens":{"input_tokens":500,"output_tokens":9}}}}'
)

describe('a client of its own', () => {
  test('sends its bytes with the model’s name replaced, and gets the answer’s', async () => {
    answer = () => new Response(WHOLE, { headers: { 'content-type': 'application/json' } })
    const body = '{ "messages":[{"role":"user","content":"\\u0048i"}],"model":"raw/c","new":1e3 }'
    const response = await ask('/v2/chat', body)
    expect(await response.text()).toBe(WHOLE)
    const [sent] = upstream.received
    expect(sent).toMatchObject({
      path: '/v2/chat',
      headers: { authorization: 'Bearer secret' },
      body: body.replace('raw/c', 'c'),
    })
    // What is billed, not what was counted.
    expect(await harness.rowOf(response)).toMatchObject({ inputTokens: 5, outputTokens: 7 })
  })

  test.each([1, 7, 64])('gets a stream’s bytes, cut at %d', async (size) => {
    const bytes = FRAMES.join('') + END
    answer = () => eventStream(cut(bytes, size))
    const body = { model: 'raw/c', stream: true, messages: [{ role: 'user', content: 'Hi' }] }
    const response = await ask('/v2/chat', body)
    expect(await response.text()).toBe(bytes)
    expect(await harness.rowOf(response)).toMatchObject({
      inputTokens: 5,
      outputTokens: 7,
      finishReasons: ['COMPLETE'],
    })
  })

  test('gets its errors as they are', async () => {
    const own = '{"id":"7", "message":"too many tokens"}'
    answer = () => new Response(own, { status: 400 })
    const response = await ask('/v2/chat', {
      model: 'raw/c',
      messages: [{ role: 'user', content: 'Hi' }],
    })
    expect([response.status, await response.text()]).toEqual([400, own])
  })

  test('is told when a stream has no end', async () => {
    answer = () => eventStream(FRAMES)
    const body = { model: 'raw/c', stream: true, messages: [{ role: 'user', content: 'Hi' }] }
    const text = await (await ask('/v2/chat', body)).text()
    expect(text).toStartWith(FRAMES.join(''))
    expect(text).toContain('"finish_reason":"ERROR"')
    expect(text).not.toContain('COMPLETE')
  })
})

const TOOLS = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
]

describe('a client of OpenAI’s chat', () => {
  const messages = [{ role: 'user', content: 'What is a toll?' }]

  test('is answered, the same whole and streamed', async () => {
    const whole = await ask('/v1/chat/completions', { model: 'command/sim-1', messages })
    const json = await whole.json()
    expect(json).toMatchObject({
      choices: [{ finish_reason: 'stop', message: { role: 'assistant' } }],
    })
    const streamed = await ask('/v1/chat/completions', {
      model: 'command/sim-1',
      messages,
      stream: true,
    })
    const deltas = [...(await streamed.text()).matchAll(/"content":("(?:[^"\\]|\\.)*")/g)]
    const text = deltas.map(([, quoted = '""']) => String(JSON.parse(quoted))).join('')
    expect(text).toStartWith('You said: “What is a toll?”')
    expect(json).toHaveProperty('choices.0.message.content', text)
  })

  test('calls a tool, and gives its result', async () => {
    const first = await ask('/v1/chat/completions', {
      model: 'command/sim-1',
      messages,
      tools: TOOLS,
      tool_choice: { type: 'function', function: { name: 'get_weather' } },
    })
    expect(first.headers.get('x-tg-lossy')).toBe('tool_choice;rewritten')
    const { choices } = JSON.parse(await first.text())
    const [{ finish_reason: reason, message }] = choices
    expect(reason).toBe('tool_calls')
    const [call] = message.tool_calls
    expect(JSON.parse(call.function.arguments)).toEqual({ city: 'simulated city' })
    const last = await ask('/v1/chat/completions', {
      model: 'command/sim-1',
      messages: [...messages, message, { role: 'tool', tool_call_id: call.id, content: 'warm' }],
      tools: TOOLS,
    })
    expect(await last.text()).toContain('The tool answered: “warm”')
    const sent = JSON.parse(harness.simulator.requests().at(-1)?.body ?? '')
    expect(sent).toEqual({
      model: 'sim-1',
      messages: [
        ...messages,
        { role: 'assistant', tool_calls: [{ ...call, type: 'function' }] },
        { role: 'tool', tool_call_id: call.id, content: 'warm' },
      ],
      tools: TOOLS,
    })
  })

  test.each([
    ['error-429', 429],
    ['error-503', 503],
    ['error-401', 502],
    ['truncated-json', 502],
    ['error-first-frame', 502],
  ])('is told of %s', async (fault, status) => {
    const response = await ask('/v1/chat/completions', {
      model: `command/fault-${fault}`,
      messages,
    })
    expect(response.status).toBe(status)
    expect(await response.json()).toHaveProperty('error.message', expect.any(String))
  })

  test.each(['error-mid-stream', 'truncated-stream', 'reset-mid-stream', 'malformed-sse'])(
    'is told of %s in its stream, which has no end',
    async (fault) => {
      const model = `command/fault-${fault}`
      const text = await (
        await ask('/v1/chat/completions', { model, messages, stream: true })
      ).text()
      expect(text).toMatch(/^data: \{"error"/m)
      expect(text).not.toContain('[DONE]')
    }
  )
})
