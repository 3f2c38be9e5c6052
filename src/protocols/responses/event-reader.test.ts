import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../../errors/gateway-error'
import { accumulate } from '../accumulate'
import { read, toSse } from './fixtures/streams'
import { openaiResponses } from './responses'

const { chat } = openaiResponses

describe('events that are read', () => {
  const line = (event: object) => JSON.stringify(event)
  const created = line({ type: 'response.created', response: { id: 'r', model: 'm', output: [] } })
  const completed = (more: object = {}) =>
    line({ type: 'response.completed', response: { status: 'completed', output: [], ...more } })

  function faultOf(lines: string[]): GatewayError {
    try {
      read(toSse(lines), 64)
    } catch (error) {
      return GatewayError.from(error)
    }
    throw new Error('it was taken')
  }

  test('raise a stream that ends without its end', () => {
    expect(faultOf([created]).code).toBe('upstream_broken')
  })

  test('raise an error', () => {
    const failed = line({ type: 'error', code: 'server_error', message: 'no', param: null })
    expect(faultOf([created, failed])).toMatchObject({ code: 'upstream_refused', status: 502 })
  })

  test('raise what is no event', () => {
    const reader = chat.createEventReader()
    expect(() => reader.read('x', undefined)).toThrow('not JSON')
  })

  test('are complete where a host tells of items at the end alone', () => {
    const output = [
      {
        type: 'message',
        id: 'm',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'Hi' }],
      },
      { type: 'function_call', id: 'f', call_id: 'c', name: 'f', arguments: '{}' },
      { type: 'web_search_call', id: 'w', status: 'completed' },
    ]
    const { choices } = accumulate(read(toSse([completed({ output })]), 7))
    expect(choices[0]?.parts).toMatchObject([
      { type: 'text', text: 'Hi' },
      { type: 'tool_call', id: 'c', arguments: '{}' },
      { type: 'native', name: 'web_search_call' },
    ])
    expect(choices[0]?.finish.reason).toBe('tool_calls')
  })

  test('are complete where a host leaves out deltas and openings', () => {
    const item = { output_index: 0, item_id: 'm' }
    const events = read(
      toSse([
        created,
        line({ type: 'response.output_text.delta', ...item, delta: 'He' }),
        line({ type: 'response.output_text.done', ...item, text: 'Hello' }),
        line({
          type: 'response.output_item.done',
          output_index: 0,
          item: { type: 'message', content: [{ type: 'output_text', text: 'Hello' }] },
        }),
        line({
          type: 'response.output_item.done',
          output_index: 1,
          item: { type: 'function_call', id: 'f', call_id: 'c', name: 'f', arguments: '{"a":1}' },
        }),
        completed(),
      ]),
      64
    )
    expect(accumulate(events).choices[0]?.parts).toMatchObject([
      { type: 'text', text: 'Hello' },
      { type: 'tool_call', id: 'c', arguments: '{"a":1}' },
    ])
  })

  test('join the paragraphs of a summary, and take the last encrypted form', () => {
    const item = { output_index: 0, item_id: 'rs' }
    const summary = [{ text: 'One' }, { text: 'Two' }]
    const told = { type: 'reasoning', id: 'rs', summary, encrypted_content: 'last' }
    const delta = 'response.reasoning_summary_text.delta'
    const events = read(
      toSse([
        created,
        line({
          type: 'response.output_item.added',
          output_index: 0,
          item: { type: 'reasoning', id: 'rs', summary: [], encrypted_content: 'first' },
        }),
        line({ type: delta, ...item, summary_index: 0, delta: 'O' }),
        line({ type: delta, ...item, summary_index: 0, delta: 'ne' }),
        line({ type: delta, ...item, summary_index: 1, delta: 'Two' }),
        line({ type: 'response.output_item.done', output_index: 0, item: told }),
        completed(),
      ]),
      64
    )
    expect(accumulate(events).choices[0]?.parts).toMatchObject([
      {
        type: 'reasoning',
        text: 'One\n\nTwo',
        isSummary: true,
        id: 'rs',
        encrypted: { maker: 'openai', value: 'last' },
      },
    ])
  })

  test('have summary and thoughts of one item apart', () => {
    const told = {
      type: 'reasoning',
      id: 'rs',
      summary: [{ type: 'summary_text', text: 'S' }],
      content: [{ type: 'reasoning_text', text: 'T' }],
    }
    const parts = [
      { type: 'reasoning', text: 'S', isSummary: true, id: 'rs' },
      { type: 'reasoning', text: 'T' },
    ]
    const item = { output_index: 0, item_id: 'rs' }
    const events = read(
      toSse([
        created,
        line({
          type: 'response.output_item.added',
          output_index: 0,
          item: { type: 'reasoning', id: 'rs' },
        }),
        line({ type: 'response.reasoning_summary_text.delta', ...item, delta: 'S' }),
        line({ type: 'response.reasoning_text.delta', ...item, content_index: 0, delta: 'T' }),
        line({ type: 'response.output_item.done', output_index: 0, item: told }),
        completed(),
      ]),
      64
    )
    expect(accumulate(events).choices[0]?.parts).toMatchObject(parts)
    const whole = chat.parseChatAnswer({ output: [told] })
    expect(whole.choices[0]?.parts).toMatchObject(parts)
  })

  test('pass what is not known, and ignore what says nothing', () => {
    const events = read(
      toSse([
        created,
        line({ type: 'response.new_thing.delta', output_index: 0, delta: 'x' }),
        line({ type: 'response.another', data: 1 }),
        line({
          type: 'response.output_item.done',
          output_index: 0,
          item: { type: 'new_call', id: 'n', data: 1 },
        }),
        completed(),
      ]),
      64
    )
    expect(accumulate(events).choices[0]?.parts).toMatchObject([
      { type: 'native', name: 'new_call', source: { json: { id: 'n', data: 1 } } },
    ])
  })
})
