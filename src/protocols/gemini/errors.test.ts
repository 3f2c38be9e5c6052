import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../../errors/gateway-error'
import { parseError, renderError, toErrorInAnswer } from './errors'
import { gemini, geminiArray } from './gemini'

const encode = (text: string) => new TextEncoder().encode(text)
const refuse = (status: number, body: string, headers = {}) =>
  parseError('google', { status, headers, body: encode(body) })

const body = (code: number, message: string, details: object[] = []) =>
  JSON.stringify({ error: { code, message, status: 'X', details } })
const RETRY = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.4s' }

describe('an error for the client', () => {
  test.each([
    ['invalid_request', 400, 'INVALID_ARGUMENT'],
    ['invalid_api_key', 401, 'UNAUTHENTICATED'],
    ['model_not_allowed', 403, 'PERMISSION_DENIED'],
    ['model_not_found', 404, 'NOT_FOUND'],
    ['request_too_large', 413, 'INVALID_ARGUMENT'],
    ['internal_error', 500, 'INTERNAL'],
    ['upstream_malformed', 502, 'UNAVAILABLE'],
    ['overloaded', 503, 'UNAVAILABLE'],
    ['upstream_timeout', 504, 'DEADLINE_EXCEEDED'],
  ] as const)('%s has the code %i and is %s', (code, status, name) => {
    const { error } = JSON.parse(renderError(new GatewayError(code, 'no'), 'r'))
    expect(error).toMatchObject({ code: status, message: 'no', status: name })
    expect(error.details[0]).toMatchObject({ reason: code.toUpperCase(), domain: 'tollgate' })
    expect(error.details[1].requestId).toBe('r')
  })

  test('says when to come again, and which field is at fault', () => {
    const error = new GatewayError('overloaded', 'no', { retryAfterSeconds: 9, param: 'x' })
    const { details } = JSON.parse(renderError(error, 'r')).error
    expect(details[0].metadata).toEqual({ param: 'x' })
    expect(details[2]).toEqual({ ...RETRY, retryDelay: '9s' })
  })

  test("is the upstream's own where that has Google's shape alone", () => {
    const own = body(429, 'slow down')
    const passed = new GatewayError('upstream_refused', 'said', { status: 429, answer: own })
    expect(renderError(passed, 'r')).toBe(own)
    const foreign = '{"error":{"message":"slow down","type":"x","code":"rate_limit"}}'
    const translated = new GatewayError('upstream_refused', 'said', {
      status: 429,
      answer: foreign,
    })
    expect(JSON.parse(renderError(translated, 'r')).error).toMatchObject({
      code: 429,
      message: 'said',
      status: 'RESOURCE_EXHAUSTED',
    })
  })

  test('in a stream is one event of one line', () => {
    const answer = JSON.stringify(JSON.parse(body(503, 'a')), undefined, 2)
    const error = new GatewayError('upstream_refused', 'said', { status: 503, answer })
    const frame = new TextDecoder().decode(gemini.client.renderErrorFrame(error, 'r'))
    expect(frame).toMatch(/^data: \{.*\}\n\n$/)
    expect(JSON.parse(frame.slice(6)).error.code).toBe(503)
  })

  test('in a list is its last element, and leaves the list open', () => {
    const error = new GatewayError('upstream_broken', 'gone')
    const frame = new TextDecoder().decode(geminiArray.client.renderErrorFrame(error, 'r'))
    expect(JSON.parse(`[{}${frame}]`)[1].error).toMatchObject({ code: 502, message: 'gone' })
    expect(() => JSON.parse(`[{}${frame}`)).toThrow()
  })
})

describe('an error of the upstream', () => {
  test('keeps its body, and says when to come again', () => {
    const error = refuse(429, body(429, 'slow', [RETRY]))
    expect(error).toMatchObject({
      code: 'upstream_refused',
      status: 429,
      retryAfterSeconds: 35,
      answer: body(429, 'slow', [RETRY]),
    })
    expect(error.message).toContain('slow')
  })

  test('says it in a header first', () => {
    const error = refuse(429, body(429, 'slow', [RETRY]), { 'retry-after': '3' })
    expect(error.retryAfterSeconds).toBeUndefined()
    expect(error.headers).toEqual({ 'retry-after': '3' })
  })

  test.each([
    [401, body(401, 'key AIzaSecret is bad')],
    [403, body(403, 'project 12345 may not')],
    [400, body(400, 'secret', [{ reason: 'API_KEY_INVALID' }])],
    [400, body(400, 'API key not valid. Please pass a valid API key.')],
  ])('%i about our credential shows none of it', (status, text) => {
    const error = refuse(status, text)
    expect(error).toMatchObject({ code: 'upstream_unauthorized', status: 502, shouldRetry: false })
    expect(renderError(error, 'r')).not.toContain(JSON.parse(text).error.message)
    expect(error.detail).toBe(JSON.parse(text).error.message)
  })

  test.each([
    ['a list', `[${body(500, 'boom')}]`, 'boom'],
    ['a page', '<html><h1>Bad gateway</h1></html>', 'Bad gateway'],
    ['nothing', '', '(nothing readable)'],
    ['a text', '{"error":"text"}', 'text'],
  ])('as %s is told, but not passed on', (_, text, message) => {
    const error = refuse(500, text)
    expect(error.message).toContain(message)
    expect(error.answer).toBeUndefined()
  })

  test('by a redirect is never followed', () => {
    expect(refuse(307, '').code).toBe('upstream_redirected')
  })

  test('in an answer of status 200 has the status that it tells', () => {
    const value = { error: { code: 503, message: 'busy' } }
    expect(toErrorInAnswer(value, JSON.stringify(value)).status).toBe(503)
    expect(toErrorInAnswer({ error: { message: 'odd' } }, '{}').status).toBe(502)
  })
})
