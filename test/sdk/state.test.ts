import { Anthropic } from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { OpenAI } from 'openai'

import { isRecord } from '../../src/std/record'
import { rejectionOf } from './sdks'
import { CLOCK, WEATHER } from './suite'
import { type Floor, startUpstreams, UPSTREAMS } from './upstreams'

let floor: Floor
beforeAll(async () => {
  floor = await startUpstreams()
})
afterAll(() => floor.stop())

const openai = () => new OpenAI({ baseURL: `${floor.url}/v1`, apiKey: floor.key, maxRetries: 0 })
const anthropic = () =>
  new Anthropic({ baseURL: `${floor.url}/anthropic`, apiKey: floor.key, maxRetries: 0 })

/**
 * What a provider demands back and a client has no place for. The simulator refuses with 400, as the providers
 * do, when it is missing: so a loop that reaches its answer has brought it.
 */
const DEMANDS = [
  { what: 'Gemini’s thought signatures', model: 'google/gemini-3-sim', prompt: 'Will it rain?' },
  { what: 'Gemini’s, with parallel calls', model: 'google/gemini-3-sim', prompt: 'In parallel?' },
  { what: 'DeepSeek’s reasoning', model: 'deepseek/deepseek-think', prompt: 'Will it rain?' },
  { what: 'Mistral’s short ids', model: 'mistral/mistral-sim', prompt: 'Will it rain?' },
  { what: 'Mistral’s, with parallel calls', model: 'mistral/mistral-sim', prompt: 'In parallel?' },
]

const WAYS = [
  { way: 'whole', streamed: false },
  { way: 'streamed', streamed: true },
]

describe.each(DEMANDS)('$what', ({ model, prompt }) => {
  describe.each(WAYS)('$way', ({ streamed }) => {
    test('outlive the tool loop of openai', async () => {
      const text = await runOpenai(model, prompt, streamed)
      expect(text).toContain('Rain until noon.')
    })

    test('outlive the tool loop of @anthropic-ai/sdk', async () => {
      const text = await runAnthropic(model, prompt, streamed)
      expect(text).toContain('Rain until noon.')
    })
  })
})

/** The loop as most applications write it: of the answer's message only what the API's reference names is kept. */
async function runOpenai(model: string, prompt: string, streamed: boolean): Promise<string> {
  const tools: OpenAI.ChatCompletionFunctionTool[] = [WEATHER, CLOCK].map((tool) => ({
    type: 'function',
    function: { ...tool, parameters: { ...tool.parameters } },
  }))
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: prompt }]
  const { completions } = openai().chat
  const ask = async () => {
    const request = { model, messages, tools }
    const completion = streamed
      ? await completions.stream(request).finalChatCompletion()
      : await completions.create(request)
    return completion.choices[0]?.message
  }
  const first = await ask()
  const calls = (first?.tool_calls ?? []).flatMap((call) => {
    if (call.type !== 'function') return []
    const { name, arguments: given } = call.function
    return [{ id: call.id, type: call.type, function: { name, arguments: given } }]
  })
  expect(calls.length).toBeGreaterThan(0)
  messages.push({ role: 'assistant', content: first?.content ?? null, tool_calls: calls })
  for (const { id } of calls)
    messages.push({ role: 'tool', tool_call_id: id, content: 'Rain until noon.' })
  return (await ask())?.content ?? ''
}

async function runAnthropic(model: string, prompt: string, streamed: boolean): Promise<string> {
  const tools = [WEATHER, CLOCK].map(({ name, description, parameters }) => ({
    name,
    description,
    input_schema: { ...parameters },
  }))
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: prompt }]
  const ask = () => {
    const request = { model, max_tokens: 1_024, messages, tools }
    const client = anthropic().messages
    return streamed ? client.stream(request).finalMessage() : client.create(request)
  }
  const first = await ask()
  const calls = first.content.flatMap((block) =>
    block.type === 'tool_use'
      ? [{ type: block.type, id: block.id, name: block.name, input: block.input }]
      : []
  )
  expect(calls.length).toBeGreaterThan(0)
  messages.push(
    { role: 'assistant', content: calls },
    {
      role: 'user',
      content: calls.map(({ id }) => ({
        type: 'tool_result',
        tool_use_id: id,
        content: 'Rain until noon.',
      })),
    }
  )
  const last = await ask()
  return last.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

