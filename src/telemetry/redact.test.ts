import { describe, expect, test } from 'bun:test'
import { captureBody, redact } from './redact'

const LONG = 'aB3dE6gH9jK2mN5pQ8sT1vW4xY7z'

describe('redact masks', () => {
  test.each([
    ['a bearer token', `Authorization: Bearer ${LONG}`],
    ['basic credentials', `authorization: Basic ${LONG}==`],
    ['a header in JSON', `{"x-api-key": "${LONG}"}`],
    ['a header in JSON in JSON', `{"curl":"-H \\"api-key: ${LONG}\\""}`],
    ['an OpenAI key', `use sk-proj-${LONG} here`],
    ['an Anthropic key', `sk-ant-api03-${LONG}`],
    ['a virtual key', `sk-tg-${LONG}`],
    ['a Groq key', `gsk_${LONG}`],
    ['an xAI key', `xai-${LONG}`],
    ['a secret of a webhook', `whsec_${LONG}+/${LONG}=`],
    ['a Google key', `AIza${LONG}`],
    ['an AWS key id', 'AKIAIOSFODNN7EXAMPLE'],
    ['a key in an address', `GET /v1/models?a=1&key=${LONG}&b=2`],
    ['a JSON Web Token', `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${LONG}`],
    ['a private key', `-----BEGIN PRIVATE KEY-----\n${LONG}\n-----END PRIVATE KEY-----`],
    ['a key cut short by a cap', `sk-tg-${LONG.slice(0, 14)}`],
  ])('%s', (_, text) => {
    const redacted = redact(text)
    expect(redacted).toContain('***')
    for (let at = 0; at + 10 <= LONG.length; at += 1) {
      expect(redacted).not.toContain(LONG.slice(at, at + 10))
    }
    expect(redacted).not.toContain('IOSFODNN7')
  })

  test('and leaves what stands beside them', () => {
    expect(redact(`a sk-tg-${LONG}, b ?key=${LONG}&c=1`)).toBe('a sk-***, b ?key=***&c=1')
    expect(redact(`{"api_key":"${LONG}","n":1}`)).toBe('{"api_key":"***","n":1}')
  })
})

test.each([
  'The bearer of good news asks: is the key to it all a task-based approach?',
  '{"max_tokens":100,"model":"local/risk-model-2024-large-instruct","token":"stop"}',
  'authorization is needed; see https://example.com/keys?page=2',
])('ordinary text stays as it is: %s', (text) => {
  expect(redact(text)).toBe(text)
})

describe('captureBody', () => {
  test('cuts at every byte without half a character', () => {
    const text = 'aü日🎉z'
    const bytes = new TextEncoder().encode(text)
    for (let maxBytes = 0; maxBytes <= bytes.length + 1; maxBytes += 1) {
      const body = captureBody(bytes, maxBytes)
      expect(text.startsWith(body.text)).toBe(true)
      expect(new TextEncoder().encode(body.text).length).toBeGreaterThan(maxBytes - 4)
      expect(body.truncated).toBe(maxBytes < bytes.length)
    }
  })

  test('masks secrets', () => {
    expect(captureBody(new TextEncoder().encode(`k=sk-${LONG}`), 100).text).toBe('k=sk-***')
  })
})
