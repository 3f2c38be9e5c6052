import { expect, test } from 'bun:test'
import { setCacheMarks } from './cache-marks'
import type { Generation, Message } from './generation'

const text = (role: Message['role'], words: string): Message => ({
  role,
  parts: [{ type: 'text', text: words }],
})

function conversation(messages: Message[]): Generation {
  return {
    model: 'm',
    stream: false,
    includesUsage: false,
    messages,
    tools: [
      { type: 'function', name: 'a' },
      { type: 'function', name: 'b' },
    ],
    extras: {},
    source: { protocol: 'openai-chat', json: {} },
  }
}

const marksOf = ({ messages }: Generation) =>
  messages.map(({ parts }) => parts.map(({ cache }) => cache?.ttl ?? '-').join())

test('marks stand behind the tools, the leading system turn and the last two user turns', () => {
  const marked = setCacheMarks(
    conversation([
      text('system', 'Be brief.'),
      text('user', 'one'),
      text('assistant', '1'),
      text('user', 'two'),
      text('assistant', '2'),
      text('user', 'three'),
    ]),
    '5m'
  )
  expect(marksOf(marked)).toEqual(['5m', '-', '-', '5m', '-', '5m'])
  expect(marked.tools.map(({ cache }) => cache)).toEqual([undefined, { ttl: '5m' }])
})

test('a client that sets marks of its own decides alone', () => {
  const own = conversation([
    { role: 'user', parts: [{ type: 'text', text: 'one', cache: {} }] },
    text('user', 'two'),
  ])
  expect(setCacheMarks(own, '1h')).toBe(own)
})

test('no mark is set on an empty text', () => {
  expect(marksOf(setCacheMarks(conversation([text('user', '')]), '5m'))).toEqual(['-'])
})
