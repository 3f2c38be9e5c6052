import { describe, expect, test } from 'bun:test'
import { accumulate } from '../accumulate'
import type { Part } from '../generation'
import type { JsonObject } from '../json'
import type { FrameMeaning } from '../protocol'
import { ConverseEventReader } from './event-reader'
import { ConverseFrameReader } from './frames'
import { delta, encoder, framesOf, MESSAGES, read, start, stop, STREAM } from './fixtures/stream'

describe('a stream that passes', () => {
  test('has content from its first word and ends behind its counts', () => {
    const reader = new ConverseFrameReader()
    const meanings: FrameMeaning[] = []
    const complete: boolean[] = []
    for (const { data, event } of framesOf(Buffer.concat(MESSAGES))) {
      meanings.push(reader.read(data, event))
      complete.push(reader.isComplete())
    }
    expect(meanings.slice(0, 5)).toEqual(['preamble', 'content', 'content', 'content', 'preamble'])
    expect(meanings.slice(-3)).toEqual(['preamble', 'content', 'done'])
    expect(complete.slice(-3)).toEqual([false, true, true])
    expect(reader.facts()).toMatchObject({
      usage: { inputTokens: 5, outputTokens: 9 },
      finishReasons: ['tool_use'],
    })
  })

  test.each<[string, JsonObject, FrameMeaning]>([
    ['messageStart', { role: 'assistant' }, 'preamble'],
    ['contentBlockStart', { start: {}, contentBlockIndex: 0 }, 'preamble'],
    ['contentBlockStart', { start: { toolUse: { name: 'f' } }, contentBlockIndex: 0 }, 'content'],
    ['contentBlockDelta', { delta: { text: '' }, contentBlockIndex: 0 }, 'preamble'],
    ['contentBlockDelta', { delta: { text: 'a' }, contentBlockIndex: 0 }, 'content'],
    ['contentBlockDelta', { delta: { brandNew: { of: 1 } } }, 'content'],
    ['somethingNew', { a: 1 }, 'preamble'],
    ['messageStop', { stopReason: 'malformed_tool_use' }, 'content'],
  ])('%s %j is %s', (event, json, meaning) => {
    expect(new ConverseFrameReader().read(JSON.stringify(json), event)).toBe(meaning)
  })

  test('an exception as its first frame is an error with its status', () => {
    const [frame] = framesOf(encoder.exception('throttlingException', { message: 'slow down' }))
    expect(() => new ConverseFrameReader().read(frame?.data, frame?.event)).toThrow(
      expect.objectContaining({ code: 'upstream_refused', status: 429 })
    )
  })

  test('what is not JSON is refused', () => {
    expect(() => new ConverseFrameReader().read('oops', 'metadata')).toThrow(
      expect.objectContaining({ code: 'upstream_malformed' })
    )
  })
})

const PARTS: Part[] = [
  { type: 'reasoning', text: 'let me see', signature: { maker: 'anthropic', value: 'sig' } },
  {
    type: 'text',
    text: 'It is sunny.',
    citations: [
      {
        title: 't',
        url: 'https://example.com',
        source: {
          protocol: 'bedrock-converse',
          json: { title: 't', location: { web: { url: 'https://example.com' } } },
        },
      },
    ],
  },
  { type: 'tool_call', id: 'c1', name: 'look', arguments: '{"at":"noon"}' },
]

describe('a stream that is read', () => {
  test.each([1, 7, 64, 100_000])('cut every %d bytes comes to its answer', (size) => {
    const answer = accumulate(read(Buffer.concat(MESSAGES), size))
    expect(answer.choices).toEqual([
      { parts: PARTS, finish: { reason: 'tool_calls', native: 'tool_use' } },
    ])
    expect(answer.usage).toMatchObject({ inputTokens: 5, outputTokens: 9 })
  })

  test('closes its parts before it finishes, and ends once', () => {
    const open = MESSAGES.filter((_bytes, index) => STREAM[index]?.[0] !== 'contentBlockStop')
    const types = read(Buffer.concat(open)).map(({ type }) => type)
    expect(types.slice(-6)).toEqual(['part_end', 'part_end', 'part_end', 'finish', 'usage', 'end'])
    expect(types.filter((type) => type === 'start' || type === 'end')).toHaveLength(2)
  })

  test('may tell its counts before its end, or none', () => {
    const early = [...MESSAGES.slice(0, -2), ...MESSAGES.slice(-2).reverse()]
    expect(read(Buffer.concat(early)).at(-1)).toEqual({ type: 'end' })
    expect(read(Buffer.concat(MESSAGES.slice(0, -1))).at(-1)).toEqual({ type: 'end' })
  })

  test('that breaks off has no end', () => {
    expect(() => read(Buffer.concat(MESSAGES.slice(0, -2)))).toThrow(
      expect.objectContaining({ code: 'upstream_broken' })
    )
  })

  test('of a model that failed is an error', () => {
    const reader = new ConverseEventReader()
    expect(() => reader.read('{"stopReason":"malformed_model_output"}', 'messageStop')).toThrow(
      expect.objectContaining({ code: 'upstream_refused', status: 424 })
    )
  })

  test.each<[string, [string, JsonObject][], Part[]]>([
    [
      'redacted thoughts',
      [
        delta(0, { reasoningContent: { redactedContent: 'c2Vj' } }),
        delta(0, { reasoningContent: { redactedContent: 'cmV0' } }),
      ],
      [{ type: 'reasoning', text: '', encrypted: { maker: 'anthropic', value: 'c2VjcmV0' } }],
    ],
    [
      'thoughts and words in one block',
      [delta(0, { reasoningContent: { text: 'hm' } }), delta(0, { text: 'so' })],
      [
        { type: 'reasoning', text: 'hm' },
        { type: 'text', text: 'so' },
      ],
    ],
    [
      'a picture in pieces',
      [
        start(0, { image: { format: 'png' } }),
        delta(0, { image: { source: { bytes: btoa('ab') } } }),
        delta(0, { image: { source: { bytes: btoa('cde') } } }),
        stop(0),
      ],
      [
        {
          type: 'media',
          media: 'image',
          data: { base64: btoa('abcde') },
          mimeType: 'image/png',
        },
      ],
    ],
    [
      "a tool of Bedrock's own and what it said",
      [
        start(0, { toolUse: { toolUseId: 's', name: 'ground', type: 'server_tool_use' } }),
        delta(0, { toolUse: { input: '{"q":' } }),
        delta(0, { toolUse: { input: '1}' } }),
        stop(0),
        start(1, { toolResult: { toolUseId: 's', type: 'found' } }),
        delta(1, { toolResult: [{ text: 'a' }] }),
        delta(1, { toolResult: [{ json: { b: 1 } }] }),
        stop(1),
      ],
      [
        {
          type: 'native',
          name: 'server_tool_use',
          source: {
            protocol: 'bedrock-converse',
            json: {
              toolUse: { toolUseId: 's', name: 'ground', type: 'server_tool_use', input: { q: 1 } },
            },
          },
        },
        {
          type: 'native',
          name: 'found',
          source: {
            protocol: 'bedrock-converse',
            json: {
              toolResult: {
                toolUseId: 's',
                type: 'found',
                content: [{ text: 'a' }, { json: { b: 1 } }],
              },
            },
          },
        },
      ],
    ],
  ])('%s', (_what, events, parts) => {
    const frames = [...events, ['messageStop', { stopReason: 'end_turn' }] as const]
    const bytes = Buffer.concat(frames.map(([type, json]) => encoder.event(type, json)))
    expect(accumulate(read(bytes)).choices[0]?.parts).toEqual(parts)
  })
})
