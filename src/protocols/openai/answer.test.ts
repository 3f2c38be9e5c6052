import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../../errors/gateway-error'
import { parseCompletion, parseEmbeddings } from './answer'
import { toUsage } from './usage'

const bytes = (text: string) => new TextEncoder().encode(text)

function faultOf(parse: () => unknown) {
  try {
    parse()
  } catch (error) {
    return GatewayError.from(error)
  }
  throw new Error('it was taken')
}

describe('parseCompletion', () => {
  test('reads usage and a finish reason for each choice, raw', () => {
    const text =
      '\n\n{"choices":[{"index":0,"finish_reason":"stop"},{"finish_reason":"eos"},{}],"usage":{"prompt_tokens":1,"completion_tokens":2}}'
    expect(parseCompletion(bytes(text))).toMatchObject({
      finishReasons: ['stop', 'eos', 'unknown'],
      usage: { inputTokens: 1, outputTokens: 2 },
    })
  })

  test.each([
    ['', /empty body/],
    ['  \n', /empty body/],
    ['<html><body><h1>Down</h1></body></html>', /is not an answer: Down/],
    ['{"choices":[', /is not an answer/],
    ['[]', /is not an answer/],
    ['{"object":"chat.completion"}', /is not an answer/],
    ['{"choices":null}', /is not an answer/],
  ])('refuses %p', (text, says) => {
    const fault = faultOf(() => parseCompletion(bytes(text)))
    expect(fault).toMatchObject({ code: 'upstream_malformed', status: 502 })
    expect(fault.message).toMatch(says)
  })

  test('takes an error for what it is, whatever the status said', () => {
    const fault = faultOf(() => parseCompletion(bytes('{"error":{"message":"full","code":503}}')))
    expect(fault).toMatchObject({ code: 'upstream_refused', status: 503 })
  })
})

describe('parseEmbeddings', () => {
  test('reads usage, whatever the vectors are', () => {
    const text =
      '{"object":"list","data":[{"embedding":[1e-3,0.5]}],"usage":{"prompt_tokens":8,"total_tokens":8}}'
    expect(parseEmbeddings(bytes(text))).toEqual({
      finishReasons: [],
      usage: {
        inputTokens: 8,
        outputTokens: undefined,
        cacheReadTokens: undefined,
        cacheWriteTokens: undefined,
        reasoningTokens: undefined,
        audioInputTokens: undefined,
        audioOutputTokens: undefined,
      },
    })
    expect(parseEmbeddings(bytes('{"data":[],"error":null}')).usage).toBeUndefined()
  })

  test.each(['', '{"data":[1,]}', '{"object":"list"}', '[]', '<html>'])('refuses %p', (text) => {
    expect(faultOf(() => parseEmbeddings(bytes(text))).code).toBe('upstream_malformed')
  })

  test('takes an error for what it is', () => {
    const fault = faultOf(() => parseEmbeddings(bytes('{"error":{"message":"no","code":400}}')))
    expect(fault).toMatchObject({ code: 'upstream_refused', status: 400 })
  })
})

describe('toUsage', () => {
  test('tells unknown from none', () => {
    expect(toUsage({ prompt_tokens: 0, completion_tokens: 5 })).toMatchObject({
      inputTokens: 0,
      outputTokens: 5,
      cacheReadTokens: undefined,
    })
  })

  test('of what tells no tokens is unknown', () => {
    for (const usage of [undefined, null, {}, [], 'x', { total_tokens: 5 }, { prompt_tokens: 'x' }])
      expect(toUsage(usage)).toBeUndefined()
  })

  test('never takes what is no count', () => {
    const usage = { prompt_tokens: 1, completion_tokens: -1, prompt_tokens_details: null }
    expect(toUsage(usage)).toMatchObject({ inputTokens: 1, outputTokens: undefined })
  })

  test('counts reasoning that xAI tells beside the completion, and only that', () => {
    const usage = {
      prompt_tokens: 12,
      completion_tokens: 1,
      completion_tokens_details: { reasoning_tokens: 228 },
    }
    const outputOf = (total_tokens: number) => toUsage({ ...usage, total_tokens })?.outputTokens
    expect(outputOf(241)).toBe(229)
    expect(outputOf(13)).toBe(1)
    expect(toUsage(usage)?.outputTokens).toBe(1)
  })

  test('reads Moonshot’s cache hits', () => {
    expect(toUsage({ prompt_tokens: 9, cached_tokens: 4 })?.cacheReadTokens).toBe(4)
  })

  test('reads DeepSeek’s cache hits, and OpenAI’s first', () => {
    const deepseek = { prompt_tokens: 9, prompt_cache_hit_tokens: 4, prompt_cache_miss_tokens: 5 }
    expect(toUsage(deepseek)?.cacheReadTokens).toBe(4)
    const both = { ...deepseek, prompt_tokens_details: { cached_tokens: 3 } }
    expect(toUsage(both)?.cacheReadTokens).toBe(3)
  })
})
