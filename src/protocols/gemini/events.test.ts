import { describe, expect, test } from 'bun:test'

import { type ErrorCode, GatewayError } from '../../errors/gateway-error'
import { accumulate } from '../accumulate'
import type { Part } from '../generation'
import type { JsonObject } from '../json'
import { chunk, END, readStream } from './fixtures/stream'

const readParts = (...chunks: string[]): Part[] =>
  accumulate(readStream([...chunks, END])).choices[0]?.parts ?? []

function faultOf(work: () => unknown): GatewayError {
  try {
    work()
  } catch (error) {
    return GatewayError.from(error)
  }
  throw new Error('it was taken')
}

describe('reading', () => {
  test('neighbouring texts of one kind are one part', () => {
    const think = (text: string) => ({ text, thought: true })
    expect(
      readParts(chunk([think('a')]), chunk([think('b'), { text: 'c' }]), chunk([{ text: 'd' }]))
    ).toMatchObject([
      { type: 'reasoning', text: 'ab' },
      { type: 'text', text: 'cd' },
    ])
  })

  test('a signature belongs to the text before it, and ends it', () => {
    const signature = { maker: 'google' as const, value: 's' }
    const signed = { text: '', thoughtSignature: 's' }
    expect(readParts(chunk([{ text: 'a' }]), chunk([signed]), chunk([{ text: 'b' }]))).toEqual([
      { type: 'text', text: 'a', signature },
      { type: 'text', text: 'b' },
    ])
    expect(readParts(chunk([signed]))).toEqual([{ type: 'text', text: '', signature }])
  })

  test('whole calls and media are parts, an empty text is none', () => {
    const parts = readParts(
      chunk([{ text: '' }, { functionCall: { name: 'f', args: { a: 1 } }, thoughtSignature: 's' }]),
      chunk([{ inlineData: { mimeType: 'image/png', data: 'AA' } }, { executableCode: {} }])
    )
    expect(parts).toMatchObject([
      { type: 'tool_call', id: 'call_r1_0_0', arguments: '{"a":1}', signature: { value: 's' } },
      { type: 'media', data: { base64: 'AA' } },
      { type: 'native', name: 'executableCode' },
    ])
  })

  describe('a call that comes in pieces', () => {
    const piece = (functionCall: JsonObject) => chunk([{ functionCall }])
    const start = piece({ name: 'f', willContinue: true })
    const partial = (jsonPath: string, value: JsonObject, willContinue = true) =>
      piece({ partialArgs: [{ jsonPath, ...value }], willContinue })

    test('is put together', () => {
      const parts = readParts(
        start,
        partial('$.a.list[1]', { stringValue: 'x', willContinue: true }),
        partial('$.a.list[1]', { stringValue: 'y' }),
        partial('$.a.list[0]', { numberValue: 1.5 }),
        partial("$['a.b']", { boolValue: false }),
        partial('$["q\\"r"]', { nullValue: 'NULL_VALUE' }),
        partial('$.__proto__', { stringValue: 'p' }),
        piece({})
      )
      expect(parts).toMatchObject([
        {
          name: 'f',
          arguments: '{"a":{"list":[1.5,"xy"]},"a.b":false,"q\\"r":null,"__proto__":"p"}',
        },
      ])
    })

    test('replaces a text that was at its end', () => {
      const once = partial('$.a', { stringValue: 'x' })
      expect(readParts(start, once, once, piece({}))).toMatchObject([{ arguments: '{"a":"x"}' }])
    })

    test('ends with another one, a text, or the stream', () => {
      const a = partial('$.a', { numberValue: 1 })
      expect(readParts(start, a, start, a, chunk([{ text: 'b' }]), start)).toMatchObject([
        { arguments: '{"a":1}' },
        { arguments: '{"a":1}' },
        { type: 'text', text: 'b' },
        { arguments: '{}' },
      ])
    })

    test.each(['$', '$.', '$.a..b', '$[99999999]', 'x y', '$[-1]'])(
      'is refused with the path %s',
      (jsonPath) => {
        const read = () => readParts(start, partial(jsonPath, { stringValue: 'x' }))
        expect(faultOf(read).code).toBe('upstream_malformed')
      }
    )

    test('is refused where a list has a name', () => {
      const read = () =>
        readParts(
          start,
          partial('$.a[0]', { numberValue: 1 }),
          partial('$.a.b', { numberValue: 1 })
        )
      expect(faultOf(read).code).toBe('upstream_malformed')
    })
  })

  test('sources come once, at the text that they support', () => {
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://a' } }],
      groundingSupports: [{ segment: { endIndex: 3 }, groundingChunkIndices: [0] }],
    }
    const parts = readParts(
      chunk([{ text: 'ö1' }], { groundingMetadata }),
      chunk([{ text: '2' }], { groundingMetadata })
    )
    expect(parts).toMatchObject([
      { text: 'ö12', citations: [{ url: 'https://a', startIndex: 0, endIndex: 2 }] },
    ])
    expect(parts[0]?.type === 'text' && parts[0].citations).toHaveLength(1)
    const late = readParts(
      chunk([{ functionCall: { name: 'f' } }]),
      chunk([], { groundingMetadata })
    )
    expect(late).toMatchObject([{ type: 'tool_call' }, { text: '', citations: [{}] }])
  })

  test('candidates are choices, usage is the last that was told', () => {
    const two = JSON.stringify({
      candidates: [
        { index: 1, content: { parts: [{ text: 'b' }] }, finishReason: 'STOP' },
        { index: 0, content: { parts: [{ text: 'a' }] }, finishReason: 'MAX_TOKENS' },
      ],
      usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2 },
    })
    const more = '{"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":5}}'
    expect(accumulate(readStream([two, more]))).toMatchObject({
      choices: [
        { parts: [{ text: 'a' }], finish: { reason: 'length' } },
        { parts: [{ text: 'b' }], finish: { reason: 'stop' } },
      ],
      usage: { outputTokens: 5 },
    })
  })

  test('a prompt that was blocked is a choice without content', () => {
    const answer = accumulate(readStream(['{"promptFeedback":{"blockReason":"OTHER"}}']))
    expect(answer.choices).toEqual([
      { parts: [], finish: { reason: 'content_filter', native: 'OTHER' } },
    ])
  })

  test.each<[string, string[], ErrorCode]>([
    ['nothing', [], 'upstream_broken'],
    ['no finish', [chunk([{ text: 'a' }])], 'upstream_broken'],
    ['one finish of two', [END, chunk([{ text: 'a' }], { index: 1 })], 'upstream_broken'],
    ['another API', ['{"event_type":"interaction.created"}'], 'upstream_broken'],
    ['no JSON', ['{"candidates":'], 'upstream_malformed'],
    ['no object', ['[1]'], 'upstream_malformed'],
    ['an index that is none', [chunk([], { index: 4096 })], 'upstream_malformed'],
    ['an error', ['{"error":{"code":503,"message":"busy"}}'], 'upstream_refused'],
    ['a failure', [chunk([], { finishReason: 'OTHER' })], 'upstream_refused'],
  ])('a stream with %s is %s', (_, chunks, code) => {
    expect(faultOf(() => readStream(chunks)).code).toBe(code)
  })
})
