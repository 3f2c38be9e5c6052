import { expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { createToken, createTokenHasher, looksLikeToken, tokenHint } from './token'

test('a token is sk-tg- and 43 characters that need no escaping, and never the same', () => {
  const tokens = Array.from({ length: 1_000 }, createToken)
  for (const token of tokens) {
    expect(token).toMatch(/^sk-tg-[A-Za-z0-9_-]{43}$/)
    expect(looksLikeToken(token)).toBe(true)
    expect(token).toEndWith(tokenHint(token))
  }
  expect(new Set(tokens).size).toBe(1_000)
})

test.each(['', 'sk-tg-', 'sk-tg-short', `sk-xx-${'a'.repeat(43)}`, `sk-tg-${'a'.repeat(44)}`])(
  '%p is not taken for one',
  (text) => {
    expect(looksLikeToken(text)).toBe(false)
  }
)

test('the hash is HMAC-SHA256 under the secret, call after call', () => {
  const secret = crypto.getRandomValues(new Uint8Array(32))
  const hashToken = createTokenHasher(secret)
  for (const token of [createToken(), createToken(), 'ungewöhnlich']) {
    const hash = createHmac('sha256', secret).update(token).digest('base64')
    expect(hashToken(token)).toBe(hash)
    expect(hashToken(token)).toBe(hash)
  }
})
