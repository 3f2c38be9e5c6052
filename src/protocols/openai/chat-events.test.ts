import { describe, expect, test } from 'bun:test'
import { GatewayError } from '../../errors/gateway-error'
import { accumulate } from '../accumulate'
import type { JsonObject, JsonValue } from '../json'
import { readAll } from './fixtures/chat'

const delta = (delta: JsonObject, choice: JsonObject = {}): JsonObject => ({
  id: 'i',
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: null, ...choice }],
})
const FINISH = delta({}, { finish_reason: 'stop' })
const partsOf = (...frames: JsonObject[]) =>
  accumulate(readAll([...frames, FINISH])).choices[0]?.parts

function faultOf(...frames: (string | JsonValue)[]) {
  try {
    readAll(frames)
  } catch (error) {
    return GatewayError.from(error)
  }
  throw new Error('it was taken')
}

describe('the reader', () => {
  test('tells start, parts, finish, usage and end in order', () => {
    const frames = [
      // Azure's first, and its filter's annotations behind the finish.
      { id: '', model: '', created: 0, choices: [], prompt_filter_results: [] },
      {
        ...delta({ role: 'assistant', content: '', refusal: null }),
        created: 9,
        service_tier: 'default',
        obfuscation: 'xx',
      },
      delta(
        { content: 'a' },
        { logprobs: { content: [{ token: 'a', logprob: -1, bytes: null, top_logprobs: [] }] } }
      ),
      FINISH,
      {
        id: '',
        choices: [
          { index: 0, finish_reason: null, content_filter_results: {}, content_filter_offsets: {} },
        ],
      },
      // vLLM's usage.
      { id: 'i', choices: null, usage: { prompt_tokens: 1, completion_tokens: 2 } },
      '[DONE]',
      'behind the end mark nothing is read',
    ]
    expect(readAll(frames)).toEqual([
      { type: 'start', id: 'i', model: 'm', createdAt: 9, serviceTier: 'default' },
      { type: 'part_start', choice: 0, index: 0, part: { type: 'text', text: '' } },
      { type: 'delta', choice: 0, index: 0, text: 'a' },
      { type: 'logprobs', choice: 0, tokens: [{ token: 'a', logprob: -1, top: [] }] },
      { type: 'usage', usage: expect.objectContaining({ inputTokens: 1, outputTokens: 2 }) },
      { type: 'part_end', choice: 0, index: 0 },
      { type: 'finish', choice: 0, finish: { reason: 'stop', native: 'stop' } },
      { type: 'end' },
    ])
  })

  test.each<[string, JsonObject[], object[]]>([
    [
      'interleaved calls',
      [
        delta({
          tool_calls: [
            { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } },
          ],
        }),
        delta({
          tool_calls: [{ index: 1, id: 'b', type: 'custom', custom: { name: 'g', input: '' } }],
        }),
        delta({
          tool_calls: [
            { index: 0, function: { arguments: '{"x"' } },
            { index: 1, custom: { input: 'ra' } },
          ],
        }),
        delta({
          tool_calls: [
            { index: 1, custom: { input: 'w' } },
            { index: 0, id: '', type: 'function', function: { arguments: ':1}' } },
          ],
        }),
      ],
      [
        { type: 'tool_call', id: 'a', name: 'f', arguments: '{"x":1}' },
        { type: 'tool_call', id: 'b', name: 'g', arguments: 'raw', isCustom: true },
      ],
    ],
    [
      'whole calls without an index',
      [
        delta({
          tool_calls: [
            { id: 'a', function: { name: 'f', arguments: '{}' } },
            { id: 'b', function: { name: 'f', arguments: '{"y":1}' } },
          ],
        }),
      ],
      [
        { id: 'a', arguments: '{}' },
        { id: 'b', arguments: '{"y":1}' },
      ],
    ],
    [
      'whole calls of one index',
      [
        delta({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }] }),
        delta({
          tool_calls: [{ index: 0, id: 'b', function: { name: 'g', arguments: { y: 1 } } }],
        }),
      ],
      [
        { id: 'a', name: 'f', arguments: '{}' },
        { id: 'b', name: 'g', arguments: '{"y":1}' },
      ],
    ],
    [
      'a call whose name comes late, and without an id',
      [
        delta({ tool_calls: [{ index: 0, type: 'function', function: { arguments: '{"a"' } }] }),
        delta({ tool_calls: [{ index: 0, function: { name: 'f', arguments: ':1}' } }] }),
      ],
      [{ id: 'call_i00', name: 'f', arguments: '{"a":1}' }],
    ],
    [
      'a signature of Gemini',
      [
        delta({
          tool_calls: [
            {
              index: 0,
              id: 'a',
              function: { name: 'f', arguments: '{}' },
              extra_content: { google: { thought_signature: 's' } },
            },
          ],
        }),
      ],
      [{ id: 'a', signature: { maker: 'google', value: 's' } }],
    ],
    [
      'the older function call',
      [
        delta({ function_call: { name: 'f', arguments: '' } }),
        delta({ function_call: { arguments: '{}' } }),
      ],
      [{ type: 'tool_call', name: 'f', arguments: '{}' }],
    ],
    [
      'reasoning, then text',
      [delta({ reasoning_content: 'a' }), delta({ reasoning: 'b' }), delta({ content: 'c' })],
      [
        { type: 'reasoning', text: 'ab' },
        { type: 'text', text: 'c' },
      ],
    ],
    [
      'OpenRouter’s details beside the same text',
      [
        delta({
          reasoning: 'a',
          reasoning_details: [
            { type: 'reasoning.text', text: 'a', index: 0, format: 'anthropic-claude-v1' },
          ],
        }),
        delta({
          reasoning_details: [
            { type: 'reasoning.text', signature: 's', index: 0, format: 'anthropic-claude-v1' },
          ],
        }),
        delta({
          reasoning_details: [
            { type: 'reasoning.encrypted', data: 'e', index: 1, format: 'anthropic-claude-v1' },
          ],
        }),
        delta({ content: 'b' }),
      ],
      [
        { type: 'reasoning', text: 'a', signature: { maker: 'anthropic', value: 's' } },
        { type: 'reasoning', text: '', encrypted: { maker: 'anthropic', value: 'e' } },
        { type: 'text', text: 'b' },
      ],
    ],
    [
      'a signature that follows flat reasoning',
      [
        delta({ reasoning: 'a' }),
        delta({
          reasoning_details: [
            { type: 'reasoning.text', signature: 's', format: 'anthropic-claude-v1', index: 0 },
          ],
        }),
      ],
      [{ type: 'reasoning', text: 'a', signature: { value: 's' } }],
    ],
    [
      'Mistral’s thoughts',
      [
        delta({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'a' }] }] }),
        delta({
          content: [
            { type: 'thinking', thinking: [{ type: 'text', text: 'b' }] },
            { type: 'text', text: 'c' },
          ],
        }),
        delta({ content: 'd' }),
      ],
      [
        { type: 'reasoning', text: 'ab' },
        { type: 'text', text: 'cd' },
      ],
    ],
    [
      'a refusal',
      [delta({ refusal: 'n' }), delta({ refusal: 'o' })],
      [{ type: 'refusal', text: 'no' }],
    ],
    [
      'annotations',
      [
        delta({ content: 'ab' }),
        delta({
          annotations: [
            {
              type: 'url_citation',
              url_citation: { url: 'u', start_index: 0, end_index: 2, title: 't' },
            },
          ],
        }),
      ],
      [{ text: 'ab', citations: [{ url: 'u', startIndex: 0, endIndex: 2, title: 't' }] }],
    ],
    [
      'a sound',
      [
        delta({ audio: { id: 'a', transcript: 'x' } }),
        delta({ audio: { data: 'AA' } }),
        delta({ audio: { data: 'BB', transcript: 'y' } }),
      ],
      [{ type: 'media', media: 'audio', data: { base64: 'AABB' }, transcript: 'xy' }],
    ],
    [
      'images',
      [
        delta({
          content: 'x',
          images: [{ type: 'image_url', image_url: { url: 'https://x.test' } }],
        }),
      ],
      [
        { type: 'text', text: 'x' },
        { type: 'media', media: 'image', data: { url: 'https://x.test' } },
      ],
    ],
    [
      'a call of unknown type',
      [delta({ tool_calls: [{ index: 0, id: 'a', type: 'novel', novel: {} }] })],
      [{ type: 'native', name: 'tool_calls:novel' }],
    ],
    [
      'the whole message in one frame',
      [
        {
          id: 'i',
          choices: [
            { index: 0, message: { role: 'assistant', content: 'x' }, finish_reason: 'stop' },
          ],
        },
      ],
      [{ text: 'x' }],
    ],
  ])('puts %s together', (_, frames, parts) => {
    const read = partsOf(...frames)
    expect(read).toHaveLength(parts.length)
    expect(read).toMatchObject(parts)
  })

  test('closes every part before the finish, and each once', () => {
    const events = readAll([
      delta({ reasoning: 'a' }),
      delta({ content: 'b' }),
      delta({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }] }),
      delta({ content: 'late' }),
      FINISH,
    ])
    const open = new Set<number>()
    for (const event of events) {
      if (event.type === 'part_start') open.add(event.index)
      if (event.type === 'delta') expect(open).toContain(event.index)
      if (event.type === 'part_end') expect(open.delete(event.index)).toBe(true)
      if (event.type === 'finish') expect(open.size).toBe(0)
    }
  })

  test('reads several choices, and usage from where Groq had it', () => {
    const answer = accumulate(
      readAll([
        { id: 'i', choices: [{ index: 1, delta: { content: 'b' }, finish_reason: 'length' }] },
        delta({ content: 'a' }),
        { ...FINISH, x_groq: { usage: { prompt_tokens: 1, completion_tokens: 2 } } },
      ])
    )
    expect(answer).toMatchObject({
      choices: [
        { parts: [{ text: 'a' }], finish: { reason: 'stop' } },
        { parts: [{ text: 'b' }], finish: { reason: 'length' } },
      ],
      usage: { inputTokens: 1, outputTokens: 2 },
    })
  })

  test('takes a sound that has its expiry for finished', () => {
    const frames = [
      delta({ audio: { id: 'a', data: 'AA' } }),
      delta({ audio: { expires_at: 5 } }),
      '[DONE]',
    ]
    expect(readAll(frames)).toContainEqual({
      type: 'finish',
      choice: 0,
      finish: { reason: 'stop', native: 'stop' },
    })
  })

  test.each<[string, number, (string | JsonObject)[]]>([
    ['upstream_broken', 502, [delta({ content: 'a' })]],
    ['upstream_broken', 502, [delta({ content: 'a' }), '[DONE]']],
    ['upstream_broken', 502, []],
    ['upstream_broken', 502, [FINISH, delta({ content: 'b' }, { index: 1 })]],
    ['upstream_malformed', 502, ['<html>']],
    ['upstream_malformed', 502, ['[]']],
    ['upstream_malformed', 502, [delta({}, { index: -1 })]],
    ['upstream_malformed', 502, [delta({}, { index: 1e9 })]],
    ['upstream_refused', 429, [{ error: { message: 'slow down', code: 429 } }]],
    ['upstream_refused', 503, [delta({}, { finish_reason: 'error' })]],
  ])('throws %s (%d) at %j', (code, status, frames) => {
    expect(faultOf(...frames)).toMatchObject({ code, status })
  })
})
