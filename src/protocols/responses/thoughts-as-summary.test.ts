import { describe, expect, test } from 'bun:test'

import { accumulate } from '../accumulate'
import type { ReasoningPart } from '../generation'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { openaiResponses } from './responses'

const { chat, upstream } = openaiResponses

const THOUGHTS = 'The toll is due at the gate.'
const SIGNED: ReasoningPart = {
  type: 'reasoning',
  text: THOUGHTS,
  signature: { maker: 'anthropic', value: 'c2lnbmVk' },
}
const UNSIGNED: ReasoningPart = { type: 'reasoning', text: THOUGHTS }

const contextOf = (summary: string | undefined) => {
  const reasoning = { effort: 'medium', ...(summary !== undefined && { summary }) }
  const body = { model: 'm', input: 'Hello?', reasoning }
  return {
    requestId: 'r',
    createdAt: 1,
    model: 'm',
    request: chat.parseGeneration(body, {}),
  }
}

const finish = { reason: 'stop' as const, native: 'end_turn' }

function renderItem(part: ReasoningPart, summary: string | undefined): JsonObject {
  const losses = new Losses()
  const answer = { choices: [{ parts: [part], finish }] }
  const { output } = chat.renderChatAnswer(answer, contextOf(summary), losses)
  expect(losses.list).toEqual([])
  const [item] = Array.isArray(output) ? output : []
  if (typeof item !== 'object' || item === null || Array.isArray(item)) throw new Error('no item')
  return item
}

/** What the next request brings back of it. */
function comesBack(item: JsonObject): unknown {
  const { messages } = chat.parseGeneration({ model: 'm', input: [item] }, {})
  return messages[0]?.parts.map((part) => {
    const { source: _, ...rest } = part
    return rest
  })
}

describe.each([
  ['signed', SIGNED],
  ['unsigned', UNSIGNED],
])('thoughts, %s,', (_, part) => {
  test('stand in the summary that the client asked for, and come back as what they were', () => {
    const item = renderItem(part, 'auto')
    expect(item.summary).toEqual([{ type: 'summary_text', text: THOUGHTS }])
    expect(item.content).toBeUndefined()
    expect(comesBack(item)).toEqual([part])
  })

  test.each([undefined, 'none'])('stand as thoughts where the summary is %p', (summary) => {
    const item = renderItem(part, summary)
    expect(item.summary).toEqual([])
    expect(item.content).toEqual([{ type: 'reasoning_text', text: THOUGHTS }])
    expect(comesBack(item)).toMatchObject([{ type: 'reasoning', text: THOUGHTS }])
  })

  test('are streamed as they are rendered whole, and read as one part', () => {
    const { signature, ...bare } = part
    const events: StreamEvent[] = [
      { type: 'start' },
      { type: 'part_start', choice: 0, index: 0, part: { ...bare, text: '' } },
      { type: 'delta', choice: 0, index: 0, text: THOUGHTS.slice(0, 8) },
      { type: 'delta', choice: 0, index: 0, text: THOUGHTS.slice(8) },
      ...(signature ? [{ type: 'signature' as const, choice: 0, index: 0, signature }] : []),
      { type: 'part_end', choice: 0, index: 0 },
      { type: 'finish', choice: 0, finish },
      { type: 'end' },
    ]
    const framer = upstream.createFramer()
    const bytes = chat.createFrameWriter(contextOf('auto'), new Losses()).write(events)
    const frames = framer.push(bytes)
    const deltas = frames.filter(({ event }) => event === 'response.reasoning_summary_text.delta')
    expect(deltas).toHaveLength(2)
    const done = frames.find(({ event }) => event === 'response.output_item.done')
    expect(JSON.parse(done?.data ?? '')).toMatchObject({ item: renderItem(part, 'auto') })
    const reader = chat.createEventReader()
    const read = frames.flatMap(({ data, event }) =>
      data === undefined ? [] : reader.read(data, event)
    )
    const [choice] = accumulate([...read, ...reader.end()]).choices
    expect(choice?.parts).toHaveLength(1)
    expect(choice?.parts).toMatchObject([{ type: 'reasoning', text: THOUGHTS }])
  })
})
