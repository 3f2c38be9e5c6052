import { describe, expect, test } from 'bun:test'
import { GatewayError } from '../../errors/gateway-error'
import { cohereChat } from './cohere'

const OWN = '{"id":"7","message":"invalid request: model is required"}'

function parse(status: number, body: string, headers: Record<string, string> = {}): GatewayError {
  return cohereChat.upstream.parseError('cohere', { status, headers, body: Buffer.from(body) })
}

describe('an error status', () => {
  test.each<[number, string, string, number, string]>([
    [400, OWN, 'upstream_refused', 400, 'invalid request: model is required'],
    [429, '{"message":"trial limit"}', 'upstream_refused', 429, 'trial limit'],
    [498, '{"message":"blocked"}', 'upstream_refused', 498, 'blocked'],
    [502, '<html><h1>Bad Gateway</h1></html>', 'upstream_refused', 502, 'Bad Gateway'],
    [302, '', 'upstream_redirected', 502, 'base_url'],
    [401, '{"message":"invalid api token"}', 'upstream_unauthorized', 502, 'api_key'],
  ])('%d with %s', (status, body, code, shown, message) => {
    const error = parse(status, body)
    expect(error).toMatchObject({ code, status: shown })
    expect(error.message).toContain(message)
  })

  test('of the credential shows nobody what was said about it', () => {
    const error = parse(401, '{"message":"invalid api token co-1234"}')
    expect(error.message).not.toContain('co-1234')
    expect(cohereChat.client.renderError(error, 'r')).not.toContain('co-1234')
  })

  test('goes to a client of this format as it came, with its headers', () => {
    const error = parse(429, OWN, { 'retry-after': '1' })
    expect(cohereChat.client.renderError(error, 'r')).toBe(OWN)
    expect(error.headers).toEqual({ 'retry-after': '1' })
  })

  test.each([
    '{"type":"error","error":{"message":"no"}}',
    '{"object":"error","message":"no","type":"BadRequest"}',
    'no JSON',
  ])('whose body is another format’s is told in this one’s: %s', (answer) => {
    const error = new GatewayError('upstream_refused', 'it said no', { answer })
    expect(JSON.parse(cohereChat.client.renderError(error, 'r'))).toEqual({
      id: 'r',
      message: 'it said no',
    })
  })
})
