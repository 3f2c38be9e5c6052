import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../json'
import { openaiChatHalves } from './chat-halves'
import { FUNCTION, PDF, read, text, turn, user, write } from './fixtures/chat'

const { parseGeneration } = openaiChatHalves

describe('a request of this format', () => {
  const body: JsonObject = {
    stream: true,
    temperature: 1.0,
    messages: [
      { role: 'developer', content: 'be brief', name: 'ops' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'look', cache_control: { type: 'ephemeral', ttl: '1h' } },
          { type: 'image_url', image_url: { url: 'https://x.test/a.png', detail: 'low' } },
          { type: 'video_url', video_url: { url: 'https://x.test/a.mp4' } },
          { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
          {
            type: 'file',
            file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${PDF}` },
          },
          { type: 'hologram', hologram: [1] },
        ],
      },
      {
        role: 'assistant',
        content: null,
        reasoning_content: '',
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'f', arguments: '{ "x": 1.0 }' } },
          { id: 'b', type: 'custom', custom: { name: 'g', input: 'text' } },
        ],
      },
      { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: 'B' }] },
      { content: 'A', role: 'tool', tool_call_id: 'a', name: 'f' },
      { role: 'assistant', content: '', audio: { id: 'audio_1' } },
      { role: 'user', content: '', name: 'zoë' },
    ],
    model: 'gpt-x',
    tools: [
      { type: 'function', function: { name: 'f' } },
      { type: 'custom', custom: { name: 'g', format: { type: 'text' } } },
      { type: 'browser_search' },
    ],
    tool_choice: { type: 'something_new' },
    max_tokens: 5,
    response_format: { type: 'grammar', grammar: 'x' },
    logit_bias: { '50256': -100 },
    web_search_options: {},
    stop: 'x',
    user: null,
    top_k: 4,
    service_tier: 'on_demand',
    reasoning: { effort: 'low', exclude: true },
  }

  test('leaves with its members in their order, but for the model', () => {
    const { body: written, losses } = write(parseGeneration(body, {}), true)
    expect(JSON.stringify(written)).toBe(JSON.stringify({ ...body, model: 'up' }))
    expect(losses).toEqual([])
  })

  test('asks for a stream with its usage, or for none', () => {
    const whole = read({ stream_options: { include_obfuscation: false } })
    expect(write(whole, true).body).toMatchObject({
      stream: true,
      stream_options: { include_obfuscation: false, include_usage: true },
    })
    const streamed = read({ stream: true, stream_options: { include_usage: true } })
    expect(streamed).toMatchObject({ stream: true, includesUsage: true })
    expect(write(streamed, false).body).toEqual({ model: 'up', messages: [user], stream: false })
  })

  test('changes where it was edited, and nowhere else', () => {
    const generation = parseGeneration(body, {})
    generation.temperature = undefined
    generation.maxTokens = 9
    generation.extras.logit_bias = undefined
    generation.messages.push(turn('user', text('more')))
    generation.tools.push(FUNCTION)
    const { body: written } = write(generation, true)
    const { temperature: _, max_tokens: __, logit_bias: ___, ...rest } = body
    expect<unknown>(written).toEqual({
      ...rest,
      model: 'up',
      max_completion_tokens: 9,
      messages: [
        ...generation.messages.slice(0, 3).map(({ source }) => source?.json),
        ...[3, 4, 5, 6].map((at) => (Array.isArray(body.messages) ? body.messages[at] : null)),
        { role: 'user', content: 'more' },
      ],
      tools: [
        ...(Array.isArray(body.tools) ? body.tools : []),
        {
          type: 'function',
          function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true },
        },
      ],
    })
  })

  test('has its functions among the tools once there are others', () => {
    const generation = read({ functions: [{ name: 'g' }], function_call: { name: 'g' } })
    generation.tools.push({ type: 'function', name: 'h' })
    expect<unknown>(write(generation).body).toEqual({
      model: 'up',
      messages: [user],
      tools: [
        { type: 'function', function: { name: 'g' } },
        { type: 'function', function: { name: 'h' } },
      ],
      tool_choice: { type: 'function', function: { name: 'g' } },
    })
  })

  test('keeps the parts of a message that was edited', () => {
    const generation = parseGeneration(body, {})
    const [, asked, called, , spoken] = generation.messages
    for (const message of [asked, called, spoken]) delete message?.source
    const [first] = asked?.parts ?? []
    if (first?.type !== 'text') throw new Error('no text')
    asked?.parts.splice(0, 1, { type: 'text', text: '***' })
    const { body: written, losses } = write(generation, true)
    const messages = Array.isArray(body.messages) ? body.messages : []
    expect<unknown>(written.messages).toMatchObject([
      {},
      { content: [{ type: 'text', text: '***' }, {}, {}, {}, {}, { hologram: [1] }] },
      messages[2],
      {},
      {},
      { role: 'assistant', content: null, audio: { id: 'audio_1' } },
      {},
    ])
    expect(losses).toEqual([])
  })
})
