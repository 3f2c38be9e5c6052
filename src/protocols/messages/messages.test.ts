import { describe, expect, test } from 'bun:test'
import { GatewayError } from '../../errors/gateway-error'
import { accumulate } from '../accumulate'
import type { FinishReason } from '../answer'
import type { AnswerContext } from '../chat-protocol'
import type { Generation, Message } from '../generation'
import type { JsonObject } from '../json'
import { Losses, renderLosses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { anthropicCount, anthropicMessages } from './messages'

const { chat, client, upstream } = anthropicMessages

const encode = (text: string) => new TextEncoder().encode(text)

function generation(more: Partial<Generation> = {}): Generation {
  return {
    model: 'm',
    stream: false,
    includesUsage: true,
    messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }],
    tools: [],
    extras: {},
    source: { protocol: 'openai-chat', json: null },
    ...more,
  }
}

function told(more: Partial<Generation>): { body: JsonObject; lost: string } {
  const losses = new Losses()
  const body = chat.renderGeneration(generation(more), { model: 'c', stream: false }, losses)
  return { body, lost: renderLosses(losses.list) }
}

const TOOLS: Generation['tools'] = [{ type: 'function', name: 'weather' }]

describe('a request to this format', () => {
  test.each<[string, Partial<Generation>, JsonObject, string]>([
    ['no limit', {}, { max_tokens: 4_096 }, ''],
    ['a temperature beyond 1', { temperature: 1.5 }, { temperature: 1 }, 'temperature;clamped'],
    ['a seed', { seed: 1 }, {}, 'seed;dropped'],
    ['a wish to be kept', { store: true }, {}, 'store;dropped'],
    ['no wish to be kept', { store: false }, {}, ''],
    ['a user', { user: 'u' }, { metadata: { user_id: 'u' } }, ''],
    ['two answers', { choices: 2 }, {}, 'n;dropped'],
    ['stops', { stop: ['END'] }, { stop_sequences: ['END'] }, ''],
    ['any JSON', { format: { type: 'json' } }, {}, 'response_format;dropped'],
    [
      'a schema',
      { format: { type: 'schema', schema: { type: 'object' } } },
      { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
      '',
    ],
    [
      'an effort',
      { reasoning: { effort: 'low' } },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'low' }, max_tokens: 4_096 },
      '',
    ],
    [
      'an effort that it does not know',
      { reasoning: { effort: 'minimal' } },
      { output_config: { effort: 'low' } },
      'reasoning_effort;rewritten',
    ],
    [
      'a budget',
      { reasoning: { budgetTokens: 2_000 } },
      { thinking: { type: 'enabled', budget_tokens: 2_000 }, max_tokens: 6_096 },
      '',
    ],
    [
      'a budget beyond the limit',
      { reasoning: { budgetTokens: 9_000 }, maxTokens: 2_000 },
      { thinking: { type: 'enabled', budget_tokens: 1_999 } },
      'reasoning;clamped',
    ],
    [
      'a budget without room',
      { reasoning: { budgetTokens: 9_000 }, maxTokens: 500 },
      {},
      'reasoning;dropped',
    ],
    ['no thoughts', { reasoning: { enabled: false } }, { thinking: { type: 'disabled' } }, ''],
    [
      'a forced call',
      { tools: TOOLS, toolChoice: { type: 'required' } },
      { tool_choice: { type: 'any' } },
      '',
    ],
    [
      'a forced call of a model that thinks',
      { tools: TOOLS, toolChoice: { type: 'required' }, reasoning: { enabled: true } },
      { tool_choice: { type: 'auto' }, thinking: { type: 'adaptive' } },
      'tool_choice;rewritten',
    ],
    [
      'one call at a time',
      { tools: TOOLS, parallelToolCalls: false },
      { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
      '',
    ],
    ['a member of another format', { extras: { logit_bias: {} } }, {}, 'logit_bias;dropped'],
  ])('says %s', (_name, more, members, lost) => {
    const request = told(more)
    expect(request.body).toMatchObject(members)
    expect(request.lost).toBe(lost)
  })

  test.each<[string, Message[], unknown, string]>([
    [
      'joins turns of one role',
      [
        { role: 'user', parts: [{ type: 'text', text: 'a' }] },
        { role: 'user', parts: [{ type: 'text', text: 'b' }] },
      ],
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
      '',
    ],
    [
      'puts results before what else the user says',
      [
        {
          role: 'assistant',
          parts: [{ type: 'tool_call', id: 'a b', name: 'f', arguments: '{"x":1}' }],
        },
        {
          role: 'user',
          parts: [
            { type: 'text', text: 'so' },
            { type: 'tool_result', callId: 'a b', parts: [{ type: 'text', text: 'r' }] },
          ],
        },
      ],
      [
        { role: 'assistant', content: [{ type: 'tool_use', name: 'f', input: { x: 1 } }] },
        {
          role: 'user',
          content: [
            { type: 'tool_result', content: 'r' },
            { type: 'text', text: 'so' },
          ],
        },
      ],
      'messages.1;rewritten',
    ],
    [
      'makes a system turn between others a user’s',
      [
        { role: 'user', parts: [{ type: 'text', text: 'a' }] },
        { role: 'system', parts: [{ type: 'text', text: 's' }] },
      ],
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 's' },
          ],
        },
      ],
      'messages.1.role;rewritten',
    ],
    [
      'leaves out thoughts that it did not sign',
      [
        { role: 'user', parts: [{ type: 'text', text: 'a' }] },
        {
          role: 'assistant',
          parts: [
            { type: 'reasoning', text: 'hm' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
      [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
      ],
      'messages.1.content.0;dropped',
    ],
    [
      'can’t play sounds',
      [
        {
          role: 'user',
          parts: [
            { type: 'text', text: 'a' },
            { type: 'media', media: 'audio', mimeType: 'audio/wav', data: { base64: 'AA' } },
          ],
        },
      ],
      [{ role: 'user', content: 'a' }],
      'messages.0.content.1;dropped',
    ],
  ])('%s', (_name, messages, expected, lost) => {
    const request = told({ messages })
    expect(request.body.messages).toMatchObject(expected ?? [])
    expect(request.lost).toBe(lost)
  })

  test.each<[string, Generation['reasoning'], JsonObject, string]>([
    [
      'claude-sonnet-4-5',
      { effort: 'high' },
      { thinking: { type: 'enabled', budget_tokens: 16_384 } },
      'reasoning_effort;rewritten',
    ],
    [
      'claude-opus-4-8',
      { enabled: true, budgetTokens: 20_000 },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
      'reasoning_effort;rewritten',
    ],
    ['claude-opus-5', { enabled: false }, {}, 'reasoning;dropped'],
  ])('tells %s to think as it can: %p', (model, reasoning, members, lost) => {
    const losses = new Losses()
    const target = { model, stream: false }
    expect(chat.renderGeneration(generation({ reasoning }), target, losses)).toMatchObject(members)
    expect(renderLosses(losses.list)).toBe(lost)
  })

  test('gives a call and its result the same legal id', () => {
    const { body } = told({
      messages: [
        { role: 'assistant', parts: [{ type: 'tool_call', id: 'a/b', name: 'f', arguments: '' }] },
        { role: 'user', parts: [{ type: 'tool_result', callId: 'a/b', parts: [] }] },
      ],
    })
    const ids = JSON.stringify(body.messages).match(/"(?:id|tool_use_id)":"([^"]+)"/g) ?? []
    const values = ids.map((text) => text.split(':')[1])
    expect(values[0]).toBe(values[1])
    expect(values[0]).toMatch(/^"[a-zA-Z0-9_-]+"$/)
  })
})

