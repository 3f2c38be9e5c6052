import { describe, expect, test } from 'bun:test'
import { parseConverseRequest, parseInvokeRequest } from './request'

const encode = (text: string) => new TextEncoder().encode(text)
const route = { model: 'us.anthropic.claude-sonnet-4-6', stream: true }

describe('a request to Converse', () => {
  test('takes model and stream from the path and the limit from the body', () => {
    const body = encode('{"messages":[],"inferenceConfig":{"temperature":1,"maxTokens":300}}')
    expect(parseConverseRequest(body, route)).toMatchObject({
      operation: 'generate',
      model: 'us.anthropic.claude-sonnet-4-6',
      stream: true,
      includesUsage: true,
      choices: 1,
      outputLimit: 300,
      modelSpan: undefined,
      body,
    })
  })

  test.each([
    '{"messages":[]}',
    '{"inferenceConfig":null}',
    '{"inferenceConfig":{"maxTokens":"many"}}',
    '{"maxTokens":7}',
  ])('%s has no limit', (body) => {
    expect(parseConverseRequest(encode(body), { model: 'm' }).outputLimit).toBeUndefined()
  })

  test('that is no JSON is refused with the place', () => {
    expect(() => parseConverseRequest(encode('{"messages":[}'), route)).toThrow(
      expect.objectContaining({ code: 'invalid_json', message: expect.stringContaining('line 1') })
    )
  })

  test('without a model in the path is refused', () => {
    expect(() => parseConverseRequest(encode('{}'), {})).toThrow(
      expect.objectContaining({ code: 'invalid_request', param: 'modelId' })
    )
  })
})

test.each([
  ['{"anthropic_version":"bedrock-2023-05-31","max_tokens":5}', 5],
  ['{"prompt":"x","max_gen_len":6}', 6],
  ['{"prompt":"x","max_tokens_to_sample":7}', 7],
  ['{"inputText":"x"}', undefined],
])('the limit of %s is %p', (body, limit) => {
  expect(parseInvokeRequest(encode(body), route).outputLimit).toBe(limit)
})
