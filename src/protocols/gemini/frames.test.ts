import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../../errors/gateway-error'
import { chunk, END } from './fixtures/stream'
import { gemini } from './gemini'

function faultOf(work: () => unknown): GatewayError {
  try {
    work()
  } catch (error) {
    return GatewayError.from(error)
  }
  throw new Error('it was taken')
}

describe('following frames of the same format', () => {
  const follow = (...chunks: string[]) => {
    const envelope = gemini.client.parseRequest(new TextEncoder().encode('{}'), {
      model: 'm',
      stream: true,
    })
    const reader = gemini.upstream.createFrameReader(envelope, { model: 'm', askForUsage: false })
    return { reader, meanings: chunks.map((data) => reader.read(data, undefined)) }
  }

  test.each<[string, string]>([
    ['{"usageMetadata":{}}', 'preamble'],
    [chunk([]), 'preamble'],
    [chunk([{ text: '' }]), 'preamble'],
    [chunk([{ text: '', thought: true }]), 'preamble'],
    [chunk([{ text: 'a' }]), 'content'],
    [chunk([{ text: 'a', thought: true }]), 'content'],
    [chunk([{ functionCall: {} }]), 'content'],
    [chunk([{ text: '', thoughtSignature: 's' }]), 'content'],
    [chunk([], { finishReason: 'STOP' }), 'content'],
    ['{"promptFeedback":{"blockReason":"SAFETY"}}', 'content'],
  ])('%s is %s', (data, meaning) => {
    expect(follow(data).meanings.map(String)).toEqual([meaning])
  })

  test('tells when it is complete, and its facts', () => {
    const { reader } = follow(chunk([{ text: 'a' }]), chunk([{ text: 'b' }], { index: 1 }))
    expect(reader.isComplete()).toBe(false)
    reader.read(END, undefined)
    expect(reader.isComplete()).toBe(false)
    const usageMetadata = { promptTokenCount: 1, candidatesTokenCount: 2 }
    const last = { candidates: [{ index: 1, finishReason: 'OTHER' }], usageMetadata }
    reader.read(JSON.stringify(last), undefined)
    expect(reader.isComplete()).toBe(true)
    expect(reader.facts()).toMatchObject({
      finishReasons: ['STOP', 'OTHER'],
      usage: { outputTokens: 2 },
    })
  })

  test('a blocked prompt is complete, comments say nothing, errors are raised', () => {
    const { reader } = follow('{"promptFeedback":{"blockReason":"SAFETY"}}')
    expect(reader.isComplete()).toBe(true)
    expect(reader.facts().finishReasons).toEqual(['SAFETY'])
    expect(reader.read(undefined, undefined)).toBe('comment')
    const error = '{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}}'
    expect(faultOf(() => reader.read(error, undefined))).toMatchObject({
      status: 429,
      answer: error,
    })
    expect(faultOf(() => reader.read('nope', undefined)).code).toBe('upstream_malformed')
  })
})
