import { describe, expect, test } from 'bun:test'
import { GatewayError } from '../../errors/gateway-error'
import type { Settings } from '../generation'
import type { JsonObject } from '../json'
import { PNG, read, user } from './fixtures/chat'

describe('reading', () => {
  test('makes of roles, results and calls what they are', () => {
    const { messages } = read({
      messages: [
        { role: 'system', content: 'a' },
        { role: 'developer', content: [{ type: 'text', text: 'b' }] },
        {
          role: 'assistant',
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: 'one' },
        { role: 'tool', tool_call_id: 'd', content: '' },
        user,
      ],
    })
    expect(messages).toMatchObject([
      { role: 'system', parts: [{ text: 'a' }] },
      { role: 'system', parts: [{ text: 'b' }] },
      { role: 'assistant', parts: [{ type: 'tool_call', id: 'c', name: 'f', arguments: '{}' }] },
      {
        role: 'user',
        parts: [
          { type: 'tool_result', callId: 'c', name: 'f', parts: [{ text: 'one' }] },
          { type: 'tool_result', callId: 'd', parts: [] },
        ],
      },
      { role: 'user', parts: [{ text: 'hi' }] },
    ])
  })

  test.each<[JsonObject, object]>([
    [
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
      { media: 'image', mimeType: 'image/png', data: { base64: PNG } },
    ],
    [
      { type: 'image_url', image_url: 'https://x.test/a' },
      { media: 'image', data: { url: 'https://x.test/a' } },
    ],
    [
      { type: 'image_url', image_url: { url: 'data:image/svg+xml,<svg/>' } },
      { data: { url: 'data:image/svg+xml,<svg/>' } },
    ],
    [
      { type: 'input_audio', input_audio: { data: 'AA', format: 'mp3' } },
      { media: 'audio', mimeType: 'audio/mpeg', data: { base64: 'AA' } },
    ],
    [
      { type: 'file', file: { file_id: 'file-1' } },
      { media: 'file', data: { fileId: 'file-1' } },
    ],
    [
      { type: 'file', file: { filename: 'a.pdf', file_data: 'https://x.test/a.pdf' } },
      { name: 'a.pdf', data: { url: 'https://x.test/a.pdf' } },
    ],
    [
      { type: 'text', text: 'x', prompt_cache_breakpoint: { mode: 'explicit' } },
      { type: 'text', cache: {} },
    ],
    [
      { type: 'refusal', refusal: 'no' },
      { type: 'refusal', text: 'no' },
    ],
    [
      { type: 'file', file: {} },
      { type: 'native', name: 'file' },
    ],
  ])('takes the part %j', (part, expected) => {
    const { messages } = read({ messages: [{ role: 'user', content: [part] }] })
    expect(messages[0]?.parts[0]).toMatchObject(expected)
  })

  test('finds reasoning by all its names, and what belongs to it', () => {
    const assistant = (members: JsonObject) =>
      read({ messages: [{ role: 'assistant', content: 'x', ...members }] }).messages[0]?.parts
    expect(assistant({ reasoning: 'r' })?.[0]).toMatchObject({ type: 'reasoning', text: 'r' })
    expect(assistant({ reasoning_content: '' })).toHaveLength(1)
    expect(
      assistant({
        reasoning_content: '',
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '' } }],
      })?.[0]
    ).toMatchObject({ type: 'reasoning', text: '' })
    const details = [
      { type: 'reasoning.text', text: 'a', index: 0 },
      {
        type: 'reasoning.text',
        text: 'b',
        signature: 's',
        format: 'anthropic-claude-v1',
        index: 0,
      },
      {
        type: 'reasoning.summary',
        summary: 'c',
        id: 'rs',
        format: 'openai-responses-v1',
        index: 1,
      },
      {
        type: 'reasoning.encrypted',
        data: 'd',
        id: 'rs',
        format: 'azure-openai-responses-v1',
        index: 1,
      },
      { type: 'reasoning.novel', index: 2 },
    ]
    expect(assistant({ reasoning: 'abc', reasoning_details: details })).toMatchObject([
      { type: 'reasoning', text: 'ab', signature: { maker: 'anthropic', value: 's' } },
      {
        type: 'reasoning',
        text: 'c',
        isSummary: true,
        id: 'rs',
        encrypted: { maker: 'openai', value: 'd' },
      },
      { type: 'native', name: 'reasoning_details:reasoning.novel' },
      { type: 'text', text: 'x' },
    ])
  })

  test('takes Gemini’s signature and the older functions', () => {
    const { messages, tools, toolChoice } = read({
      functions: [{ name: 'f', parameters: {} }],
      function_call: { name: 'f' },
      messages: [
        { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
        { role: 'function', name: 'f', content: 'ok' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            {
              id: 'x',
              type: 'function',
              function: { name: 'f', arguments: '' },
              extra_content: { google: { thought_signature: 'sig' } },
            },
          ],
        },
      ],
    })
    expect(tools).toMatchObject([{ type: 'function', name: 'f', parameters: {} }])
    expect(toolChoice).toEqual({ type: 'tool', name: 'f' })
    const [call, result, signed] = messages.map(({ parts }) => parts[0])
    expect(call).toMatchObject({ type: 'tool_call', name: 'f' })
    expect(result).toMatchObject({
      type: 'tool_result',
      name: 'f',
      callId: call?.type === 'tool_call' ? call.id : '',
    })
    expect(signed).toMatchObject({ signature: { maker: 'google', value: 'sig' } })
  })

  test.each<[JsonObject, Partial<Settings>]>([
    [{ max_tokens: 1, max_completion_tokens: 2 }, { maxTokens: 2 }],
    [{ stop: 'a' }, { stop: ['a'] }],
    [{ tool_choice: 'any' }, { toolChoice: { type: 'required' } }],
    [
      { tool_choice: { type: 'custom', custom: { name: 'g' } } },
      { toolChoice: { type: 'tool', name: 'g' } },
    ],
    [
      {
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: {
            mode: 'required',
            tools: [{ type: 'function', function: { name: 'f' } }],
          },
        },
      },
      { toolChoice: { type: 'allowed', mode: 'required', names: ['f'] } },
    ],
    [{ tool_choice: { type: 'novel' } }, { extras: { tool_choice: { type: 'novel' } } }],
    [{ response_format: { type: 'json_object' } }, { format: { type: 'json' } }],
    [
      {
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'n', schema: {}, strict: true },
        },
      },
      { format: { type: 'schema', name: 'n', schema: {}, strict: true } },
    ],
    [{ reasoning_effort: 'none' }, { reasoning: { effort: 'none' } }],
    [{ reasoning: { max_tokens: 7 } }, { reasoning: { budgetTokens: 7 } }],
    [
      { audio: { voice: { id: 'v' }, format: 'wav' } },
      { extras: { audio: { voice: { id: 'v' }, format: 'wav' } } },
    ],
    [
      { n: 2, seed: 3, logprobs: true, top_logprobs: 4 },
      { choices: 2, seed: 3, logprobs: true, topLogprobs: 4 },
    ],
    [
      { metadata: { a: 'b' }, store: false, user: 'u' },
      { metadata: { a: 'b' }, store: false, user: 'u' },
    ],
    [{ modalities: ['text', 'smell'] }, { extras: { modalities: ['text', 'smell'] } }],
    [{ temperature: null, min_p: 0.1 }, { extras: { min_p: 0.1 } }],
  ])('takes the settings %j', (members, expected) => {
    expect(read(members)).toMatchObject(expected)
  })

  test.each<[JsonObject, string]>([
    [{ model: '' }, 'model'],
    [{ messages: [] }, 'messages'],
    [{ messages: 'x' }, 'messages'],
    [{ messages: ['x'] }, 'messages.0'],
    [{ messages: [user, { role: 'judge', content: '' }] }, 'messages.1.role'],
    [{ messages: [{ role: 'tool', content: '' }] }, 'messages.0.tool_call_id'],
    [{ messages: [{ role: 'function', name: 'f', content: '' }] }, 'messages.0.name'],
    [{ messages: [{ role: 'user', content: 5 }] }, 'messages.0.content'],
    [{ messages: [{ role: 'user', content: [{ text: 'x' }] }] }, 'messages.0.content.0.type'],
    [{ messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 'messages.0.content.0.text'],
    [{ tools: {} }, 'tools'],
    [{ tools: [1] }, 'tools.0'],
    [{ temperature: 'hot' }, 'temperature'],
    [{ store: 'yes' }, 'store'],
    [{ stop: [1] }, 'stop'],
  ])('refuses %j at its place', (members, param) => {
    const fault = (() => {
      try {
        read(members)
      } catch (error) {
        return GatewayError.from(error)
      }
      throw new Error('it was taken')
    })()
    expect(fault).toMatchObject({ code: 'invalid_request', status: 400, param })
  })
})
