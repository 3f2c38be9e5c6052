import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../errors/gateway-error'
import { assertLocal } from './local-only'

/** What is wrong with a request of these headers to a gateway at `ownHost`. */
function faultOf(headers: Record<string, string>, ownHost = '127.0.0.1'): string | undefined {
  try {
    assertLocal(new Request('http://127.0.0.1:8080/', { headers }), ownHost)
    return undefined
  } catch (error) {
    return GatewayError.from(error).code
  }
}

describe('assertLocal', () => {
  test.each(['localhost:8080', '127.0.0.1', '[::1]:8080', 'LocalHost'])('lets %s pass', (host) => {
    expect(faultOf({ host })).toBeUndefined()
  })

  test('lets the configured address pass', () => {
    expect(faultOf({ host: '127.0.0.2:8080' }, '127.0.0.2')).toBeUndefined()
    expect(faultOf({ host: '[::2]:8080' }, '::2')).toBeUndefined()
    expect(faultOf({ host: '127.0.0.3:8080' }, '127.0.0.2')).toBe('origin_not_allowed')
  })

  test.each(['a.example', 'localhost.a.example', 'a.example:127', 'localhost@a.example'])(
    'refuses the name %s',
    (host) => {
      expect(faultOf({ host })).toBe('origin_not_allowed')
    }
  )

  test.each(['http://localhost:5173', 'https://127.0.0.1', 'http://[::1]:80'])(
    'lets pages of %s pass',
    (origin) => {
      expect(faultOf({ host: 'localhost', origin })).toBeUndefined()
    }
  )

  test.each([
    'https://a.example',
    'null',
    '',
    'http://localhost.a.example',
    'http://localhost@a.example',
  ])('refuses pages of %p', (origin) => {
    expect(faultOf({ host: 'localhost', origin })).toBe('origin_not_allowed')
  })
})
