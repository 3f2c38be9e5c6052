import { CohereClientV2, CohereError } from 'cohere-ai'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'

import { type Floor, startUpstreams, UPSTREAMS } from './upstreams'

const TOOLS = [
  {
    type: 'function' as const,
    function: {
      name: 'weather',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
]

describe('cohere-ai', () => {
  let floor: Floor
  const client = (token = floor.key) =>
    new CohereClientV2({ token, environment: `${floor.url}/cohere`, maxRetries: 0 })

  beforeAll(async () => {
    floor = await startUpstreams()
  })
  afterAll(() => floor.stop())

  const ask = (model: string) => ({ model, messages: [{ role: 'user' as const, content: 'Hi' }] })

  describe.each([...UPSTREAMS])('before %s', (upstream) => {
    const model = `${upstream}/sim-1`

    test('a text, in pieces that make up the whole one', async () => {
      const whole = await client().chat(ask(model))
      const [content] = whole.message.content ?? []
      const text = content?.type === 'text' ? content.text : ''
      expect(text).not.toBe('')
      expect(whole.finishReason).toBe('COMPLETE')
      expect(whole.usage?.tokens?.outputTokens).toBeGreaterThan(0)
      let streamed = ''
      let end = ''
      for await (const event of await client().chatStream(ask(model))) {
        if (event.type === 'content-delta') streamed += event.delta?.message?.content?.text ?? ''
        if (event.type === 'message-end') end = event.delta?.finishReason ?? ''
      }
      expect([streamed, end]).toEqual([text, 'COMPLETE'])
    })

    test('a call, its result and the answer to that', async () => {
      const first = await client().chat({ ...ask(model), tools: TOOLS })
      expect(first.finishReason).toBe('TOOL_CALL')
      const [call] = first.message.toolCalls ?? []
      expect(call?.function?.name).toBe('weather')
      const last = await client().chat({
        model,
        tools: TOOLS,
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', toolCalls: first.message.toolCalls ?? [] },
          {
            role: 'tool',
            toolCallId: call?.id ?? '',
            content: [{ type: 'document', document: { data: { weather: 'rain' } } }],
          },
        ],
      })
      expect(last.finishReason).toBe('COMPLETE')
      expect(JSON.stringify(last.message.content)).toContain('rain')
    })
  })

  test.each([
    ['an unknown key', 'sk-tg-unknown', 'chat/sim-1', 401],
    ['an unknown model', undefined, 'nobody', 404],
    ['a throttled host', undefined, 'claude/fault-error-429', 429],
  ])('%s is its typed error', async (_name, token, model, status) => {
    const failure = await client(token)
      .chat(ask(model))
      .then(
        () => undefined,
        (error: unknown) => error
      )
    expect(failure).toBeInstanceOf(CohereError)
    expect(failure).toMatchObject({ statusCode: status })
  })
})
