import { describe, expect, test } from 'bun:test'

import { type ErrorCode, GatewayError } from '../../errors/gateway-error'
import type { Answer, Choice, Finish } from '../answer'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { NO_USAGE, type Usage } from '../usage'
import { parseAnswer } from './answer'
import { CONTEXT } from './fixtures/generation'
import { gemini } from './gemini'
import { renderUsage, toUsage } from './usage'

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

function candidate(parts: JsonObject[], more: JsonObject = {}): JsonObject {
  return {
    candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', ...more }],
    responseId: 'resp-1',
    modelVersion: 'gemini-x',
  }
}

const withoutSources = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (name, member) => (name === 'source' ? undefined : member)))

const read = (json: JsonObject): Choice | undefined => gemini.chat.parseChatAnswer(json).choices[0]

function faultOf(json: JsonObject | string): GatewayError {
  try {
    gemini.chat.parseChatAnswer(json)
  } catch (error) {
    return GatewayError.from(error)
  }
  throw new Error('it was taken')
}

function write(choice: Partial<Choice>, answer: Partial<Answer> = {}) {
  const losses = new Losses()
  const finish: Finish = { reason: 'stop', native: 'stop' }
  const json = gemini.chat.renderChatAnswer(
    { choices: [{ parts: [], finish, ...choice }], ...answer },
    CONTEXT,
    losses
  )
  return { json, lost: losses.list.map(({ field, kind }) => `${field} ${kind}`) }
}

describe('a whole answer', () => {
  test('says who made it, and when', () => {
    const json = { ...candidate([{ text: 'a' }]), createTime: '2026-05-04T20:01:02.264968Z' }
    expect(gemini.chat.parseChatAnswer(json)).toMatchObject({
      id: 'resp-1',
      model: 'gemini-x',
      createdAt: 1_777_924_862,
    })
  })

  test('has its candidates in the order of their index', () => {
    const at = (index: number) => ({
      content: { parts: [{ text: `${index}` }] },
      finishReason: 'STOP',
      index,
    })
    const { choices } = gemini.chat.parseChatAnswer({ candidates: [at(1), at(0)] })
    expect(choices.map(({ parts }) => parts[0])).toMatchObject([{ text: '0' }, { text: '1' }])
  })

  test('ends with calls where there are some, and names those that have no id', () => {
    const call = (functionCall: JsonObject) => ({ functionCall })
    const json = candidate([call({ name: 'f' }), call({ id: 'own', name: 'f' }), { text: '' }])
    const choice = read(json)
    expect(choice?.finish).toEqual({ reason: 'tool_calls', native: 'STOP' })
    expect(choice?.parts).toMatchObject([{ id: 'call_resp1_0_0' }, { id: 'own' }])
    expect(choice?.parts).toHaveLength(2)
    const other = read({ ...json, responseId: 'resp-2' })
    expect(other?.parts[0]).not.toMatchObject({ id: 'call_resp1_0_0' })
  })

  test('that was blocked is one without content', () => {
    const promptFeedback = { blockReason: 'SAFETY', blockReasonMessage: 'why' }
    expect(read({ promptFeedback })).toEqual({
      parts: [],
      finish: { reason: 'content_filter', native: 'SAFETY', detail: 'why' },
    })
    expect(parseAnswer(encode({ promptFeedback })).finishReasons).toEqual(['SAFETY'])
  })

  test.each<[JsonObject | string, ErrorCode]>([
    [{}, 'upstream_malformed'],
    ['text', 'upstream_malformed'],
    [{ candidates: [] }, 'upstream_malformed'],
    [{ usageMetadata: { promptTokenCount: 1 } }, 'upstream_malformed'],
    [{ error: { code: 503, message: 'busy' } }, 'upstream_refused'],
  ])('%j is none', (json, code) => {
    expect(faultOf(json).code).toBe(code)
    expect(() => parseAnswer(encode(json))).toThrow(GatewayError)
  })

  test('tells its facts', () => {
    const usageMetadata = { promptTokenCount: 1, candidatesTokenCount: 2 }
    expect(parseAnswer(encode({ ...candidate([]), usageMetadata }))).toMatchObject({
      finishReasons: ['STOP'],
      usage: { inputTokens: 1, outputTokens: 2 },
    })
    expect(() => parseAnswer(new TextEncoder().encode('<html>'))).toThrow('not an answer')
    expect(() => parseAnswer(new Uint8Array(0))).toThrow('an empty body')
  })
})

