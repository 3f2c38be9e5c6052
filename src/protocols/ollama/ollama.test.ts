import { describe, expect, test } from 'bun:test'
import { accumulate } from '../accumulate'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { NdjsonFramer } from './ndjson'
import { ollamaChat } from './ollama'

// The streamed answer and call of https://docs.ollama.com/api/chat and …/capabilities/tool-calling.
const at = { model: 'llama3.2', created_at: '2023-08-04T08:52:19.385406455-07:00' }
const LINES: JsonObject[] = [
  { ...at, message: { role: 'assistant', content: '', thinking: 'Hm.' }, done: false },
  { ...at, message: { role: 'assistant', content: 'The', images: null }, done: false },
  { ...at, message: { role: 'assistant', content: ' sky — 🌌' }, done: false },
  {
    ...at,
    message: {
      role: 'assistant',
      content: '',
      tool_calls: [{ function: { name: 'look', arguments: { up: true } } }],
    },
    done: false,
  },
  {
    ...at,
    message: { role: 'assistant', content: '' },
    ...{ done: true, done_reason: 'stop', total_duration: 4_883_583_458, eval_count: 282 },
    ...{ prompt_eval_count: 26, eval_duration: 4_535_599_000 },
  },
]
const STREAM = new TextEncoder().encode(LINES.map((line) => `${JSON.stringify(line)}\n`).join(''))

function frames(bytes: Uint8Array, size: number) {
  const framer = new NdjsonFramer()
  const found = []
  for (let from = 0; from < bytes.length; from += size)
    found.push(...framer.push(bytes.subarray(from, from + size)))
  const rest = framer.rest()
  return rest ? [...found, rest] : found
}

describe('a stream of lines', () => {
  test.each([1, 7, 64, STREAM.length])('cut every %d bytes is the same answer', (size) => {
    const reader = ollamaChat.chat.createEventReader()
    const events = frames(STREAM, size).flatMap(({ data = '' }) => reader.read(data, undefined))
    expect(reader.end()).toEqual([])
    const answer = accumulate(events)
    expect(answer).toMatchObject({
      model: 'llama3.2',
      createdAt: 1_691_164_339,
      usage: { inputTokens: 26, outputTokens: 282 },
      choices: [
        {
          finish: { reason: 'tool_calls', native: 'stop' },
          parts: [
            { type: 'reasoning', text: 'Hm.' },
            { type: 'text', text: 'The sky — 🌌' },
            { type: 'tool_call', name: 'look', arguments: '{"up":true}' },
          ],
        },
      ],
    })
    const pieces = frames(STREAM, size).map(({ bytes }) => bytes)
    expect(Buffer.concat(pieces)).toEqual(Buffer.from(STREAM))
  })

  test('passes as it is, and tells what was used', () => {
    const reader = ollamaChat.upstream.createFrameReader(
      ollamaChat.client.parseRequest(new TextEncoder().encode('{"model":"m"}'), {}),
      { model: 'm', askForUsage: false }
    )
    const meanings = frames(STREAM, 7).map(({ data }) => reader.read(data, undefined))
    expect(meanings).toEqual(['content', 'content', 'content', 'content', 'done'])
    expect(reader.facts()).toMatchObject({
      usage: { inputTokens: 26, outputTokens: 282 },
      finishReasons: ['stop'],
    })
  })

  test.each([
    ['{"error":"model runner has stopped"}', 'upstream_refused'],
    ['{"message":', 'upstream_malformed'],
    ['[]', 'upstream_malformed'],
  ])('%s is an error', (line, code) => {
    const reader = ollamaChat.chat.createEventReader()
    expect(() => reader.read(line, undefined)).toThrow(expect.objectContaining({ code }))
  })

  test('without its last line is broken', () => {
    const reader = ollamaChat.chat.createEventReader()
    reader.read(JSON.stringify(LINES[0]), undefined)
    expect(() => reader.end()).toThrow(expect.objectContaining({ code: 'upstream_broken' }))
  })
})

describe('a request', () => {
  const parse = (body: JsonObject) =>
    ollamaChat.client.parseRequest(new TextEncoder().encode(JSON.stringify(body)), {})

  test.each<[JsonObject, boolean, number | undefined]>([
    [{ model: 'm', messages: [] }, true, undefined],
    [{ model: 'm', stream: false, options: { num_predict: 9 } }, false, 9],
    [{ model: 'm', stream: true, options: { num_predict: -1 } }, true, undefined],
  ])('%j', (body, stream, outputLimit) => {
    expect(parse(body)).toMatchObject({ model: 'm', stream, outputLimit })
  })

  test('says options, schema, thinking and results of calls in its own words', () => {
    const losses = new Losses()
    const told = ollamaChat.chat.renderGeneration(
      {
        ...{ model: 'x', stream: false, includesUsage: false, extras: {}, maxTokens: 5, seed: 1 },
        tools: [],
        source: { protocol: 'openai-chat', json: null },
        format: { type: 'schema', schema: { type: 'object' } },
        reasoning: { effort: 'xhigh' },
        messages: [
          {
            role: 'assistant',
            parts: [{ type: 'tool_call', id: 'c1', name: 'look', arguments: '{"up":true}' }],
          },
          {
            role: 'user',
            parts: [
              {
                type: 'tool_result',
                callId: 'c1',
                name: 'look',
                parts: [{ type: 'text', text: 'blue' }],
              },
              { type: 'media', media: 'image', data: { url: 'https://host.example/a.png' } },
            ],
          },
        ],
      },
      { model: 'llama3.2', stream: false },
      losses
    )
    expect(told).toEqual({
      model: 'llama3.2',
      messages: [
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ id: 'c1', function: { name: 'look', arguments: { up: true } } }],
        },
        { role: 'tool', content: 'blue', tool_name: 'look', tool_call_id: 'c1' },
        { role: 'user', content: '' },
      ],
      think: 'max',
      format: { type: 'object' },
      options: { seed: 1, num_predict: 5 },
      stream: false,
    })
    expect(losses.list).toEqual([
      { field: 'messages.1.content.1', kind: 'dropped' },
      { field: 'reasoning.effort', kind: 'clamped' },
    ])
  })
})

test.each<[number, string, string, number]>([
  [404, '{"error":"model \\"x\\" not found"}', 'upstream_refused', 404],
  [401, '{"error":"unauthorized"}', 'upstream_unauthorized', 502],
  [302, '', 'upstream_redirected', 502],
  [500, 'oops', 'upstream_refused', 500],
])('a status %d is an error', (status, text, code, seen) => {
  const body = new TextEncoder().encode(text)
  expect(ollamaChat.upstream.parseError('ollama', { status, headers: {}, body })).toMatchObject({
    code,
    status: seen,
  })
})
