import { LLMock } from '@copilotkit/aimock'
import Anthropic from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import OpenAI from 'openai'

import { type Harness, startHarness } from '../harness'

// An upstream that shares no code with the gateway: what its formats look like is somebody else's reading.

const UPSTREAMS = ['chat', 'responses', 'claude', 'google', 'bedrock'] as const
const ANSWER = 'A gate where a toll is taken.'
const TOOL = { name: 'weather', arguments: '{"city":"Oslo"}' }

const PARAMETERS = {
  type: 'object' as const,
  properties: { city: { type: 'string' } },
  required: ['city'],
}

describe('a foreign upstream', () => {
  const mock = new LLMock({ port: 0 })
  let harness: Harness

  beforeAll(async () => {
    mock.onMessage('tollgate', { content: ANSWER })
    mock.onMessage('weather', { toolCalls: [TOOL] })
    await mock.start()
    const host = { api_key: '${FOREIGN_KEY}', model_list: false }
    process.env['FOREIGN_KEY'] = 'mock'
    harness = await startHarness({
      providers: {
        chat: { ...host, type: 'openai', base_url: `${mock.url}/v1` },
        responses: {
          ...host,
          type: 'openai',
          base_url: `${mock.url}/v1`,
          protocols: ['openai-responses'],
        },
        claude: { ...host, type: 'anthropic', base_url: mock.url },
        google: { ...host, type: 'gemini', base_url: mock.url },
        bedrock: { ...host, type: 'bedrock', base_url: mock.url },
      },
    })
  })
  afterAll(async () => {
    await harness.stop()
    await mock.stop()
  })

  const openai = () =>
    new OpenAI({ baseURL: `${harness.gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
  const anthropic = () =>
    new Anthropic({ baseURL: harness.gateway.url, apiKey: 'none', maxRetries: 0 })

  describe.each([...UPSTREAMS])('%s', (upstream) => {
    const model = `${upstream}/some-model`
    const ask = (content: string) => [{ role: 'user' as const, content }]

    test('answers OpenAI’s SDK, whole and streamed', async () => {
      const messages = ask('What is a tollgate?')
      const whole = await openai().chat.completions.create({ model, messages })
      expect(whole.choices[0]?.message.content).toBe(ANSWER)
      const stream = openai().chat.completions.stream({ model, messages })
      expect(await stream.finalContent()).toBe(ANSWER)
    })

    test('answers Anthropic’s SDK, whole and streamed', async () => {
      const request = { model, max_tokens: 100, messages: ask('What is a tollgate?') }
      const whole = await anthropic().messages.create(request)
      expect(whole.content).toMatchObject([{ type: 'text', text: ANSWER }])
      const message = await anthropic().messages.stream(request).finalMessage()
      expect(message.content).toMatchObject([{ type: 'text', text: ANSWER }])
    })

    test('calls a tool, whole and streamed', async () => {
      const messages = ask('How is the weather?')
      const tools = [
        { type: 'function' as const, function: { name: TOOL.name, parameters: PARAMETERS } },
      ]
      const whole = await openai().chat.completions.create({ model, messages, tools })
      const called = { function: TOOL }
      expect(whole.choices[0]?.message.tool_calls).toMatchObject([called])
      const stream = openai().chat.completions.stream({ model, messages, tools })
      expect((await stream.finalMessage()).tool_calls).toMatchObject([called])
    })
  })
})
