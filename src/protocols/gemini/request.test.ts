import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../../errors/gateway-error'
import { parseRequest, renderPath, renderRequest } from './request'

const encode = (text: string) => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const ROUTE = { model: 'm', stream: false }

function faultOf(body: string, route = ROUTE) {
  try {
    parseRequest(encode(body), route)
  } catch (error) {
    return GatewayError.from(error)
  }
  throw new Error('it was taken')
}

describe('the envelope', () => {
  test('has model and stream from the path', () => {
    const envelope = parseRequest(encode('{"contents":[]}'), { model: 'a/b:c', stream: true })
    expect(envelope).toMatchObject({
      model: 'a/b:c',
      stream: true,
      includesUsage: true,
      choices: 1,
      outputLimit: undefined,
      modelSpan: undefined,
    })
  })

  test.each([
    ['{"generationConfig":{"maxOutputTokens":7,"candidateCount":3}}', 7, 3],
    ['{"generation_config":{"max_output_tokens":7,"candidate_count":3}}', 7, 3],
    ['{"generationConfig":{"maxOutputTokens":"7"}}', 7, 1],
    ['{"generationConfig":{"thinkingConfig":{"maxOutputTokens":9}}}', undefined, 1],
    ['{"generationConfig":null}', undefined, 1],
    ['{"contents":[{"parts":[{"text":"\\"maxOutputTokens\\": 4"}]}]}', undefined, 1],
  ])('%s has its limits', (body, outputLimit, choices) => {
    expect(parseRequest(encode(body), ROUTE)).toMatchObject({ outputLimit, choices })
  })

  test.each([
    ['{"generationConfig":{},"generationConfig":{}}', 'generationConfig'],
    ['{"generationConfig":{},"generation_config":{}}', 'generation_config'],
    ['{"generationConfig":{},"generation\\u0043onfig":{}}', 'generationConfig'],
    [
      '{"generationConfig":{"maxOutputTokens":1,"max_output_tokens":99}}',
      'generationConfig.max_output_tokens',
    ],
  ])('%s is refused: it could mean two things', (body, param) => {
    expect(faultOf(body)).toMatchObject({ code: 'invalid_request', param })
  })

  test('tells where a body is not JSON', () => {
    const fault = faultOf('{"contents":\n nope}')
    expect(fault.code).toBe('invalid_json')
    expect(fault.message).toContain('line 2, column 3')
  })

  test('needs a model', () => {
    expect(faultOf('{}', { model: '', stream: false })).toMatchObject({ param: 'model' })
  })
})

describe('the body for a target', () => {
  const rendered = (body: string, model = 'real') =>
    decode(renderRequest(parseRequest(encode(body), ROUTE), { model, askForUsage: true }))

  test('is the bytes that came', () => {
    const body = '{ "contents" : [ ] ,"x":1.0 }'
    expect(rendered(body)).toBe(body)
  })

  test.each([
    ['{"model":"models/m","contents":[]}', '{"model":"models/real","contents":[]}'],
    [
      '{"generateContentRequest":{"x":1,"model":"models/m"}}',
      '{"generateContentRequest":{"x":1,"model":"models/real"}}',
    ],
    ['{"contents":[{"model":"models/m"}]}', '{"contents":[{"model":"models/m"}]}'],
  ])('%s has the model that it names replaced', (body, expected) => {
    expect(rendered(body)).toBe(expected)
  })
})

describe('the path', () => {
  test.each([
    ['https://generativelanguage.googleapis.com', '/v1beta/models/m:generateContent'],
    ['https://generativelanguage.googleapis.com/v1beta', '/models/m:generateContent'],
    ['https://host/v1', '/models/m:generateContent'],
    [
      'https://x-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google',
      '/models/m:generateContent',
    ],
    ['https://host/v1beta1/projects/p', '/models/m:generateContent'],
    ['https://host/genai', '/v1beta/models/m:generateContent'],
  ])('behind %s is %s', (baseUrl, path) => {
    expect(renderPath('generateContent', 'm', baseUrl)).toBe(path)
  })

  test('asks for events where there is a stream, and escapes names', () => {
    expect(renderPath('streamGenerateContent', 'a b', 'https://h')).toBe(
      '/v1beta/models/a%20b:streamGenerateContent?alt=sse'
    )
    expect(renderPath('countTokens', 'tunedModels/x', 'https://h')).toBe(
      '/v1beta/tunedModels/x:countTokens'
    )
  })
})
