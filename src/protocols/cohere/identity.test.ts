import { describe, expect, test } from 'bun:test'
import type { Generation } from '../generation'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { cohereChat } from './cohere'
import { answerOf, CALL, CITED, CONTEXT } from './fixtures/cohere'

const TOOL = {
  function: { parameters: { type: 'object' }, name: 'get_weather' },
  type: 'function',
  'x-host': 1,
}

/** Everything at once, in an order of its own. */
const BODY: JsonObject = {
  stream: true,
  messages: [
    { content: 'Be brief.', role: 'system' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Look.' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
        { type: 'hologram', of: 'a toll' },
      ],
    },
    {
      role: 'assistant',
      tool_plan: 'I will look it up.',
      tool_calls: [CALL, { ...CALL, id: 'get_weather_2' }],
      citations: [{ ...CITED, type: 'PLAN' }],
    },
    { role: 'tool', tool_call_id: 'get_weather_1', content: 'warm' },
    {
      role: 'tool',
      tool_call_id: 'get_weather_2',
      content: [{ type: 'document', document: { id: '7', data: { sky: 'blue' } } }],
    },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Hm.' },
        { type: 'text', text: 'The toll is due.' },
      ],
      citations: [CITED, { ...CITED, type: 'THINKING_CONTENT' }],
    },
    { role: 'user', content: 'Again.' },
  ],
  model: 'command-a',
  tools: [TOOL],
  strict_tools: true,
  tool_choice: 'REQUIRED',
  documents: ['A toll is a fee.', { id: 'b', data: { text: 'Gates are opened.' } }],
  citation_options: { mode: 'FAST' },
  safety_mode: 'STRICT',
  response_format: { json_schema: { type: 'object' }, type: 'json_object' },
  thinking: { type: 'enabled', token_budget: 50 },
  stop_sequences: ['a', 'b', 'c', 'd', 'e', 'f'],
  p: 1,
  k: 900,
  frequency_penalty: 2,
  logprobs: true,
  seed: null,
  priority: 3,
  tomorrow: { is: 'new' },
}

function write(generation: Generation, stream = true) {
  const losses = new Losses()
  const target = { model: 'upstream-model', stream }
  return { body: cohereChat.chat.renderGeneration(generation, target, losses), losses: losses.list }
}

const read = () => cohereChat.chat.parseGeneration(structuredClone(BODY), {})

describe('a request to its own format', () => {
  test('is what it was, key for key, but for the model', () => {
    const { body, losses } = write(read())
    expect(JSON.stringify(body)).toBe(JSON.stringify({ ...BODY, model: 'upstream-model' }))
    expect(losses).toEqual([])
  })

  test('streams as it is told to', () => {
    expect(write(read(), false).body.stream).toBe(false)
  })

  test('changes where a turn was edited, and nowhere else', () => {
    const generation = read()
    generation.messages = generation.messages.map((message, index) =>
      index === 4
        ? {
            role: message.role,
            parts: message.parts.map((part) =>
              part.type === 'text' ? { ...part, text: 'It is due.', source: undefined } : part
            ),
          }
        : message
    )
    const { body, losses } = write(generation)
    const messages = structuredClone(BODY.messages)
    if (!Array.isArray(messages)) throw new Error('no messages')
    messages[5] = {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Hm.' },
        { type: 'text', text: 'It is due.' },
      ],
      citations: [CITED, { ...CITED, type: 'THINKING_CONTENT' }],
    }
    expect(body).toEqual({ ...BODY, model: 'upstream-model', messages })
    expect(losses).toEqual([])
  })

  test('changes where a setting, a tool or an extra was edited', () => {
    const generation = read()
    generation.maxTokens = 9
    generation.topK = undefined
    generation.tools = [...generation.tools, { type: 'function', name: 'get_time' }]
    generation.extras = { ...generation.extras, priority: undefined, documents: [] }
    const { body } = write(generation)
    expect(body).toMatchObject({ max_tokens: 9, p: 1, documents: [], tool_choice: 'REQUIRED' })
    expect(body).not.toHaveProperty('k')
    expect(body).not.toHaveProperty('priority')
    expect(body.tools).toMatchObject([TOOL, { function: { name: 'get_time' } }])
  })
})

test('a whole answer to its own format is what it was', () => {
  const answer = answerOf(
    {
      tool_plan: 'I look.',
      tool_calls: [CALL],
      citations: [{ ...CITED, type: 'PLAN' }],
      content: [{ type: 'thinking', thinking: '' }],
    },
    {
      finish_reason: 'TOOL_CALL',
      logprobs: [{ text: 'I', token_ids: [1], logprobs: [-0.1] }],
      x: 1,
    }
  )
  const losses = new Losses()
  const told = cohereChat.chat.renderChatAnswer(
    cohereChat.chat.parseChatAnswer(structuredClone(answer)),
    CONTEXT,
    losses
  )
  expect(JSON.stringify(told)).toBe(JSON.stringify(answer))
  expect(losses.list).toEqual([])
})
