import { describe, expect, test } from 'bun:test'
import { GatewayError } from '../../errors/gateway-error'
import { ollamaChat } from './ollama'

const { client, upstream } = ollamaChat

describe('to a client', () => {
  test.each([
    ['of our own', undefined, '{"error":"no such model"}'],
    ['of another format', '{"error":{"type":"x"}}', '{"error":"no such model"}'],
    ['that is no JSON', '<html>', '{"error":"no such model"}'],
    ['of the same format passes', '{"error":"gone","tomorrow":1}', '{"error":"gone","tomorrow":1}'],
  ])('an error %s', (_name, answer, body) => {
    const error = new GatewayError('upstream_refused', 'no such model', {
      ...(answer !== undefined && { answer }),
    })
    expect(client.renderError(error, 'request-1')).toBe(body)
  })

  test('one in a stream is one line, however it was laid out', () => {
    const answer = '{\n  "error": "gone"\r\n}'
    const error = new GatewayError('upstream_refused', 'gone', { answer })
    const line = Buffer.from(client.renderErrorFrame(error, 'request-1')).toString()
    expect(line.indexOf('\n')).toBe(line.length - 1)
    expect(JSON.parse(line)).toEqual({ error: 'gone' })
  })

  test('silence is kept: no byte between lines means nothing to its clients', () => {
    expect(client.heartbeatFrame).toHaveLength(0)
    expect(client.streamType).toBe('application/x-ndjson')
  })
})

test('a refusal keeps its message, its body and when to come back', () => {
  const headers = { 'retry-after': '7' }
  const body = Buffer.from('{"error":"too many concurrent requests"}')
  const error = upstream.parseError('ollama-cloud', { status: 429, headers, body })
  expect(error).toMatchObject({
    code: 'upstream_refused',
    status: 429,
    headers,
    answer: body.toString(),
  })
  expect(error.message).toContain('too many concurrent requests')
})

test('what a host says about our credential is not the caller’s to know', () => {
  const body = Buffer.from('{"error":"invalid key sk-secret"}')
  const error = upstream.parseError('ollama-cloud', { status: 401, headers: {}, body })
  expect(error.message).not.toContain('sk-secret')
  expect(client.renderError(error, 'request-1')).not.toContain('sk-secret')
})

test('asks at /api/chat, with a key where there is one', () => {
  const target = { model: 'm', stream: true, baseUrl: 'https://ollama.com' }
  expect(upstream.path(target)).toBe('/api/chat')
  expect(upstream.headers('k')).toEqual({ authorization: 'Bearer k' })
  expect(upstream.headers(undefined)).toEqual({})
})
