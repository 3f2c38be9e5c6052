import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../../errors/gateway-error'
import type { FrameMeaning } from '../protocol'
import { CompletionFrameReader } from './frames'
import { parseRequest } from './request'

function createReader(options: { n?: number; asked?: boolean } = {}) {
  const body = new TextEncoder().encode(`{"model":"m","stream":true,"n":${options.n ?? 1}}`)
  const envelope = parseRequest('generate', body, {})
  return new CompletionFrameReader(envelope, { model: 'm', askForUsage: options.asked ?? true })
}

const delta = (members: string, index = 0) =>
  `{"choices":[{"index":${index},"delta":{${members}},"finish_reason":null}]}`
const finish = (reason: string, index = 0) =>
  `{"choices":[{"index":${index},"delta":{},"finish_reason":"${reason}"}]}`
const USAGE = '{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}'

function faultOf(data: string) {
  try {
    createReader().read(data)
  } catch (error) {
    return GatewayError.from(error)
  }
  throw new Error('it was taken')
}

describe('a frame', () => {
  test.each<[string, FrameMeaning]>([
    ['"role":"assistant"', 'preamble'],
    ['"role":"assistant","content":""', 'preamble'],
    ['"role":"assistant","content":null,"tool_calls":[],"refusal":null', 'preamble'],
    ['', 'preamble'],
    ['"content":"x"', 'content'],
    ['"content":" "', 'content'],
    ['"reasoning_content":"x"', 'content'],
    ['"reasoning":"x"', 'content'],
    ['"refusal":"no"', 'content'],
    ['"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]', 'content'],
    ['"function_call":{"name":"f"}', 'content'],
    ['"audio":{"id":"a"}', 'content'],
  ])('with the delta {%s} is %s', (members, meaning) => {
    expect(createReader().read(delta(members))).toBe(meaning)
  })

  test('of a legacy completion has its text beside the index', () => {
    expect(createReader().read('{"choices":[{"index":0,"text":""}]}')).toBe('preamble')
    expect(createReader().read('{"choices":[{"index":0,"text":"x"}]}')).toBe('content')
  })

  test('with a finish reason is content, and none is the empty one', () => {
    expect(createReader().read(finish('stop'))).toBe('content')
    expect(createReader().read(finish(''))).toBe('preamble')
  })

  test('without data is a comment, and the end mark is the end', () => {
    const reader = createReader()
    expect(reader.read(undefined)).toBe('comment')
    expect(() => reader.read('[DONE]')).toThrow('without an answer')
    reader.read('{"choices":[{"index":0,"delta":{"content":"x"}}]}')
    expect(reader.read('[DONE]')).toBe('done')
  })

  test('of usage alone is withheld only where the gateway asked for it', () => {
    for (const data of [USAGE, USAGE.replace('[]', 'null')]) {
      expect(createReader({ asked: true }).read(data)).toBe('withheld')
      expect(createReader({ asked: false }).read(data)).toBe('preamble')
    }
    expect(createReader().read('{"choices":[],"prompt_filter_results":[]}')).toBe('preamble')
    expect(createReader().read('{"choices":[],"usage":null}')).toBe('preamble')
  })

  test.each(['{', '[]', '"x"', '1', 'null', '', '[DONE] '])(
    'that is no object (%p) is malformed',
    (data) => {
      expect(faultOf(data)).toMatchObject({ code: 'upstream_malformed', status: 502 })
    }
  )

  test.each([
    ['{"error":{"message":"m","type":"server_error","code":null}}', 502],
    ['{"error":{"message":"m","code":429}}', 429],
    ['{"error":{"message":"m","code":"rate_limit_exceeded"}}', 429],
    ['{"error":{"message":"m","type":"invalid_request_error"}}', 400],
    ['{"error":{"message":"m","type":"overloaded_error"}}', 503],
    ['{"error":{"message":"m","code":99}}', 502],
    ['{"error":"m"}', 502],
    ['{"error":{"message":"m"},"choices":[]}', 502],
  ])('with an error (%s) is that error, as %d', (data, status) => {
    const fault = faultOf(data)
    expect(fault).toMatchObject({ code: 'upstream_refused', status })
    expect(fault.message).toContain('m')
  })

  test('with a credential’s error says whose credential that is', () => {
    const fault = faultOf('{"error":{"message":"bad key sk-1","code":401}}')
    expect(fault).toMatchObject({ code: 'upstream_unauthorized', status: 502 })
    expect([fault.message, fault.answer].join()).not.toContain('sk-1')
  })

  test('with an error of null is none', () => {
    expect(createReader().read('{"error":null,"choices":[]}')).toBe('preamble')
  })
})

describe('a stream', () => {
  function isComplete(frames: string[], n = 1): boolean {
    const reader = createReader({ n })
    for (const frame of frames) reader.read(frame)
    return reader.isComplete()
  }

  test('is complete with its end mark, or a finish reason for each choice', () => {
    expect(isComplete([])).toBe(false)
    expect(isComplete([delta('"content":"x"')])).toBe(false)
    expect(isComplete([delta('"content":"x"'), finish('stop')])).toBe(true)
    expect(isComplete([delta('"content":"x"'), '[DONE]'])).toBe(true)
    expect(isComplete([finish('stop', 1)], 2)).toBe(false)
    expect(isComplete([finish('stop', 0)], 2)).toBe(false)
    expect(isComplete([finish('stop', 1), finish('length', 0)], 2)).toBe(true)
    // More choices than were asked for have to end as well.
    expect(isComplete([delta('"content":"x"', 1), finish('stop', 0)])).toBe(false)
    expect(isComplete([finish('stop'), finish('stop')], 2)).toBe(false)
  })

  test('knows its finish reasons by choice, raw as they came', () => {
    const reader = createReader({ n: 3 })
    reader.read(finish('eos_token', 2))
    expect(reader.facts().finishReasons).toEqual(['unknown', 'unknown', 'eos_token'])
    reader.read(finish('stop', 0))
    reader.read(finish('length', 1))
    expect(reader.facts().finishReasons).toEqual(['stop', 'length', 'eos_token'])
  })

  test('has the last usage that it told', () => {
    const reader = createReader()
    expect(reader.facts().usage).toBeUndefined()
    reader.read(
      '{"choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}'
    )
    reader.read(USAGE)
    reader.read('{"choices":[],"usage":null}')
    expect(reader.facts().usage).toMatchObject({ inputTokens: 3, outputTokens: 4 })
  })

  test('holds no more than it must of a host that counts without end', () => {
    const reader = createReader()
    reader.read(finish('stop', 1_000_000_000))
    expect(reader.facts().finishReasons.length).toBeLessThan(2_000)
    expect(reader.isComplete()).toBe(false)
  })
})
