import { describe, expect, test } from 'bun:test'
import { type ErrorCode, GatewayError } from '../../errors/gateway-error'
import { errorHeaders, parseError, renderError, renderErrorFrame, toFrameError } from './errors'
import { EventStreamFramer } from './event-stream'

const encoder = new TextEncoder()

function refusal(status: number, body: string) {
  return parseError('bedrock', { status, headers: {}, body: encoder.encode(body) })
}

describe('an error for a client', () => {
  test.each<[ErrorCode, number | undefined, string]>([
    ['invalid_request', undefined, 'ValidationException'],
    ['request_too_large', undefined, 'ValidationException'],
    ['invalid_api_key', undefined, 'AccessDeniedException'],
    ['model_not_allowed', undefined, 'AccessDeniedException'],
    ['model_not_found', undefined, 'ResourceNotFoundException'],
    ['upstream_refused', 402, 'ServiceQuotaExceededException'],
    ['upstream_refused', 424, 'ModelErrorException'],
    ['upstream_refused', 429, 'ThrottlingException'],
    ['internal_error', undefined, 'InternalServerException'],
    ['upstream_broken', undefined, 'InternalServerException'],
    ['overloaded', undefined, 'ServiceUnavailableException'],
    ['upstream_refused', 529, 'ServiceUnavailableException'],
    ['upstream_timeout', undefined, 'ModelTimeoutException'],
  ])('%s (%p) is a %s', (code, status, name) => {
    const error = new GatewayError(code, 'why', status === undefined ? {} : { status })
    expect(errorHeaders(error)).toEqual({ 'x-amzn-errortype': name })
    expect(renderError(error)).toBe('{"message":"why"}')
  })

  test("Bedrock's own body and kind pass", () => {
    const answer = '{"message":"The model returned nothing.","originalStatusCode":500}'
    const headers = { 'x-amzn-errortype': 'ModelErrorException:http://internal.amazon.com/' }
    const error = new GatewayError('upstream_refused', 'x', { status: 424, answer, headers })
    expect(renderError(error)).toBe(answer)
    expect(errorHeaders(error)).toEqual(headers)
  })

  test("another API's body is told anew", () => {
    const answer = '{"error":{"message":"no","type":"x"},"message":"no"}'
    const error = new GatewayError('upstream_refused', 'the provider said no', { answer })
    expect(renderError(error)).toBe('{"message":"the provider said no"}')
  })

  test.each<[ErrorCode, number | undefined, string]>([
    ['upstream_refused', 429, 'throttlingException'],
    ['overloaded', undefined, 'serviceUnavailableException'],
    ['upstream_refused', 529, 'serviceUnavailableException'],
    ['upstream_broken', undefined, 'modelStreamErrorException'],
    ['upstream_timeout', undefined, 'modelStreamErrorException'],
    ['invalid_request', undefined, 'validationException'],
    ['internal_error', undefined, 'internalServerException'],
  ])('%s (%p) in a stream is a %s', (code, status, name) => {
    const error = new GatewayError(code, 'why', status === undefined ? {} : { status })
    const [frame] = new EventStreamFramer().push(renderErrorFrame(error))
    expect(frame?.event).toBe(`exception:${name}`)
    expect(frame?.data).toBe('{"message":"why"}')
  })
})

describe('an error of the upstream', () => {
  test.each([
    [400, '{"message":"Malformed input"}', 'Malformed input'],
    [429, '{"Message":"Too many requests"}', 'Too many requests'],
    [503, '<html><h1>Busy</h1></html>', 'Busy'],
    [500, '', '(nothing readable)'],
  ])('%d keeps its status and what it said', (status, body, said) => {
    const error = refusal(status, body)
    expect(error).toMatchObject({ code: 'upstream_refused', status })
    expect(error.message).toContain(said)
  })

  test('what was said of our credential stays in the log', () => {
    const said = '{"message":"Bearer token for account 123456789012 is not valid"}'
    for (const status of [401, 403]) {
      const error = refusal(status, said)
      expect(error).toMatchObject({ code: 'upstream_unauthorized', shouldRetry: false })
      expect(error.detail).toContain('123456789012')
      expect(renderError(error)).not.toContain('123456789012')
    }
  })

  test('a redirect is never followed', () => {
    expect(refusal(307, '').code).toBe('upstream_redirected')
  })

  test.each([
    ['exception:throttlingException', 429],
    ['exception:validationException', 400],
    ['exception:modelStreamErrorException', 424],
    ['exception:internalServerException', 500],
    ['exception:serviceUnavailableException', 503],
    ['exception:modelTimeoutException', 408],
    ['exception:aNewException', 502],
    ['error:InternalFailure', 502],
  ])('the frame %s is a %d', (event, status) => {
    const error = toFrameError('{"message":"why"}', event)
    expect(error).toMatchObject({ code: 'upstream_refused', status, answer: '{"message":"why"}' })
  })

  test('an event is no error', () => {
    expect(toFrameError('{"message":"why"}', 'messageStart')).toBeUndefined()
    expect(toFrameError('{}', undefined)).toBeUndefined()
  })

  test('a model that failed tells the status it would have had', () => {
    const data = '{"message":"why","originalStatusCode":529,"originalMessage":"Overloaded"}'
    expect(toFrameError(data, 'exception:modelStreamErrorException')?.status).toBe(529)
  })
})
