import { describe, expect, test } from 'bun:test'

import { accumulate } from '../accumulate'
import type { JsonObject, JsonValue } from '../json'
import { Losses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { NO_USAGE } from '../usage'
import { CONTEXT } from './fixtures/generation'
import { chunksOf, normal, readStream, writeStream } from './fixtures/stream'
import { gemini, geminiArray } from './gemini'

const decoder = new TextDecoder()

const source = { protocol: 'openai-chat' as const, json: {} }
const google = { maker: 'google' as const, value: 's' }
const EVENTS: StreamEvent[] = [
  { type: 'start', id: 'id-1', model: 'real', createdAt: 1 },
  { type: 'part_start', choice: 0, index: 0, part: { type: 'reasoning', text: '' } },
  { type: 'delta', choice: 0, index: 0, text: 'hm' },
  { type: 'signature', choice: 0, index: 0, signature: google },
  { type: 'part_end', choice: 0, index: 0 },
  { type: 'part_start', choice: 0, index: 1, part: { type: 'text', text: 'Gr' } },
  { type: 'delta', choice: 0, index: 1, text: 'öße' },
  {
    type: 'citation',
    choice: 0,
    index: 1,
    citation: { url: 'https://a', startIndex: 2, endIndex: 5, source },
  },
  {
    type: 'part_start',
    choice: 0,
    index: 2,
    part: { type: 'tool_call', id: 'c1', name: 'f', arguments: '' },
  },
  {
    type: 'part_start',
    choice: 0,
    index: 3,
    part: { type: 'tool_call', id: 'c2', name: 'g', arguments: '' },
  },
  { type: 'delta', choice: 0, index: 3, text: '{"b"' },
  { type: 'delta', choice: 0, index: 2, text: '{"a":1}' },
  { type: 'signature', choice: 0, index: 2, signature: google },
  { type: 'delta', choice: 0, index: 3, text: ':2}' },
  { type: 'part_end', choice: 0, index: 1 },
  { type: 'part_end', choice: 0, index: 3 },
  { type: 'part_end', choice: 0, index: 2 },
  { type: 'logprobs', choice: 0, tokens: [{ token: 'a', logprob: -1, top: [] }] },
  { type: 'part_start', choice: 1, index: 0, part: { type: 'text', text: 'other' } },
  { type: 'part_end', choice: 1, index: 0 },
  { type: 'finish', choice: 0, finish: { reason: 'tool_calls', native: 'tool_calls' } },
  { type: 'finish', choice: 1, finish: { reason: 'length', native: 'length' } },
  { type: 'usage', usage: { ...NO_USAGE, inputTokens: 3, outputTokens: 4 } },
  { type: 'end' },
]

describe('writing', () => {
  test('texts leave as they come, calls whole and in order, the finish last with the usage', () => {
    const { text, lost } = writeStream(EVENTS)
    const chunks = chunksOf(text).map((data): JsonObject => JSON.parse(data))
    const parts = chunks.map(({ candidates }) => candidates)
    expect(parts).toMatchObject([
      [{ content: { parts: [{ text: 'hm', thought: true }], role: 'model' }, index: 0 }],
      [{ content: { parts: [{ text: '', thought: true, thoughtSignature: 's' }] } }],
      [{ content: { parts: [{ text: 'Gr' }] } }],
      [{ content: { parts: [{ text: 'öße' }] } }],
      [{ groundingMetadata: { groundingSupports: [{ segment: { startIndex: 2, endIndex: 7 } }] } }],
      [
        {
          content: {
            parts: [{ functionCall: { id: 'c1', args: { a: 1 } }, thoughtSignature: 's' }],
          },
        },
      ],
      [{ content: { parts: [{ functionCall: { id: 'c2', args: { b: 2 } } }] } }],
      [{ logprobsResult: { chosenCandidates: [{ token: 'a' }] } }],
      [{ content: { parts: [{ text: 'other' }] }, index: 1 }],
      [
        { finishReason: 'STOP', index: 0 },
        { finishReason: 'MAX_TOKENS', index: 1 },
      ],
    ])
    for (const each of chunks)
      expect(each).toMatchObject({ responseId: 'id-1', modelVersion: 'real' })
    expect(chunks.findIndex((each) => each.usageMetadata !== undefined)).toBe(chunks.length - 1)
    expect(text.match(/finishReason/g)).toHaveLength(2)
    expect(lost).toEqual([])
  })

  test.each([1, 7, 64])('is read back as the whole answer, cut at %i bytes', (pieceBytes) => {
    const { text } = writeStream(EVENTS)
    const whole = gemini.chat.renderChatAnswer(accumulate(EVENTS), CONTEXT, new Losses())
    const streamed = accumulate(readStream(chunksOf(text), pieceBytes))
    const read = gemini.chat.parseChatAnswer(whole)
    expect(normal(streamed)).toEqual(normal(read))
    expect(normal(read)).toEqual(normal(accumulate(EVENTS)))
  })

  test('as a list is one JSON text', () => {
    const { text } = writeStream(EVENTS, geminiArray)
    const list: JsonValue = JSON.parse(text)
    const frames = chunksOf(writeStream(EVENTS).text)
    expect(list).toEqual(frames.map((data): JsonValue => JSON.parse(data)))
  })

  test('texts in a row become one, and what they cite moves along', () => {
    const text = (index: number, said: string): StreamEvent[] => [
      { type: 'part_start', choice: 0, index, part: { type: 'text', text: said } },
      {
        type: 'citation',
        choice: 0,
        index,
        citation: { url: `https://${index}`, startIndex: 0, endIndex: 1, source },
      },
      { type: 'part_end', choice: 0, index },
    ]
    const events: StreamEvent[] = [
      ...text(0, 'öß'),
      ...text(1, 'x'),
      { type: 'finish', choice: 0, finish: { reason: 'stop', native: 'stop' } },
      { type: 'end' },
    ]
    const streamed = writeStream(events)
    const losses = new Losses()
    const whole = gemini.chat.renderChatAnswer(accumulate(events), CONTEXT, losses)
    const read = accumulate(readStream(chunksOf(streamed.text)))
    expect(read.choices[0]?.parts).toMatchObject([
      {
        text: 'ößx',
        citations: [
          { startIndex: 0, endIndex: 1 },
          { startIndex: 2, endIndex: 3 },
        ],
      },
    ])
    expect(normal(read)).toEqual(normal(gemini.chat.parseChatAnswer(whole)))
    expect(streamed.lost.sort()).toEqual(
      losses.list.map(({ field, kind }) => `${field} ${kind}`).sort()
    )
  })

  test('what its reader left open is said as far as it came', () => {
    const { text } = writeStream([
      { type: 'part_start', choice: 0, index: 0, part: { type: 'text', text: 'a' } },
      {
        type: 'part_start',
        choice: 0,
        index: 1,
        part: { type: 'tool_call', id: 'c', name: 'f', arguments: '{}' },
      },
      { type: 'part_start', choice: 0, index: 2, part: { type: 'text', text: 'b' } },
      { type: 'finish', choice: 0, finish: { reason: 'tool_calls', native: 'tool_calls' } },
      { type: 'end' },
    ])
    expect(accumulate(readStream(chunksOf(text))).choices[0]?.parts).toMatchObject([
      { text: 'a' },
      { id: 'c' },
      { text: 'b' },
    ])
  })

  test('an answer without content still ends', () => {
    const { text } = writeStream([
      { type: 'start' },
      { type: 'finish', choice: 0, finish: { reason: 'content_filter', native: 'content_filter' } },
      { type: 'end' },
    ])
    expect(chunksOf(text).map((data): JsonValue => JSON.parse(data))).toEqual([
      {
        candidates: [
          { content: { parts: [{ text: '' }], role: 'model' }, finishReason: 'SAFETY', index: 0 },
        ],
        modelVersion: 'asked-model',
        responseId: 'req-1',
      },
    ])
  })

  test('media leave whole, what can not be said is told', () => {
    const { text, lost } = writeStream([
      {
        type: 'part_start',
        choice: 0,
        index: 0,
        part: { type: 'media', media: 'audio', data: { base64: 'AA' } },
      },
      { type: 'delta', choice: 0, index: 0, text: 'BB' },
      {
        type: 'part_facts',
        choice: 0,
        index: 0,
        facts: { mimeType: 'audio/wav', transcript: 't' },
      },
      { type: 'part_end', choice: 0, index: 0 },
      { type: 'part_start', choice: 0, index: 1, part: { type: 'refusal', text: 'no' } },
      { type: 'part_end', choice: 0, index: 1 },
      { type: 'part_start', choice: 0, index: 2, part: { type: 'native', name: 'x', source } },
      { type: 'part_end', choice: 0, index: 2 },
      { type: 'finish', choice: 0, finish: { reason: 'stop', native: 'stop' } },
      { type: 'end' },
    ])
    expect(chunksOf(text).map((data): JsonObject => JSON.parse(data))).toMatchObject([
      {
        candidates: [
          { content: { parts: [{ inlineData: { mimeType: 'audio/wav', data: 'AABB' } }] } },
        ],
      },
      { candidates: [{ content: { parts: [{ text: 'no' }] } }] },
      { candidates: [{ finishReason: 'STOP' }] },
    ])
    expect(lost).toEqual([
      'choices.0.message.content.0.transcript dropped',
      'choices.0.message.content.1 rewritten',
      'choices.0.message.content.2 dropped',
    ])
  })
})

describe('the list of a same-format stream', () => {
  test('has the data of the frames as they are', () => {
    const reframer = geminiArray.client.createReframer?.()
    if (reframer === undefined) throw new Error('there is none')
    const frame = (data: string | undefined) =>
      decoder.decode(reframer.frame({ bytes: new Uint8Array(0), data, event: undefined }))
    const text =
      frame('{"a": 1.0}') + frame(undefined) + frame('{"b":2}') + decoder.decode(reframer.end())
    expect(text).toBe('[{"a": 1.0},\n{"b":2}\n]\n')
  })

  test('is a list even when it is empty, and a heartbeat changes nothing', () => {
    const text = decoder.decode(geminiArray.client.createReframer?.().end())
    expect(JSON.parse(decoder.decode(geminiArray.client.heartbeatFrame) + text)).toEqual([])
    expect(geminiArray.client.reframes).toBe(gemini.name)
  })

  test('events have no heartbeat that all SDKs would bear', () => {
    expect(gemini.client.heartbeatFrame).toHaveLength(0)
  })
})
