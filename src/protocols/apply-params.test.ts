import { describe, expect, test } from 'bun:test'

import { applyParams, type Params } from './apply-params'

const apply = (body: string, params: Params, protocol = 'openai-chat') =>
  new TextDecoder().decode(applyParams(new TextEncoder().encode(body), params, protocol))

describe('applyParams', () => {
  test('changes what is named and keeps every other byte', () => {
    const body = '{ "messages": [ 1.0 ],"temperature" : 1, "x":"ü" }'
    expect(apply(body, { temperature: 0.2, seed: 7 })).toBe(
      '{ "messages": [ 1.0 ],"temperature" : 0.2, "x":"ü" ,"seed":7}'
    )
  })

  test('takes out what is null', () => {
    expect(apply('{"temperature":1,"a":2}', { temperature: null })).toBe('{"a":2}')
    expect(apply('{"a":2}', { temperature: null })).toBe('{"a":2}')
  })

  test.each([
    ['{"max_tokens":9}', '{"max_tokens":5}'],
    ['{"max_completion_tokens":9}', '{"max_completion_tokens":5}'],
    ['{"max_tokens":9,"max_completion_tokens":9}', '{"max_tokens":5,"max_completion_tokens":5}'],
    ['{"a":1}', '{"a":1,"max_completion_tokens":5}'],
  ])('spells the limit of a chat as the body does: %s', (body, wanted) => {
    expect(apply(body, { max_tokens: 5 })).toBe(wanted)
  })

  const params = { temperature: 0, top_p: 0.5, max_tokens: 5, stop: 'x' }

  test.each([
    ['openai-responses', { temperature: 0, top_p: 0.5, max_output_tokens: 5, stop: 'x' }],
    ['anthropic-messages', { temperature: 0, top_p: 0.5, max_tokens: 5, stop_sequences: ['x'] }],
    ['cohere-chat', { temperature: 0, p: 0.5, max_tokens: 5, stop_sequences: ['x'] }],
    [
      'gemini',
      { generationConfig: { temperature: 0, topP: 0.5, maxOutputTokens: 5, stopSequences: ['x'] } },
    ],
    [
      'bedrock-converse',
      { inferenceConfig: { temperature: 0, topP: 0.5, maxTokens: 5, stopSequences: ['x'] } },
    ],
    ['ollama-chat', { options: { temperature: 0, top_p: 0.5, num_predict: 5, stop: ['x'] } }],
  ])('names them as %s does', (protocol, wanted) => {
    expect(JSON.parse(apply('{}', params, protocol))).toEqual(wanted)
  })

  test('keeps the other members of the object that they stand in', () => {
    const body = '{"contents":[],"generationConfig":{ "topK":1.0,"temperature":1},"a":1}'
    expect(apply(body, { temperature: 0, thinkingConfig: { x: 1 } }, 'gemini')).toBe(
      '{"contents":[],"generationConfig":{ "topK":1.0,"temperature":0},"a":1,"thinkingConfig":{"x":1}}'
    )
    expect(apply('{"options":null}', { temperature: 0 }, 'ollama-chat')).toBe(
      '{"options":{"temperature":0}}'
    )
  })
})