describe('what a translation can’t say', () => {
  const request = {
    model: 'claude/sim-1',
    messages: [{ role: 'user' as const, content: 'Hello?' }],
    seed: 7,
  }

  test.each([false, true])('is told in x-tg-lossy; streamed: %p', async (stream) => {
    const asked = openai().chat.completions.create({ ...request, stream })
    const response = await asked.asResponse()
    expect(response.headers.get('x-tg-lossy')).toContain('seed')
    await response.body?.cancel()
  })

  test('stands in the log beside the request', async () => {
    const { response } = await openai().chat.completions.create(request).withResponse()
    const row = await floor.rowOf(response)
    expect(JSON.stringify(row)).toContain('seed')
  })

  test('is refused where the caller wants it all', async () => {
    const strict = { headers: { 'x-tg-require': 'strict' } }
    const before = floor.simulator.stats().requests
    const error = await rejectionOf(openai().chat.completions.create(request, strict))
    if (!(error instanceof OpenAI.BadRequestError)) throw error
    expect(error.param).toBe('seed')
    expect(error.message).toContain('seed')
    expect(floor.simulator.stats().requests).toBe(before)
  })

  test.each(UPSTREAMS)('is nothing in a plain request before %s', async (upstream) => {
    const strict = { headers: { 'x-tg-require': 'strict' } }
    const asked = openai().chat.completions.create(
      { model: `${upstream}/sim-1`, messages: request.messages },
      strict
    )
    const { data, response } = await asked.withResponse()
    expect(response.headers.get('x-tg-lossy')).toBeNull()
    expect(data.choices[0]?.message.content).toContain('Hello?')
  })

  test('goes through unharmed where the format has it', async () => {
    const { response } = await openai()
      .chat.completions.create({ ...request, model: 'google/sim-1' })
      .withResponse()
    expect(response.headers.get('x-tg-lossy')).toBeNull()
    const { body } = floor.lastSent()
    const config = isRecord(body) ? body.generationConfig : undefined
    expect(config).toMatchObject({ seed: 7 })
  })
})

/** Each takes over a history whose calls were another's, with ids and without the state that it wants. */
const TRAVEL = [
  'chat/sim-1',
  'mistral/mistral-sim',
  'google/gemini-3-sim',
  'deepseek/deepseek-think',
  'claude/sim-1',
  'bedrock/sim-1',
  'responses/sim-1',
  'google/gemini-3-sim',
]

test.each([TRAVEL, TRAVEL.toReversed()])(
  'a conversation goes on with models of other formats, from %s',
  async (...models) => {
    const tools = [
      {
        type: 'function' as const,
        function: { ...WEATHER, parameters: { ...WEATHER.parameters } },
      },
    ]
    const messages: OpenAI.ChatCompletionMessageParam[] = []
    const ask = async (model: string) => {
      const { choices } = await openai().chat.completions.create({ model, messages, tools })
      const message = choices[0]?.message
      if (message === undefined) throw new Error('there is no choice')
      messages.push(message)
      return message
    }
    for (const [day, model] of models.entries()) {
      messages.push({ role: 'user', content: `Will it rain on day ${day}?` })
      const { tool_calls: calls = [] } = await ask(model)
      expect(calls).toHaveLength(1)
      for (const { id } of calls)
        messages.push({ role: 'tool', tool_call_id: id, content: `Dry on day ${day}.` })
      // The answer is another's than the call, too.
      const { content } = await ask(models[day + 1] ?? model)
      expect(content).toContain(`Dry on day ${day}.`)
    }
  }
)
