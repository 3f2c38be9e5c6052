import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import OpenAI, { APIError, BadRequestError } from 'openai'
import OpenAI6, { RateLimitError } from 'openai-6'
import { z } from 'zod'
import { createSimulator, type Simulator } from '../simulator'

let simulator: Simulator
let openai: OpenAI
beforeAll(() => {
  simulator = createSimulator()
  openai = new OpenAI({ apiKey: 'any', baseURL: `${simulator.url}/v1`, maxRetries: 0 })
})
afterAll(() => simulator.stop())

/** What a call of the SDK, whose promises are of its own kind, failed with. */
async function failureOf(call: PromiseLike<unknown>): Promise<unknown> {
  try {
    await call
  } catch (error) {
    return error
  }
  throw new Error('the call was answered')
}

const user = (content: string) => ({ role: 'user' as const, content })

const weather: OpenAI.Chat.ChatCompletionTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { enum: ['c', 'f'] } },
      required: ['city', 'unit'],
    },
  },
}
const clock: OpenAI.Chat.ChatCompletionTool = {
  type: 'function',
  function: { name: 'get_time', parameters: { type: 'object', properties: {} } },
}
const argumentsSchema = z.strictObject({ city: z.string(), unit: z.enum(['c', 'f']) })

describe('whole', () => {
  test('quotes the last message and reports usage that adds up', async () => {
    const answer = await openai.chat.completions.create({
      model: 'sim-1',
      messages: [user('First.'), user('What is a toll?')],
    })
    const [choice] = answer.choices
    expect(choice?.message.content).toContain('“What is a toll?”')
    expect(choice?.finish_reason).toBe('stop')
    const { usage } = answer
    expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0))
    expect(usage?.prompt_tokens_details?.cached_tokens).toBe(0)
    expect(answer.model).toBe('sim-1')
  })

  test('max_tokens, max_completion_tokens and stop end it', async () => {
    const ask = (more: object) =>
      openai.chat.completions.create({ model: 'sim-1', messages: [user('Hi')], ...more })
    for (const limit of [{ max_tokens: 3 }, { max_completion_tokens: 3 }]) {
      const cut = await ask(limit)
      expect(cut.choices[0]?.finish_reason).toBe('length')
      expect(cut.choices[0]?.message.content).toBe('You said: “Hi”.')
      expect(cut.usage?.completion_tokens).toBe(3)
    }
    const stopped = await ask({ stop: ['simulator', ' This'] })
    expect(stopped.choices[0]?.message.content).toBe('You said: “Hi”.')
    expect(stopped.choices[0]?.finish_reason).toBe('stop')
  })

  test('n gives choices that differ', async () => {
    const { choices } = await openai.chat.completions.create({
      model: 'sim-1',
      messages: [user('Hi')],
      n: 3,
    })
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2])
    expect(new Set(choices.map(({ message }) => message.content)).size).toBe(3)
  })

  test('a part list is read for its text; a bad field is a typed error that names it', async () => {
    const parts = [{ type: 'text' as const, text: 'In parts' }]
    const answer = await openai.chat.completions.create({
      model: 'sim-1',
      messages: [{ role: 'user', content: parts }],
    })
    expect(answer.choices[0]?.message.content).toContain('In parts')
    const refused = openai.chat.completions.create({ model: 'sim-1', messages: [], n: 1 })
    const failure = await failureOf(refused)
    expect(failure).toBeInstanceOf(BadRequestError)
    expect(failure).toMatchObject({ param: 'messages', status: 400 })
  })
})

