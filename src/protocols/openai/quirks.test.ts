import { expect, test } from 'bun:test'
import { mendConversation, toShortId } from './quirks'

const turns = () => ({
  messages: [
    { role: 'user', content: 'Weather?' },
    { role: 'assistant', tool_calls: [{ id: 'call_abc', type: 'function' }] },
    { role: 'tool', tool_call_id: 'call_abc', content: 'rain' },
    { role: 'assistant', content: 'It rains.' },
  ],
})

test('a host with short ids gets the same one for a call and its result', () => {
  const body = turns()
  mendConversation(body, { shortToolCallIds: true, wantsReasoningBack: false }, () => undefined)
  const id = body.messages[1]?.tool_calls?.[0]?.id
  expect(id).toMatch(/^[a-zA-Z0-9]{9}$/)
  expect(body.messages[2]?.tool_call_id).toBe(id)
})

test('an id that fits already stays', () => {
  expect(toShortId('AbC123xyZ')).toBe('AbC123xyZ')
  expect(toShortId('toolu_1')).not.toBe(toShortId('toolu_2'))
})

test.each([
  ['is given back where it is known', 'It may rain.', 'It may rain.'],
  ['is empty where it is not', undefined, ''],
])('reasoning that a client dropped %s', (_, known, expected) => {
  const body = turns()
  const quirks = { shortToolCallIds: false, wantsReasoningBack: true }
  mendConversation(body, quirks, (id) => (id === 'call_abc' ? known : undefined))
  expect(body.messages[1]).toMatchObject({ reasoning_content: expected })
  // Only turns with calls must have it.
  expect(body.messages[3]).toEqual({ role: 'assistant', content: 'It rains.' })
})

test('reasoning that the client kept is left alone', () => {
  const kept = { role: 'assistant', reasoning_content: 'mine', tool_calls: [{ id: 'a' }] }
  const body = { messages: [kept] }
  mendConversation(body, { shortToolCallIds: false, wantsReasoningBack: true }, () => 'other')
  expect(body.messages[0]?.reasoning_content).toBe('mine')
})
