import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../../errors/gateway-error'
import { ResponseFrameReader } from './frames'
import { openaiResponses } from './responses'

const { client, upstream } = openaiResponses
const encoder = new TextEncoder()
const decoder = new TextDecoder()

function faultOf(act: () => unknown): GatewayError {
  try {
    act()
  } catch (error) {
    return GatewayError.from(error)
  }
  throw new Error('it was taken')
}

const response = (more: object) => ({ id: 'resp_1', object: 'response', output: [], ...more })
const usage = { input_tokens: 7, output_tokens: 5, total_tokens: 12 }

describe('ResponseFrameReader', () => {
  test.each([
    [{ type: 'response.created', response: {} }, 'preamble'],
    [{ type: 'response.queued', response: {} }, 'preamble'],
    [{ type: 'response.in_progress', response: {} }, 'preamble'],
    [{ type: 'keepalive', sequence_number: 3 }, 'preamble'],
    [{ type: 'response.output_item.added', item: { type: 'message' } }, 'preamble'],
    [{ type: 'response.output_item.added', item: { type: 'reasoning' } }, 'preamble'],
    [{ type: 'response.output_item.added', item: { type: 'function_call' } }, 'content'],
    [{ type: 'response.output_item.added', item: { type: 'web_search_call' } }, 'content'],
    [{ type: 'response.content_part.added', part: { type: 'output_text' } }, 'preamble'],
    [{ type: 'response.reasoning_summary_part.added', part: {} }, 'preamble'],
    [{ type: 'response.output_text.delta', delta: '' }, 'preamble'],
    [{ type: 'response.output_text.delta', delta: 'Hi' }, 'content'],
    [{ type: 'response.reasoning_summary_text.delta', delta: 'Hm' }, 'content'],
    [{ type: 'response.some_new_thing.delta', delta: 'x' }, 'content'],
    [{ type: 'response.output_item.done', item: { type: 'message' } }, 'content'],
    [{ type: 'response.completed', response: {} }, 'done'],
    [{ type: 'response.incomplete', response: {} }, 'done'],
  ] as const)('%j is %s', (event, meaning) => {
    expect(new ResponseFrameReader().read(JSON.stringify(event))).toBe(meaning)
  })

  test('takes usage and the reason from the last event', () => {
    const reader = new ResponseFrameReader()
    expect(reader.read(undefined)).toBe('comment')
    expect(reader.isComplete()).toBe(false)
    const cut = response({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      usage,
    })
    reader.read(JSON.stringify({ type: 'response.incomplete', response: cut }))
    expect(reader.isComplete()).toBe(true)
    expect(reader.facts()).toMatchObject({
      usage: { inputTokens: 7, outputTokens: 5, cacheReadTokens: undefined },
      finishReasons: ['max_output_tokens'],
    })
  })

  test.each([
    [{ type: 'error', code: 'rate_limit_exceeded', message: 'slow down', param: null }, 429],
    [{ type: 'error', error: { type: 'insufficient_quota', message: 'slow down' } }, 429],
    [{ type: 'error', code: null, message: 'slow down', param: null }, 502],
    [
      {
        type: 'response.failed',
        response: { status: 'failed', error: { code: 'server_error', message: 'slow down' } },
      },
      502,
    ],
    [{ type: 'error', error: 'slow down' }, 502],
  ])('raises %j', (event, status) => {
    const fault = faultOf(() => new ResponseFrameReader().read(JSON.stringify(event)))
    expect(fault).toMatchObject({ code: 'upstream_refused', status })
    expect(fault.message).toContain('slow down')
    expect(JSON.parse(fault.answer ?? '')).toMatchObject({ error: { message: 'slow down' } })
  })

  test.each(['', 'x', '7', '[1]', '{"type":'])('raises the frame %j', (data) => {
    const fault = faultOf(() => new ResponseFrameReader().read(data))
    expect(fault.code).toBe('upstream_malformed')
  })

  test('does not take the end mark of chat for an end', () => {
    const reader = new ResponseFrameReader()
    expect(reader.read('[DONE]')).toBe('preamble')
    expect(reader.isComplete()).toBe(false)
  })
})

describe('parseAnswer', () => {
  const parse = (value: unknown) => upstream.parseAnswer(encoder.encode(JSON.stringify(value)))

  test('reads what a whole response says of itself', () => {
    expect(parse(response({ status: 'completed', usage }))).toMatchObject({
      usage: { inputTokens: 7, outputTokens: 5 },
      finishReasons: ['completed'],
    })
  })

  test('raises a response that failed', () => {
    const error = { code: 'rate_limit_exceeded', message: 'slow down' }
    const fault = faultOf(() => parse(response({ status: 'failed', error })))
    expect(fault).toMatchObject({ code: 'upstream_refused', status: 429 })
  })

  const OTHERS: [unknown][] = [[{}], [[]], [null], [{ choices: [] }]]

  test.each(OTHERS)('raises %j', (value) => {
    expect(faultOf(() => parse(value)).code).toBe('upstream_malformed')
  })

  test('raises an empty body', () => {
    expect(faultOf(() => upstream.parseAnswer(encoder.encode(' '))).code).toBe('upstream_malformed')
  })
})

describe('renderErrorFrame', () => {
  const frameOf = (error: GatewayError) => {
    const text = decoder.decode(client.renderErrorFrame(error, '0199'))
    const [, event, data] = /^event: (.*)\ndata: (.*)\n\n$/.exec(text) ?? []
    return { event, data: JSON.parse(data ?? '') }
  }

  test('says the error where either kind of client looks for it', () => {
    const { event, data } = frameOf(new GatewayError('upstream_broken', 'it\nbroke'))
    expect(event).toBe('error')
    expect(data).toMatchObject({
      type: 'error',
      code: 'upstream_broken',
      message: 'it\nbroke',
      param: null,
      error: { code: 'upstream_broken', type: 'upstream_error', message: 'it\nbroke' },
    })
    expect(data.sequence_number).toBeGreaterThan(1_000_000)
  })

  test('says an upstream’s own words', () => {
    const answer = '{"error":{"message":"no","type":"server_error","code":"server_error"}}'
    const { data } = frameOf(new GatewayError('upstream_refused', 'it said no', { answer }))
    expect(data).toMatchObject({ message: 'no', code: 'server_error', error: { message: 'no' } })
    expect(data.type).toBe('error')
  })

  test('does not take another format’s words for its own', () => {
    const { data } = frameOf(new GatewayError('upstream_refused', 'no', { answer: '<html>' }))
    expect(data).toMatchObject({ message: 'no', code: 'upstream_refused' })
  })
})
