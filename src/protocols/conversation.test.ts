import { describe, expect, test } from 'bun:test'
import { isPlainFirstTurn, readConversation } from './conversation'

const encode = (body: unknown) => new TextEncoder().encode(JSON.stringify(body))
const read = (body: unknown, seed = 0) => readConversation(encode(body), seed)

const user = (content: unknown) => ({ role: 'user', content })
const assistant = (content: unknown) => ({ role: 'assistant', content })

/** A first turn and a later one of the same conversation, in each format. */
const FORMATS: readonly [string, first: object, later: object][] = [
  [
    'OpenAI chat',
    { model: 'a', messages: [{ role: 'system', content: 'S' }, user('One')], n: 1 },
    {
      model: 'b',
      messages: [{ role: 'system', content: 'S' }, user('One'), assistant('Two'), user('Three')],
    },
  ],
  [
    'Anthropic',
    { system: 'S', messages: [user([{ type: 'text', text: 'One' }])] },
    { system: 'S', messages: [user([{ type: 'text', text: 'One' }]), assistant('Two')] },
  ],
  [
    'Responses',
    { instructions: 'S', input: [user('One')] },
    { instructions: 'S', input: [user('One'), { type: 'function_call', name: 'f' }] },
  ],
  [
    'Gemini',
    { systemInstruction: { parts: [] }, contents: [{ parts: [{ text: 'One' }] }] },
    {
      systemInstruction: { parts: [] },
      contents: [{ parts: [{ text: 'One' }] }, { role: 'model', parts: [] }, { parts: [] }],
    },
  ],
  [
    'Bedrock',
    { system: [{ text: 'S' }], messages: [user([{ text: 'One' }])] },
    { system: [{ text: 'S' }], messages: [user([{ text: 'One' }]), assistant([{ text: 'Two' }])] },
  ],
]

describe.each(FORMATS)('%s', (_, first, later) => {
  test('turns of one conversation are one, and the first is known', () => {
    expect(read(first)).toMatchObject({ isFirstTurn: true, cacheKey: undefined })
    expect(read(later)).toMatchObject({ isFirstTurn: false, hash: read(first)?.hash })
    expect(isPlainFirstTurn(encode(later))).toBe(false)
  })

  test('another scope is another conversation', () => {
    expect(read(first, 1)?.hash).not.toBe(read(first, 2)?.hash ?? 0)
  })
})

test('other words at the beginning, or other instructions, are another conversation', () => {
  const hashes = [
    read({ messages: [user('One')] }),
    read({ messages: [user('Two')] }),
    read({ system: 'S', messages: [user('One')] }),
    read({ messages: [{ role: 'system', content: 'S' }, user('One')] }),
  ].map((found) => found?.hash)
  expect(new Set(hashes).size).toBe(4)
})

test('two turns of the user without an answer are still the first', () => {
  expect(read({ messages: [user('One'), user('Two')] })?.isFirstTurn).toBe(true)
})

test('a key for caches is found wherever it stands', () => {
  expect(read({ prompt_cache_key: 'k', messages: [user('One')] })?.cacheKey).toBe('k')
  expect(read({ messages: [user('One')], prompt_cache_key: 'k' })?.cacheKey).toBe('k')
  expect(read({ messages: [user('"prompt_cache_key"')] })?.cacheKey).toBeUndefined()
})

test('a text alone is a first turn; what has no turns is no conversation', () => {
  expect(read({ input: 'One' })?.isFirstTurn).toBe(true)
  expect(read({ model: 'x' })).toBeUndefined()
  expect(read({ messages: [] })).toBeUndefined()
})

test('long texts with quotes and braces end where they end', () => {
  const content = `${'"\\}]'.repeat(40)}\\`
  const messages = [{ content, role: 'user' }, assistant('Two')]
  expect(read({ messages })).toMatchObject({ isFirstTurn: false })
  expect(read({ messages: messages.slice(0, 1) })?.hash).toBe(read({ messages })?.hash ?? 0)
  const other = [{ content: `${content}x`, role: 'user' }]
  expect(read({ messages: other })?.hash).not.toBe(read({ messages })?.hash ?? 0)
})

test('the first turn of most conversations is seen at once', () => {
  expect(isPlainFirstTurn(encode({ model: 'x', messages: [user('One')] }))).toBe(true)
  expect(isPlainFirstTurn(encode({ messages: [user('One')], prompt_cache_key: 'k' }))).toBe(false)
})