describe('the end of a candidate', () => {
  test.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['CONTINUATION', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['LANGUAGE', 'content_filter'],
    ['BLOCKLIST', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter'],
    ['SPII', 'content_filter'],
    ['IMAGE_SAFETY', 'content_filter'],
    ['SOMETHING_NEW', 'unknown'],
    ['constructor', 'unknown'],
  ])('%s is %s', (finishReason, reason) => {
    expect(read(candidate([], { finishReason }))?.finish).toMatchObject({
      reason,
      native: finishReason,
    })
  })

  test.each(['OTHER', 'MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS'])(
    '%s is a failure of the provider',
    (finishReason) => {
      const fault = faultOf(candidate([{ text: 'a' }], { finishReason, finishMessage: 'odd' }))
      expect(fault).toMatchObject({ code: 'upstream_refused', status: 502 })
      expect(fault.message).toBe(`the model failed to answer: ${finishReason}: odd`)
    }
  )

  test.each<[Finish, string, boolean]>([
    [{ reason: 'stop', native: 'end_turn' }, 'STOP', false],
    [{ reason: 'length', native: 'max_tokens' }, 'MAX_TOKENS', false],
    [{ reason: 'context_window', native: 'x' }, 'MAX_TOKENS', true],
    [{ reason: 'stop_sequence', native: 'x', stopSequence: '.' }, 'STOP', true],
    [{ reason: 'content_filter', native: 'content_filter' }, 'SAFETY', false],
    [{ reason: 'content_filter', native: 'SPII' }, 'SPII', false],
    [{ reason: 'refusal', native: 'refusal' }, 'SAFETY', true],
    [{ reason: 'tool_calls', native: 'tool_calls' }, 'STOP', true],
    [{ reason: 'pause', native: 'pause_turn' }, 'pause_turn', true],
    [{ reason: 'unknown', native: 'new_reason' }, 'new_reason', false],
    [{ reason: 'unknown', native: '' }, 'FINISH_REASON_UNSPECIFIED', false],
  ])('%j is written as %s', (finish, finishReason, isRewritten) => {
    const { json, lost } = write({ parts: [{ type: 'text', text: 'a' }], finish })
    expect(json.candidates).toMatchObject([{ finishReason }])
    expect(lost).toEqual(isRewritten ? ['choices.0.finish_reason rewritten'] : [])
  })
})

describe('sources', () => {
  const text = 'Größe: 3 m. Ende.'
  const cited = candidate([{ text: 'hm', thought: true }, { text }], {
    groundingMetadata: {
      groundingChunks: [
        { web: { uri: 'https://a', title: 'A' } },
        { web: { uri: 'https://b' } },
        { retrievedContext: { title: 'C', text: 'quote' } },
      ],
      groundingSupports: [
        { segment: { endIndex: 13, text: 'Größe: 3 m.' }, groundingChunkIndices: [0, 2] },
        { segment: { startIndex: 14, endIndex: 19, partIndex: 1 }, groundingChunkIndices: [0] },
      ],
    },
    citationMetadata: { citations: [{ startIndex: 0, endIndex: 2, uri: 'https://d' }] },
  })

  test('are citations, in characters', () => {
    const part = read(cited)?.parts[1]
    const citations = part?.type === 'text' ? part.citations : []
    expect(withoutSources(citations)).toEqual([
      { url: 'https://a', title: 'A', startIndex: 0, endIndex: 11 },
      { url: 'https://a', title: 'A', startIndex: 12, endIndex: 17 },
      { url: 'https://b' },
      { title: 'C', citedText: 'quote', startIndex: 0, endIndex: 11 },
      { url: 'https://d', startIndex: 0, endIndex: 2 },
    ])
  })

  test('are written and read back', () => {
    const choice = read(cited)
    const { json, lost } = write(choice ?? {})
    expect(lost).toEqual([])
    const before = choice?.parts[1]
    const after = read(json)?.parts[1]
    const plain = (part: typeof before) => part?.type === 'text' && withoutSources(part.citations)
    expect(plain(after)).toEqual(plain(before))
  })

  test('without a text stand with an empty one', () => {
    const groundingMetadata = { groundingChunks: [{ web: { uri: 'https://a' } }] }
    expect(read(candidate([], { groundingMetadata }))?.parts).toMatchObject([
      { type: 'text', text: '', citations: [{ url: 'https://a' }] },
    ])
  })

  test('that are quoted for a whole text have its place where texts become one', () => {
    const source = { protocol: 'anthropic-messages' as const, json: {} }
    const texts = ['ö', 'b'].map((text) => ({
      type: 'text' as const,
      text,
      citations: [{ url: `https://${text}`, citedText: 'q', source }],
    }))
    const { json, lost } = write({ parts: texts })
    expect(read(json)?.parts).toMatchObject([
      {
        text: 'öb',
        citations: [
          { url: 'https://ö', startIndex: 0, endIndex: 1 },
          { url: 'https://b', startIndex: 1, endIndex: 2 },
        ],
      },
    ])
    expect(lost).toEqual([
      'choices.0.message.content rewritten',
      'choices.0.message.content.0.citations rewritten',
      'choices.0.message.content.1.citations rewritten',
    ])
  })

  test('that name a document of the request, or nothing, are told', () => {
    const source = { protocol: 'anthropic-messages' as const, json: {} }
    const citations = [{ documentIndex: 0, citedText: 'q', source }, { source }]
    const { json, lost } = write({ parts: [{ type: 'text', text: 'a', citations }] })
    expect(json.candidates).toMatchObject([
      { groundingMetadata: { groundingChunks: [{ retrievedContext: { text: 'q' } }] } },
    ])
    expect(lost).toEqual([
      'choices.0.message.content.0.citations dropped',
      'choices.0.message.content.0.citations rewritten',
    ])
  })
})

