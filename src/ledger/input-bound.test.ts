import { expect, test } from 'bun:test'
import { boundInput } from './input-bound'

const bound = (body: unknown) => {
  const text = JSON.stringify(body)
  const { tokens, searches } = boundInput(new TextEncoder().encode(text))
  return { beside: tokens - text.length - 1_000, searches }
}

test.each<[string, unknown, number, number]>([
  ['words', { messages: [{ content: 'an "url", a file, the web_search' }] }, 0, 0],
  ['an address', { image_url: { url: 'https://host.example/a.png' } }, 10_000, 0],
  ['a data URL', { image_url: { url: 'data:image/png;base64,AAAA' } }, 0, 0],
  ['files', [{ fileUri: 'gs://a' }, { file_uri: 'gs://b' }, { file_id: 'c' }], 30_000, 0],
  ['a search', { tools: [{ type: 'web_search_20250305' }] }, 50_000, 10],
  ['a search and a fetch', { tools: [{ type: 'web_search' }, { type: 'web_fetch' }] }, 100_000, 20],
  ['searches of Google', { tools: [{ googleSearch: {} }, { urlContext: {} }] }, 100_000, 20],
  ['in its other spelling', { tools: [{ google_search: {} }] }, 50_000, 10],
])('beside its bytes, %s: %j counts %d tokens', (_, body, beside, searches) => {
  expect(bound(body)).toEqual({ beside, searches })
})

test('an address counts as often as it is there', () => {
  const part = { url: 'http://host.example/a.png' }
  expect(bound([part, part, part]).beside).toBe(30_000)
})
