import { describe, expect, test } from 'bun:test'

import { presentedToken } from './credentials'

function tokenOf(headers: Record<string, string>, query = '') {
  return presentedToken(new Request(`http://127.0.0.1/v1/models${query}`, { headers }))
}

describe('presentedToken', () => {
  test.each<[Record<string, string>, string | undefined]>([
    [{}, undefined],
    [{ authorization: 'Bearer a' }, 'a'],
    [{ authorization: 'bearer   a' }, 'a'],
    [{ authorization: 'Basic a' }, undefined],
    [{ authorization: 'Bearer' }, undefined],
    [{ 'x-api-key': 'a' }, 'a'],
    [{ 'api-key': 'a' }, 'a'],
    [{ 'x-goog-api-key': 'a' }, 'a'],
    [{ 'x-tg-key': 'a', authorization: 'Bearer b', 'x-api-key': 'c' }, 'a'],
    [{ authorization: 'Bearer b', 'x-api-key': 'c' }, 'b'],
    [{ authorization: 'AWS4-HMAC-SHA256 x', 'x-api-key': 'c' }, 'c'],
  ])('of %j is %p', (headers, token) => {
    expect(tokenOf(headers)).toBe(token)
  })

  test('is looked for in the query last', () => {
    expect(tokenOf({}, '?a=1&key=sk%2Dtg')).toBe('sk-tg')
    expect(tokenOf({}, '?keys=1')).toBeUndefined()
    expect(tokenOf({ 'x-api-key': 'a' }, '?key=b')).toBe('a')
  })
})