const CONTEXT: AnswerContext = {
  requestId: '01a2-03',
  createdAt: 1,
  model: 'm',
  request: generation(),
}

describe('an answer in this format', () => {
  test.each<[FinishReason, string, string]>([
    ['stop', 'stop', 'end_turn'],
    ['stop_sequence', 'x', 'stop_sequence'],
    ['length', 'length', 'max_tokens'],
    ['context_window', 'x', 'model_context_window_exceeded'],
    ['tool_calls', 'tool_calls', 'tool_use'],
    ['content_filter', 'SAFETY', 'refusal'],
    ['refusal', 'refusal', 'refusal'],
    ['pause', 'pause_turn', 'pause_turn'],
    ['unknown', 'novel', 'novel'],
  ])('ends %s (%s) with %s', (reason, native, expected) => {
    const finish = { reason, native }
    const answer = { choices: [{ parts: [], finish }] }
    expect(chat.renderChatAnswer(answer, CONTEXT, new Losses())).toMatchObject({
      id: 'msg_01a203',
      stop_reason: expected,
    })
  })

  test('counts what was cached apart', () => {
    const usage = {
      ...{ input_tokens: 5, cache_read_input_tokens: 10, cache_creation_input_tokens: 20 },
      ...{ output_tokens: 3, cache_creation: { ephemeral_1h_input_tokens: 20 } },
    }
    const read = chat.parseChatAnswer({ type: 'message', content: [], usage }).usage
    expect(read).toMatchObject({
      ...{ inputTokens: 35, cacheReadTokens: 10, cacheWriteTokens: 20, cacheWrite1hTokens: 20 },
      outputTokens: 3,
    })
    const answer = { choices: [], usage: read }
    expect(chat.renderChatAnswer(answer, CONTEXT, new Losses()).usage).toMatchObject({
      ...usage,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 20 },
    })
  })

  test('streams parallel calls one block after the other', () => {
    const call = (id: string) => ({ type: 'tool_call', id, name: 'f', arguments: '' }) as const
    const events: StreamEvent[] = [
      { type: 'part_start', choice: 0, index: 0, part: call('a') },
      { type: 'part_start', choice: 0, index: 1, part: call('b') },
      { type: 'delta', choice: 0, index: 1, text: '{"b"' },
      { type: 'delta', choice: 0, index: 0, text: '{}' },
      { type: 'delta', choice: 0, index: 1, text: ':1}' },
      { type: 'part_end', choice: 0, index: 1 },
      { type: 'part_end', choice: 0, index: 0 },
      { type: 'finish', choice: 0, finish: { reason: 'tool_calls', native: 'x' } },
      { type: 'end' },
    ]
    const writer = chat.createFrameWriter(CONTEXT, new Losses())
    const text = Buffer.concat(events.map((event) => writer.write([event]))).toString()
    const order = [...text.matchAll(/"type":"content_block_(start|stop)","index":(\d)/g)]
    expect(order.map(([, what, index]) => `${what} ${index}`)).toEqual([
      ...['start 0', 'stop 0', 'start 1', 'stop 1'],
    ])
    const framer = upstream.createFramer()
    const reader = chat.createEventReader()
    const read = framer
      .push(encode(text))
      .flatMap(({ data = '', event }) => reader.read(data, event))
    expect(accumulate(read).choices[0]?.parts).toMatchObject([
      { id: 'a', arguments: '{}' },
      { id: 'b', arguments: '{"b":1}' },
    ])
  })

  test('that ends without its mark is broken', () => {
    const reader = chat.createEventReader()
    reader.read('{"type":"message_start","message":{}}', 'message_start')
    expect(() => reader.end()).toThrow(expect.objectContaining({ code: 'upstream_broken' }))
  })

  test.each([
    ['{"type":"error","error":{"type":"overloaded_error","message":"busy"}}', 529],
    ['{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}', 429],
    ['{"type":"error","error":{"type":"novel_error","message":"?"}}', 502],
  ])('with the event %s failed with %p', (data, status) => {
    const reader = chat.createEventReader()
    expect(() => reader.read(data, 'error')).toThrow(
      expect.objectContaining({ code: 'upstream_refused', status })
    )
  })
})