describe('streamed', () => {
  test('the stream helper puts the same answer together', async () => {
    const request = { model: 'sim-1', messages: [user('Say it twice.')], n: 2 }
    const whole = await openai.chat.completions.create(request)
    const streamed = await openai.chat.completions
      .stream({ ...request, stream_options: { include_usage: true } })
      .finalChatCompletion()
    const contents = (answer: OpenAI.Chat.ChatCompletion) =>
      answer.choices.map(({ message, finish_reason }) => [message.content, finish_reason])
    expect(contents(streamed)).toEqual(contents(whole))
    expect(streamed.usage).toEqual(whole.usage)
  })

  test('frames are as a provider writes them', async () => {
    const read = async (options: object) => {
      const response = await fetch(`${simulator.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'sim-1', stream: true, messages: [user('Hi')], ...options }),
      })
      expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
      return (await response.text()).split('\n\n')
    }
    const asked = await read({ stream_options: { include_usage: true }, max_tokens: 2 })
    expect(asked[0]).toMatch(
      /^data: \{"id":"chatcmpl-sim-[0-9a-f]{16}","object":"chat.completion.chunk","created":\d+,"model":"sim-1","service_tier":"default","system_fingerprint":"fp_simulator","choices":\[\{"index":0,"delta":\{"role":"assistant","content":"","refusal":null\},"logprobs":null,"finish_reason":null\}\],"usage":null\}$/
    )
    expect(asked[1]).toContain('"delta":{"content":"You"}')
    expect(asked[3]).toContain('"delta":{},"logprobs":null,"finish_reason":"length"')
    expect(asked[4]).toContain('"choices":[],"usage":{"prompt_tokens":')
    expect(asked.slice(5)).toEqual(['data: [DONE]', ''])
    expect((await read({})).join()).not.toContain('"usage"')
  })
})

describe('tools', () => {
  const request = { model: 'sim-1', messages: [user('How warm is it?')], tools: [weather, clock] }

  test('the first is called with arguments that fit, and its result is answered', async () => {
    const called = await openai.chat.completions.create(request)
    const [choice] = called.choices
    expect(choice?.finish_reason).toBe('tool_calls')
    expect(choice?.message.content).toBeNull()
    const [call] = choice?.message.tool_calls ?? []
    if (!choice || call?.type !== 'function') throw new Error('no function was called')
    expect(call.function.name).toBe('get_weather')
    expect(argumentsSchema.safeParse(JSON.parse(call.function.arguments)).success).toBe(true)
    const result = { role: 'tool' as const, tool_call_id: call.id, content: '21 degrees' }
    const final = await openai.chat.completions.create({
      ...request,
      messages: [...request.messages, choice.message, result],
    })
    expect(final.choices[0]?.message.content).toContain('21 degrees')
    expect(final.choices[0]?.finish_reason).toBe('stop')
  })

  test('one may be forced, none may be allowed, an unknown one is refused', async () => {
    const forced = await openai.chat.completions.create({
      ...request,
      tool_choice: { type: 'function', function: { name: 'get_time' } },
    })
    expect(forced.choices[0]?.message.tool_calls?.[0]).toMatchObject({
      function: { name: 'get_time', arguments: '{}' },
    })
    const none = await openai.chat.completions.create({ ...request, tool_choice: 'none' })
    expect(none.choices[0]?.message.tool_calls).toBeUndefined()
    const unknown = openai.chat.completions.create({
      ...request,
      tool_choice: { type: 'function', function: { name: 'missing' } },
    })
    expect(await failureOf(unknown)).toBeInstanceOf(BadRequestError)
  })

  test('parallel calls stream in fragments that the helper joins', async () => {
    const parallel = { ...request, messages: [user('Please call twice.')] }
    let fragments = 0
    const stream = openai.chat.completions.stream(parallel)
    stream.on('tool_calls.function.arguments.delta', () => fragments++)
    const streamed = await stream.finalChatCompletion()
    const whole = await openai.chat.completions.create(parallel)
    const calls = streamed.choices[0]?.message.tool_calls ?? []
    expect(calls.map((call) => call.type === 'function' && call.function.name)).toEqual([
      'get_weather',
      'get_time',
    ])
    expect(calls).toMatchObject(whole.choices[0]?.message.tool_calls ?? [])
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2)
    expect(fragments).toBeGreaterThan(3)
    const one = await openai.chat.completions.create({ ...parallel, parallel_tool_calls: false })
    expect(one.choices[0]?.message.tool_calls).toHaveLength(1)
  })
})

test('JSON mode gives an object, and one that fits its schema', async () => {
  const ask = async (format: object) => {
    const { choices } = await openai.chat.completions.create({
      model: 'sim-1;tokens=500',
      messages: [user('Describe a city.')],
      ...format,
    })
    return JSON.parse(choices[0]?.message.content ?? '')
  }
  expect(await ask({ response_format: { type: 'json_object' } })).toMatchObject({
    answer: expect.stringContaining('Describe a city.'),
  })
  const city = z.strictObject({ name: z.string(), people: z.int().min(1000), river: z.boolean() })
  const schema = { name: 'city', strict: true, schema: z.toJSONSchema(city) }
  const described = await ask({ response_format: { type: 'json_schema', json_schema: schema } })
  expect(city.safeParse(described).error).toBeUndefined()
})

test('the SDK of the major before reads it too, errors as their classes', async () => {
  const older = new OpenAI6({ apiKey: 'any', baseURL: `${simulator.url}/v1`, maxRetries: 0 })
  const stream = await older.chat.completions.create({
    model: 'sim-1',
    messages: [user('Hi')],
    stream: true,
  })
  let text = ''
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
  expect(text).toContain('“Hi”')
  const limited = older.chat.completions.create({
    model: 'fault-error-429',
    messages: [user('Hi')],
  })
  expect(await failureOf(limited)).toBeInstanceOf(RateLimitError)
  const failing = openai.chat.completions
    .stream({ model: 'fault-error-mid-stream', messages: [user('Hi')] })
    .finalChatCompletion()
  expect(await failureOf(failing)).toBeInstanceOf(APIError)
})
