import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../../errors/gateway-error'
import { openaiResponses } from './responses'

const { client, upstream } = openaiResponses
const encoder = new TextEncoder()

const parse = (text: string) => client.parseRequest(encoder.encode(text), {})

function render(text: string, model: string): string {
  const bytes = upstream.renderRequest(parse(text), { model, askForUsage: true })
  return new TextDecoder().decode(bytes)
}

describe('parseRequest', () => {
  test('reads what the stages need', () => {
    const text = '{"model":"openai/o4","input":"Hi","stream":true,"max_output_tokens":99,"n":3}'
    expect(parse(text)).toMatchObject({
      operation: 'generate',
      model: 'openai/o4',
      stream: true,
      includesUsage: true,
      choices: 1,
      outputLimit: 99,
    })
  })

  test('has what is left out by its default', () => {
    expect(parse('{"model":"a"}')).toMatchObject({ stream: false, outputLimit: undefined })
  })

  test.each([
    ['{"model":"a","model":"b"}', 'invalid_request', 'model'],
    ['{"mod\\u0065l":"a"}', 'invalid_request', 'model'],
    ['{"model":"a","stream":1}', 'invalid_request', 'stream'],
    ['{"model":""}', 'invalid_request', 'model'],
    ['{"model":"a",}', 'invalid_json', undefined],
    ['[]', 'invalid_json', undefined],
  ] as const)('refuses %s', (text, code, param) => {
    let caught: unknown
    try {
      parse(text)
    } catch (error) {
      caught = error
    }
    expect(GatewayError.from(caught)).toMatchObject({ code, param })
  })
})

describe('renderRequest', () => {
  test('changes the model alone, and never asks for usage', () => {
    const text = '{ "input": "Hi", "model": "a", "temperature": 1.0 }'
    expect(render(text, 'b')).toBe('{ "input": "Hi", "model": "b", "temperature": 1.0 }')
    expect(render(text, 'a')).toBe(text)
  })

  test('goes where OpenAI-like hosts have it', () => {
    const target = { model: 'a', stream: true, baseUrl: 'https://api.openai.com/v1' }
    expect(upstream.path(target)).toBe('/responses')
    expect(upstream.headers('sk')).toEqual({ authorization: 'Bearer sk' })
    expect(upstream.headers(undefined)).toEqual({})
  })
})