describe('an error in this format', () => {
  test.each([
    ['invalid_api_key', 'authentication_error'],
    ['model_not_allowed', 'permission_error'],
    ['model_not_found', 'not_found_error'],
    ['invalid_request', 'invalid_request_error'],
    ['request_too_large', 'request_too_large'],
    ['overloaded', 'overloaded_error'],
    ['upstream_timeout', 'timeout_error'],
    ['upstream_broken', 'api_error'],
  ] as const)('%s is told as %s', (code, type) => {
    const body: unknown = JSON.parse(client.renderError(new GatewayError(code, 'why'), 'r-1'))
    expect(body).toEqual({ type: 'error', error: { type, message: 'why' }, request_id: 'r-1' })
  })

  test('passes an upstream’s own, and no other format’s', () => {
    const own = '{"type":"error","error":{"type":"overloaded_error","message":"busy"}}'
    const of = (answer: string) =>
      client.renderError(new GatewayError('upstream_refused', 'it said no', { answer }), 'r')
    expect(of(own)).toBe(own)
    expect(of('{"error":{"message":"busy"}}')).toContain('it said no')
  })

  test('says nothing of the gateway’s own credential', () => {
    const body = encode(
      '{"type":"error","error":{"type":"authentication_error","message":"sk-ant-1 is bad"}}'
    )
    const error = upstream.parseError('claude', { status: 401, headers: {}, body })
    expect(error.code).toBe('upstream_unauthorized')
    expect(error.message).not.toContain('sk-ant-1')
  })
})

test('what is counted is told without what counting refuses', () => {
  const target = { model: 'c', stream: false }
  const body = anthropicCount.chat.renderGeneration(
    generation({ temperature: 1 }),
    target,
    new Losses()
  )
  expect(body).toEqual({ model: 'c', messages: [{ role: 'user', content: 'Hi' }] })
  expect(upstream.path({ model: 'c', stream: false, baseUrl: 'https://x.test' })).toBe(
    '/v1/messages'
  )
  expect(upstream.path({ model: 'c', stream: false, baseUrl: 'https://x.test/v1' })).toBe(
    '/messages'
  )
})
