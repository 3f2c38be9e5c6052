import { describe, expect, test } from 'bun:test'
import type { Generation } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { PNG } from './fixtures/ollama'
import { ollamaChat } from './ollama'

const read = (said: JsonObject) =>
  ollamaChat.chat.parseGeneration({ model: 'm', messages: [], ...said }, {})

/** What the turns hold, without what they were read from. */
const turns = (messages: JsonValue[]): unknown =>
  JSON.parse(
    JSON.stringify(read({ messages }).messages, (key, value: unknown) =>
      key === 'source' ? undefined : value
    )
  )

const call = (name: string, more: JsonObject = {}): JsonObject => ({
  function: { name, arguments: { a: 1 } },
  ...more,
})

describe('a turn', () => {
  test('of thoughts, text, images and calls', () => {
    const message = {
      role: 'assistant',
      content: 'Look.',
      thinking: 'Hm.',
      images: [PNG, 'AAAA'],
      tool_calls: [call('look', { id: 'given' }), call('look')],
    }
    const called = { type: 'tool_call', name: 'look', arguments: '{"a":1}' }
    const image = { type: 'media', media: 'image' }
    expect(turns([message])).toEqual([
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'Hm.' },
          { type: 'text', text: 'Look.' },
          { ...image, data: { base64: PNG }, mimeType: 'image/png' },
          { ...image, data: { base64: 'AAAA' } },
          { ...called, id: 'given' },
          { ...called, id: 'call_0_1' },
        ],
      },
    ])
  })

  test.each([
    [PNG, 'image/png'],
    ['/9j/4AAQSkZJRg==', 'image/jpeg'],
    ['R0lGODlhAQABAA==', 'image/gif'],
    ['UklGRiQAAABXRUJQVlA4', 'image/webp'],
    // RIFF too, but sound.
    ['UklGRiQAAABXQVZFZm10', undefined],
  ])('with the image %s of %p', (base64, mimeType) => {
    const [message] = read({ messages: [{ role: 'user', images: [base64] }] }).messages
    expect(message?.parts[0]).toHaveProperty('data', { base64 })
    expect(JSON.parse(JSON.stringify(message?.parts[0]))['mimeType']).toBe(mimeType)
  })

  test('may write its role in capitals, as the server has it', () => {
    expect(turns([{ role: 'System', content: 'Be brief.' }])).toEqual([
      { role: 'system', parts: [{ type: 'text', text: 'Be brief.' }] },
    ])
  })

  test('may have arguments that are text already', () => {
    const tool_calls = [{ function: { name: 'look', arguments: '{"a":' } }]
    const [message] = read({ messages: [{ role: 'assistant', tool_calls }] }).messages
    expect(message?.parts).toMatchObject([{ type: 'tool_call', arguments: '{"a":' }])
  })
})

describe('results find their calls', () => {
  const asked = { role: 'assistant', content: '', tool_calls: [call('a'), call('b'), call('a')] }
  const result = (more: JsonObject) => ({ role: 'tool', content: 'done', ...more })
  const answered = (...messages: JsonValue[]) =>
    read({ messages }).messages.flatMap(({ parts }) =>
      parts.flatMap((part) => (part.type === 'tool_result' ? [[part.callId, part.name]] : []))
    )

  test('by name, the oldest without a result first', () => {
    const results = ['a', 'b', 'a'].map((tool_name) => result({ tool_name }))
    expect(answered(asked, ...results)).toEqual([
      ['call_0_0', 'a'],
      ['call_0_1', 'b'],
      ['call_0_2', 'a'],
    ])
  })

  test('by id, which tells the name too', () => {
    const byId = { role: 'assistant', tool_calls: [call('a', { id: 'x' }), call('b', { id: 'y' })] }
    const results = [result({ tool_call_id: 'y' }), result({ tool_call_id: 'x' })]
    expect(answered(byId, ...results)).toEqual([
      ['y', 'b'],
      ['x', 'a'],
    ])
  })

  test('or stand alone, with a name of their own', () => {
    expect(answered(result({}), result({ tool_name: 'a' }))).toEqual([
      ['call_0', undefined],
      ['call_1', 'a'],
    ])
  })

  test('and may show images', () => {
    const [message] = read({ messages: [result({ images: [PNG] })] }).messages
    expect(message).toMatchObject({
      role: 'user',
      parts: [{ parts: [{ text: 'done' }, { type: 'media', data: { base64: PNG } }] }],
    })
  })
})

test.each<[JsonObject, Partial<Generation>]>([
  [{}, { stream: true, includesUsage: true, extras: {} }],
  [{ stream: null }, { stream: true }],
  [{ stream: false }, { stream: false }],
  [{ think: true }, { reasoning: { enabled: true } }],
  [{ think: false }, { reasoning: { enabled: false } }],
  [{ think: 'max' }, { reasoning: { enabled: true, effort: 'max' } }],
  [{ format: 'json' }, { format: { type: 'json' } }],
  [{ format: { type: 'object' } }, { format: { type: 'schema', schema: { type: 'object' } } }],
  [
    { logprobs: true, top_logprobs: 3 },
    { logprobs: true, topLogprobs: 3 },
  ],
  [
    { options: { temperature: 0, top_p: 0.5, top_k: 4, seed: 7, num_predict: 9, stop: 'END' } },
    { temperature: 0, topP: 0.5, topK: 4, seed: 7, maxTokens: 9, stop: ['END'], extras: {} },
  ],
  [
    { options: { presence_penalty: 1, frequency_penalty: 2, stop: ['a', 'b'] } },
    { presencePenalty: 1, frequencyPenalty: 2, stop: ['a', 'b'] },
  ],
  [
    { keep_alive: '5m', options: { num_ctx: 9, min_p: 0.1, repeat_penalty: 1.1 } },
    {
      extras: {
        keep_alive: '5m',
        'options.num_ctx': 9,
        'options.min_p': 0.1,
        'options.repeat_penalty': 1.1,
      },
    },
  ],
])('%j means %j', (said, expected) => {
  expect(read(said)).toMatchObject(expected)
})

test.each<JsonObject>([{ format: '' }, { format: null }, { options: { num_predict: -1 } }, {}])(
  '%j asks for nothing',
  (said) => {
    const { format, maxTokens, reasoning, stop } = read(said)
    expect([format, maxTokens, reasoning, stop]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  }
)

test.each<[JsonObject, string]>([
  [{ model: '' }, 'model'],
  [{ messages: 'Hi' }, 'messages'],
  [{ messages: ['Hi'] }, 'messages.0'],
  [{ messages: [{ role: 'judge', content: 'Hi' }] }, 'messages.0.role'],
  [{ messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 'messages.0.content'],
  [{ messages: [{ role: 'user', images: [1] }] }, 'messages.0.images'],
  [{ messages: [{ role: 'assistant', tool_calls: [{}] }] }, 'messages.0.tool_calls.0'],
  [{ tools: [{ type: 'function' }] }, 'tools.0'],
  [{ format: 'xml' }, 'format'],
])('%j is refused, and says where', (said, param) => {
  expect(() => read(said)).toThrow(expect.objectContaining({ code: 'invalid_request', param }))
})
