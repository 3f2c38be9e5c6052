import { describe, expect, test } from 'bun:test'
import { GatewayError } from '../../errors/gateway-error'
import type { Finish } from '../answer'
import type { JsonObject, JsonValue } from '../json'
import { Losses } from '../losses'
import { openaiChatHalves } from './chat-halves'
import { contextOf } from './fixtures/chat'

const { parseChatAnswer, renderChatAnswer } = openaiChatHalves

const read = (message: JsonObject, choice: JsonObject = {}, body: JsonObject = {}) =>
  parseChatAnswer({
    id: 'i',
    choices: [{ index: 0, message, finish_reason: 'stop', ...choice }],
    ...body,
  })
function faultOf(json: JsonValue) {
  try {
    parseChatAnswer(json)
  } catch (error) {
    return GatewayError.from(error)
  }
  throw new Error('it was taken')
}

describe('a whole answer of this format', () => {
  const body: JsonObject = {
    choices: [{ message: { role: 'assistant', content: 'x' }, finish_reason: 'novel', extra: 1.5 }],
    id: 'a',
    x_groq: { id: 'q' },
  }

  test('leaves as it came', () => {
    expect(JSON.stringify(renderChatAnswer(parseChatAnswer(body), contextOf(), new Losses()))).toBe(
      JSON.stringify(body)
    )
  })

  test('is read with all it says', () => {
    const answer = read(
      {
        role: 'assistant',
        content: 'Paris [1]',
        refusal: 'and no',
        reasoning_content: 'hm',
        annotations: [
          {
            type: 'url_citation',
            url_citation: { url: 'u', title: 't', start_index: 6, end_index: 9 },
          },
        ],
        audio: { id: 'audio_1', data: 'AA', transcript: 'said', expires_at: 1 },
        images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }],
        tool_calls: [
          { function: { name: 'f', arguments: { x: 1 } } },
          { id: 'b', type: 'custom', custom: { name: 'g', input: 'raw' } },
          { id: 'c', type: 'novel', novel: {} },
        ],
      },
      {
        logprobs: {
          content: [
            {
              token: 'P',
              logprob: -1,
              bytes: [80],
              top_logprobs: [{ token: 'Q', logprob: -2, bytes: null }],
            },
          ],
        },
      },
      {
        created: 5,
        model: 'm',
        service_tier: 'flex',
        usage: { prompt_tokens: 1, completion_tokens: 2 },
      }
    )
    expect(answer).toMatchObject({
      id: 'i',
      createdAt: 5,
      model: 'm',
      serviceTier: 'flex',
      usage: { inputTokens: 1, outputTokens: 2 },
    })
    expect(answer.choices).toMatchObject([
      {
        parts: [
          { type: 'reasoning', text: 'hm' },
          {
            type: 'text',
            text: 'Paris [1]',
            citations: [{ url: 'u', title: 't', startIndex: 6, endIndex: 9 }],
          },
          { type: 'refusal', text: 'and no' },
          { type: 'media', media: 'audio', data: { base64: 'AA' }, transcript: 'said' },
          { type: 'media', media: 'image', data: { base64: 'AAAA' }, mimeType: 'image/png' },
          { type: 'tool_call', id: 'call_i00', name: 'f', arguments: '{"x":1}' },
          { type: 'tool_call', id: 'b', name: 'g', arguments: 'raw', isCustom: true },
          { type: 'native', name: 'tool_calls:novel' },
        ],
        finish: { reason: 'tool_calls', native: 'stop' },
        logprobs: [{ token: 'P', logprob: -1, bytes: [80], top: [{ token: 'Q', logprob: -2 }] }],
      },
    ])
  })

  test('tells Mistral’s thoughts and Perplexity’s sources', () => {
    const content = [
      {
        type: 'thinking',
        thinking: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      { type: 'text', text: 'c' },
      { type: 'reference', reference_ids: [1] },
    ]
    expect(read({ content }).choices[0]?.parts).toMatchObject([
      { type: 'reasoning', text: 'ab' },
      { type: 'text', text: 'c' },
      { type: 'native', name: 'reference' },
    ])
    const citations = ['https://x.test', 'https://y.test']
    const search_results = [{ url: 'https://z.test', title: 'Z' }]
    const cited = (body: JsonObject) => read({ content: 'x' }, {}, body).choices[0]?.parts[0]
    expect(cited({ citations })).toMatchObject({
      citations: [{ url: 'https://x.test' }, { url: 'https://y.test' }],
    })
    expect(cited({ citations, search_results })).toMatchObject({
      citations: [{ url: 'https://z.test', title: 'Z' }],
    })
  })

  test('puts an annotation to the text it lies in', () => {
    const annotations = [
      { type: 'url_citation', url_citation: { url: 'u', start_index: 4, end_index: 6 } },
    ]
    const content = [
      { type: 'text', text: 'abc' },
      { type: 'text', text: 'defg' },
    ]
    expect(read({ content, annotations }).choices[0]?.parts).toMatchObject([
      { text: 'abc' },
      { text: 'defg', citations: [{ startIndex: 1, endIndex: 3 }] },
    ])
  })

  test.each<[JsonObject, Partial<Finish>]>([
    [{ finish_reason: 'stop' }, { reason: 'stop', native: 'stop' }],
    [{ finish_reason: 'eos' }, { reason: 'stop', native: 'eos' }],
    [{ finish_reason: 'length' }, { reason: 'length' }],
    [{ finish_reason: 'model_length' }, { reason: 'context_window', native: 'model_length' }],
    [{ finish_reason: 'tool_calls' }, { reason: 'tool_calls' }],
    [{ finish_reason: 'function_call' }, { reason: 'tool_calls', native: 'function_call' }],
    [{ finish_reason: 'content_filter' }, { reason: 'content_filter' }],
    [{ finish_reason: 'novel' }, { reason: 'unknown', native: 'novel' }],
    [{ finish_reason: null }, { reason: 'unknown', native: '' }],
    [
      { finish_reason: 'stop', stop_reason: '###' },
      { reason: 'stop_sequence', stopSequence: '###' },
    ],
    [{ finish_reason: 'stop', stop_reason: 'end_turn' }, { reason: 'stop' }],
    [
      { finish_reason: 'stop', native_finish_reason: 'stop_sequence' },
      { reason: 'stop_sequence', native: 'stop_sequence' },
    ],
    [{ finish_reason: 'content_filter', native_finish_reason: 'refusal' }, { reason: 'refusal' }],
    [
      { finish_reason: 'content_filter', native_finish_reason: 'SAFETY' },
      { reason: 'content_filter', native: 'SAFETY' },
    ],
  ])('takes %j', (choice, finish) => {
    expect(read({ content: 'x' }, choice).choices[0]?.finish).toMatchObject(finish)
  })

  test.each<[JsonValue, string, number]>([
    [null, 'upstream_malformed', 502],
    [[], 'upstream_malformed', 502],
    [{ object: 'chat.completion' }, 'upstream_malformed', 502],
    [{ choices: [] }, 'upstream_malformed', 502],
    [{ choices: [{ finish_reason: 'stop' }] }, 'upstream_malformed', 502],
    [{ error: { message: 'full', code: 503 } }, 'upstream_refused', 503],
    [{ choices: [{ message: {}, finish_reason: 'error' }] }, 'upstream_refused', 503],
    [
      { choices: [{ message: {}, finish_reason: 'insufficient_system_resource' }] },
      'upstream_refused',
      503,
    ],
    [
      { choices: [{ message: {}, error: { message: 'slow down', code: 429 } }] },
      'upstream_refused',
      429,
    ],
  ])('refuses %j', (json, code, status) => {
    expect(faultOf(json)).toMatchObject({ code, status })
  })
})