describe('log probabilities', () => {
  const tokens = [
    { token: 'a', logprob: -0.1, top: [{ token: 'b', logprob: -2 }] },
    { token: 'c', logprob: 0, top: [] },
  ]

  test('are written and read back', () => {
    const { json, lost } = write({ logprobs: tokens })
    expect(read(json)?.logprobs).toEqual(tokens)
    expect(lost).toEqual([])
  })

  test('lose the bytes of their tokens', () => {
    const { lost } = write({ logprobs: [{ token: 'a', logprob: 0, bytes: [97], top: [] }] })
    expect(lost).toEqual(['choices.0.logprobs.bytes dropped'])
  })
})

describe('usage', () => {
  test.each<[JsonObject, Partial<Usage> | undefined]>([
    [
      {
        promptTokenCount: 9,
        candidatesTokenCount: 5,
        thoughtsTokenCount: 185,
        totalTokenCount: 199,
      },
      { inputTokens: 9, outputTokens: 190, reasoningTokens: 185 },
    ],
    [
      { promptTokenCount: 9, toolUsePromptTokenCount: 100, candidatesTokenCount: 5 },
      { inputTokens: 109, outputTokens: 5 },
    ],
    [
      { promptTokenCount: 9, cachedContentTokenCount: 8, totalTokenCount: 9 },
      { inputTokens: 9, outputTokens: 0, cacheReadTokens: 8 },
    ],
    [
      {
        promptTokenCount: 9,
        toolUsePromptTokenCount: 3,
        thoughtsTokenCount: 2,
        totalTokenCount: 14,
      },
      { inputTokens: 12, outputTokens: 2 },
    ],
    [
      {
        promptTokenCount: 9,
        candidatesTokenCount: 1,
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: 1 },
          { modality: 'AUDIO', tokenCount: 8 },
        ],
      },
      { inputTokens: 9, audioInputTokens: 8 },
    ],
    [{ trafficType: 'ON_DEMAND' }, undefined],
  ])('%j', (metadata, expected) => {
    const usage = toUsage(metadata)
    if (expected === undefined) expect(usage).toBeUndefined()
    else expect(usage).toMatchObject(expected)
  })

  test('is written and read back', () => {
    const usage: Usage = {
      inputTokens: 10,
      outputTokens: 7,
      cacheReadTokens: 4,
      cacheWriteTokens: undefined,
      reasoningTokens: 5,
      audioInputTokens: 3,
      audioOutputTokens: 2,
    }
    const losses = new Losses()
    const metadata = renderUsage(usage, losses)
    expect(metadata).toMatchObject({ candidatesTokenCount: 2, totalTokenCount: 17 })
    expect(toUsage(metadata)).toEqual(usage)
    expect(losses.isEmpty).toBe(true)
  })

  test('has no word for what was written to a cache, and makes no sum of what is unknown', () => {
    const losses = new Losses()
    expect(renderUsage({ ...NO_USAGE, inputTokens: 1, cacheWriteTokens: 1 }, losses)).toEqual({
      promptTokenCount: 1,
    })
    expect(losses.list).toEqual([{ field: 'usage.cache_write_tokens', kind: 'dropped' }])
  })
})

describe('an answer of another format', () => {
  test('is written with what is known of it', () => {
    const { json, lost } = write(
      {
        parts: [
          { type: 'reasoning', text: 'hm' },
          { type: 'text', text: '' },
          { type: 'text', text: 'a' },
          { type: 'tool_call', id: 'c1', name: 'f', arguments: '{"a":1}' },
        ],
        finish: { reason: 'tool_calls', native: 'tool_use' },
      },
      {
        id: 'id-1',
        createdAt: 1,
        serviceTier: 'flex',
        usage: { ...NO_USAGE, inputTokens: 1, outputTokens: 2 },
      }
    )
    expect(json).toEqual({
      candidates: [
        {
          content: {
            parts: [
              { text: 'hm', thought: true },
              { text: 'a' },
              { functionCall: { id: 'c1', name: 'f', args: { a: 1 } } },
            ],
            role: 'model',
          },
          finishReason: 'STOP',
          index: 0,
        },
      ],
      usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2, totalTokenCount: 3 },
      modelVersion: 'asked-model',
      createTime: '1970-01-01T00:00:01.000Z',
      responseId: 'id-1',
    })
    expect(lost).toEqual(['service_tier dropped'])
  })

  test('without content has an empty text', () => {
    expect(write({}).json).toMatchObject({
      candidates: [{ content: { parts: [{ text: '' }] } }],
      responseId: 'req-1',
    })
  })
})
