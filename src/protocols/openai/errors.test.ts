import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../../errors/gateway-error'
import { parseError, renderError, renderErrorFrame } from './errors'

const parse = (status: number, text: string, headers: Record<string, string> = {}) =>
  parseError('openai', { status, headers, body: new TextEncoder().encode(text) })

describe('parseError', () => {
  test('keeps an error body in OpenAI’s shape as it came, with its status and headers', () => {
    const body = '{ "error": {"message":"Slow down","type":"tokens","param":null,"code":"x"}}'
    const error = parse(429, body, { 'retry-after': '7' })
    expect(error).toMatchObject({
      code: 'upstream_refused',
      status: 429,
      headers: { 'retry-after': '7' },
    })
    expect(renderError(error)).toBe(body)
  })

  test.each([
    [500, '{"error":"overloaded"}', 'overloaded'],
    [422, '{"message":"bad field"}', 'bad field'],
    [422, '{"detail":"bad field"}', 'bad field'],
    [
      503,
      '<html><style>x{}</style><h1>503 Service Unavailable</h1></html>',
      '503 Service Unavailable',
    ],
    [500, '', 'nothing readable'],
    [500, '{"error":{"code":1}}', '500'],
  ])('puts a %d with %p into that shape', (status, text, says) => {
    const error = parse(status, text)
    expect(error.status).toBe(status)
    const rendered: unknown = JSON.parse(renderError(error))
    expect(rendered).toMatchObject({
      error: {
        message: expect.stringContaining(says),
        type: 'upstream_error',
        param: null,
        code: 'upstream_refused',
      },
    })
  })

  test.each([
    '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}',
    '{"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}',
    '{"message":"Overloaded"}',
    'Overloaded',
  ])('an answer in another format is told in this one: %s', (answer) => {
    const error = new GatewayError('upstream_refused', 'it answered 503: Overloaded', {
      status: 503,
      answer,
    })
    const told = {
      message: 'it answered 503: Overloaded',
      type: 'upstream_error',
      param: null,
      code: 'upstream_refused',
    }
    expect(JSON.parse(renderError(error))).toEqual({ error: told })
  })

  test.each([401, 403])(
    'makes a %d the gateway’s own failure, and keeps what was said',
    (status) => {
      const error = parse(status, '{"error":{"message":"Incorrect API key provided: sk-x."}}')
      expect(error).toMatchObject({
        code: 'upstream_unauthorized',
        status: 502,
        shouldRetry: false,
        detail: 'Incorrect API key provided: sk-x.',
      })
      expect(renderError(error)).not.toContain('sk-x')
    }
  )

  test.each([301, 302, 307, 308])('makes a %d a hint about base_url', (status) => {
    const error = parse(status, '')
    expect(error).toMatchObject({ code: 'upstream_redirected', status: 502, shouldRetry: false })
    expect(error.message).toContain('base_url')
  })

  test('bounds how much of a page is told', () => {
    expect(parse(500, 'x'.repeat(100_000)).message.length).toBeLessThan(500)
  })
})

describe('renderErrorFrame', () => {
  test('is one event in one line, whatever the upstream’s own body looked like', () => {
    const error = parse(500, '{\r\n "error": {\n  "message": "a"\n }\n}')
    const frame = new TextDecoder().decode(renderErrorFrame(error))
    expect(frame).toMatch(/^data: [^\r\n]+\n\n$/)
    expect(JSON.parse(frame.slice(6))).toEqual({ error: { message: 'a' } })
  })

  test('tells no one what was unexpected', () => {
    const frame = renderErrorFrame(GatewayError.from(new Error('the password is x')))
    const text = new TextDecoder().decode(frame)
    expect(text).toContain('"code":"internal_error"')
    expect(text).not.toContain('password')
  })
})
