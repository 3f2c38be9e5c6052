import { describe, expect, test } from 'bun:test'
import type { Generation, Message, Signature } from '../protocols/generation'
import type { StreamEvent } from '../protocols/stream-event'
import { ToolCallMemory, ToolCallWatch } from './tool-call-memory'

const SIGNATURE: Signature = { maker: 'google', value: 'c2lnbmVk' }

const toolCall = (id: string) =>
  ({ type: 'tool_call', id, name: 'weather', arguments: '{}' }) as const

function conversation(...messages: Message[]): Generation {
  return {
    model: 'm',
    stream: false,
    includesUsage: false,
    messages,
    tools: [],
    extras: {},
    source: { protocol: 'openai-chat', json: {} },
  }
}

describe('ToolCallMemory', () => {
  test('gives a signature back to the call that it came with, and to no other', () => {
    const memory = new ToolCallMemory()
    const parts = [{ ...toolCall('a'), signature: SIGNATURE }, toolCall('b')]
    memory.keepAnswer({ choices: [{ parts, finish: { reason: 'tool_calls', native: 'STOP' } }] })
    const restored = memory.restore(
      conversation({ role: 'assistant', parts: [toolCall('a'), toolCall('b'), toolCall('c')] })
    )
    expect(restored.messages[0]?.parts).toEqual([...parts, toolCall('c')])
  })

  test('lets a signature that the client brought stand', () => {
    const memory = new ToolCallMemory()
    memory.keep('a', { signature: SIGNATURE, reasoning: undefined })
    const own = { ...toolCall('a'), signature: { maker: 'google', value: 'own' } } as const
    const { messages } = memory.restore(conversation({ role: 'assistant', parts: [own] }))
    expect(messages[0]?.parts).toEqual([own])
  })

  test('keeps the reasoning that led to calls', () => {
    const memory = new ToolCallMemory()
    memory.keepAnswer({
      choices: [
        {
          parts: [{ type: 'reasoning', text: 'It may rain.' }, toolCall('a')],
          finish: { reason: 'tool_calls', native: 'tool_calls' },
        },
      ],
    })
    expect(memory.recall('a')?.reasoning).toBe('It may rain.')
  })

  test('forgets first what was not asked for for longest, once it holds too much', () => {
    const memory = new ToolCallMemory(1_500)
    const reasoning = 'x'.repeat(200)
    memory.keep('a', { signature: undefined, reasoning })
    memory.keep('b', { signature: undefined, reasoning })
    memory.recall('a')
    memory.keep('c', { signature: undefined, reasoning })
    expect(['a', 'b', 'c'].map((id) => memory.recall(id) !== undefined)).toEqual([
      true,
      false,
      true,
    ])
  })

  test('holds no more than its limit of one call', () => {
    const memory = new ToolCallMemory(1_000)
    memory.keep('a', { signature: undefined, reasoning: 'x'.repeat(10_000) })
    expect(memory.recall('a')).toBeUndefined()
  })
})

test('a stream is followed like a whole answer', () => {
  const memory = new ToolCallMemory()
  const watch = new ToolCallWatch(memory)
  const events: StreamEvent[] = [
    { type: 'part_start', choice: 0, index: 0, part: { type: 'reasoning', text: 'It ' } },
    { type: 'delta', choice: 0, index: 0, text: 'rains.' },
    { type: 'part_end', choice: 0, index: 0 },
    { type: 'part_start', choice: 0, index: 1, part: toolCall('a') },
    { type: 'delta', choice: 0, index: 1, text: '{"city":"Oslo"}' },
    { type: 'signature', choice: 0, index: 1, signature: SIGNATURE },
    { type: 'part_end', choice: 0, index: 1 },
    { type: 'finish', choice: 0, finish: { reason: 'tool_calls', native: 'tool_calls' } },
  ]
  for (const event of events) watch.see([event])
  expect(memory.recall('a')).toEqual({ signature: SIGNATURE, reasoning: 'It rains.' })
})
