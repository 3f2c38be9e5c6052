import { describe, expect, test } from 'bun:test'
import { accumulate } from '../accumulate'
import type { Answer, FinishReason } from '../answer'
import type { JsonObject, JsonValue } from '../json'
import { Losses, renderLosses } from '../losses'
import type { FrameMeaning } from '../protocol'
import type { Usage } from '../usage'
import { cohereChat } from './cohere'
import {
  answerOf,
  CALL,
  callEvents,
  CITED,
  citationEvents,
  contentDelta,
  contentStart,
  CONTEXT,
  endOf,
  planDelta,
  readStream,
  START,
  wire,
} from './fixtures/cohere'

const read = (json: JsonValue) => cohereChat.chat.parseChatAnswer(json)

/** What is said, without where it was read from. */
const said = ({ choices }: Answer): unknown =>
  JSON.parse(
    JSON.stringify(choices[0]?.parts, (key, value: unknown) =>
      key === 'source' ? undefined : value
    )
  )

const TOLL = [{ type: 'text', text: 'The toll is due.' }]
const place = { startIndex: 4, endIndex: 8 }
const CITATIONS = [{ title: 'Tolls', citedText: 'A fee.', documentIndex: 1, ...place }, place]

describe('a whole answer', () => {
  test.each<[string, JsonObject, unknown]>([
    ['a text', { content: TOLL }, TOLL],
    [
      'thoughts before it',
      { content: [{ type: 'thinking', thinking: 'Hm.' }, ...TOLL] },
      [{ type: 'reasoning', text: 'Hm.' }, ...TOLL],
    ],
    ['citations', { content: TOLL, citations: [CITED] }, [{ ...TOLL[0], citations: CITATIONS }]],
    [
      'a citation in the second content',
      {
        content: [{ type: 'thinking', thinking: 'Hm.' }, ...TOLL],
        citations: [{ ...CITED, content_index: 1 }],
      },
      [
        { type: 'reasoning', text: 'Hm.' },
        { ...TOLL[0], citations: CITATIONS },
      ],
    ],
    [
      'a plan and calls',
      {
        tool_plan: 'I look.',
        tool_calls: [CALL, { ...CALL, function: { name: 'now', arguments: 'null' } }],
      },
      [
        { type: 'text', text: 'I look.' },
        {
          type: 'tool_call',
          id: 'get_weather_1',
          name: 'get_weather',
          arguments: '{"city":"Rome"}',
        },
        { type: 'tool_call', id: 'get_weather_1', name: 'now', arguments: '{}' },
      ],
    ],
    ['nothing', { content: [] }, []],
  ])('with %s', (_name, message, parts) => {
    expect(said(read(answerOf(message)))).toEqual(parts)
  })

  test('tells how likely its pieces were', () => {
    const items = [
      { text: 'Hi', token_ids: [1], logprobs: [-0.5] },
      { text: ' there', token_ids: [2, 3], logprobs: [-0.25, -0.5] },
      { text: '!', token_ids: [4] },
    ]
    const [choice] = read(answerOf({ content: TOLL }, { logprobs: items })).choices
    expect(choice?.logprobs).toEqual([
      { token: 'Hi', logprob: -0.5, top: [] },
      { token: ' there', logprob: -0.75, top: [] },
    ])
  })

  test.each<[JsonValue, string]>([
    [{}, 'upstream_malformed'],
    [[], 'upstream_malformed'],
    [answerOf({ content: 7 }), 'upstream_malformed'],
    [{ id: 'x', message: 'no such model' }, 'upstream_refused'],
  ])('that is none: %j', (json, code) => {
    expect(() => read(json)).toThrow(expect.objectContaining({ code }))
  })
})

describe('an end', () => {
  test.each<[string, FinishReason]>([
    ['COMPLETE', 'stop'],
    ['STOP_SEQUENCE', 'stop_sequence'],
    ['MAX_TOKENS', 'length'],
    ['TOOL_CALL', 'tool_calls'],
    ['ERROR_TOXIC', 'content_filter'],
    ['ERROR_LIMIT', 'context_window'],
    ['USER_CANCEL', 'unknown'],
  ])('%s', (native, reason) => {
    const whole = read(answerOf({ content: TOLL }, { finish_reason: native }))
    expect(whole.choices[0]?.finish).toEqual({ reason, native })
    const streamed = accumulate(readStream(wire([START, endOf(native)])))
    expect(streamed.choices[0]?.finish).toEqual({ reason, native })
  })

  test.each([
    ['ERROR', 502],
    ['TIMEOUT', 504],
    ['ERROR_OVERLOADED', 502],
  ])('%s is the provider’s failure and no end', (native, status) => {
    const error = expect.objectContaining({ code: 'upstream_refused', status })
    expect(() => read(answerOf({ content: TOLL }, { finish_reason: native }))).toThrow(error)
    expect(() => readStream(wire([START, endOf(native)]))).toThrow(error)
    const frames = cohereChat.upstream.createFrameReader(
      cohereChat.client.parseRequest(Buffer.from('{"model":"m"}'), {}),
      { model: 'm', askForUsage: false }
    )
    expect(() => frames.read(JSON.stringify(endOf(native)), 'message-end')).toThrow(error)
    expect(frames.isComplete()).toBe(false)
  })
})

describe('usage', () => {
  const billed = { input_tokens: 5, output_tokens: 7 }
  const tokens = { input_tokens: 500, output_tokens: 9 }
  test.each<[JsonValue, Partial<Usage>]>([
    // What is cached is cached of the tokens, and says nothing of what is billed.
    [
      { billed_units: billed, tokens, cached_tokens: 448 },
      { inputTokens: 5, outputTokens: 7, cacheReadTokens: undefined },
    ],
    [
      { billed_units: { ...billed, search_units: 2 } },
      { inputTokens: 5, outputTokens: 7, searches: 2 },
    ],
    [
      { tokens, cached_tokens: 448 },
      { inputTokens: 500, outputTokens: 9, cacheReadTokens: 448 },
    ],
    [{ billed_units: { output_tokens: 7 } }, { inputTokens: undefined, outputTokens: 7 }],
    [
      { billed_units: {}, tokens },
      { inputTokens: 500, outputTokens: 9 },
    ],
  ])('%j', (usage, counts) => {
    expect(read(answerOf({ content: TOLL }, { usage })).usage).toMatchObject(counts)
  })

  test.each<JsonValue>([null, {}, { billed_units: {} }, 'many'])('%j is none', (usage) => {
    expect(read(answerOf({ content: TOLL }, { usage })).usage).toBeUndefined()
  })
})

const STREAMS: [string, JsonObject[], unknown][] = [
  [
    'thoughts, a text and citations behind their content',
    [
      START,
      contentStart(0, 'thinking'),
      contentDelta(0, { thinking: 'Hm' }),
      contentDelta(0, { thinking: '.' }),
      { type: 'content-end', index: 0 },
      contentStart(1, 'text'),
      contentDelta(1, { text: 'The toll' }),
      contentDelta(1, { text: ' is due.' }),
      { type: 'content-end', index: 1 },
      ...citationEvents(0, CITED),
      endOf('COMPLETE'),
    ],
    [
      { type: 'reasoning', text: 'Hm.' },
      { ...TOLL[0], citations: CITATIONS },
    ],
  ],
  [
    'a plan, calls and a citation of the plan',
    [
      START,
      planDelta('I '),
      planDelta('look.'),
      ...citationEvents(0, { ...CITED, sources: [], type: 'PLAN' }),
      ...callEvents(0, 'a', ['{"city"', ':"Rome"}']),
      ...callEvents(1, 'b', ['nu', 'll']),
      ...callEvents(2, 'c', ['nu', 'mber']),
      ...callEvents(3, 'd', []),
      endOf('TOOL_CALL'),
    ],
    [
      { type: 'text', text: 'I look.', citations: [place] },
      { type: 'tool_call', id: 'a', name: 'get_weather', arguments: '{"city":"Rome"}' },
      { type: 'tool_call', id: 'b', name: 'get_weather', arguments: '{}' },
      { type: 'tool_call', id: 'c', name: 'get_weather', arguments: 'number' },
      { type: 'tool_call', id: 'd', name: 'get_weather', arguments: '' },
    ],
  ],
  [
    'a citation of thoughts, and events that nobody knows',
    [
      START,
      { type: 'debug', prompt: 'p' },
      contentDelta(0, { text: 'The toll is due.' }),
      { type: 'tomorrow', index: 0 },
      ...citationEvents(0, { ...CITED, type: 'THINKING_CONTENT' }),
      endOf('COMPLETE'),
    ],
    [...TOLL, { type: 'native', name: 'citation' }],
  ],
]

describe('a stream', () => {
  test.each(STREAMS)('of %s', (_name, events, parts) => {
    const bytes = wire(events)
    const read = readStream(bytes)
    for (const size of [1, 7, 64]) expect(readStream(bytes, size)).toEqual(read)
    const answer = accumulate(read)
    expect(said(answer)).toEqual(parts)
    expect(answer).toMatchObject({ id: 'answer-1', usage: { inputTokens: 5, outputTokens: 7 } })
    // Every part is closed before the finish.
    const types = read.map(({ type }) => type)
    const count = (wanted: string) => types.filter((type) => type === wanted).length
    expect(count('part_end')).toBe(count('part_start'))
    expect(types.lastIndexOf('part_end')).toBeLessThan(types.indexOf('finish'))
    expect(types.at(-1)).toBe('end')
  })

  test('with log probabilities', () => {
    const delta = {
      ...contentDelta(0, { text: 'Hi' }),
      logprobs: { text: 'Hi', token_ids: [1], logprobs: [-0.5] },
    }
    const answer = accumulate(
      readStream(wire([START, contentStart(0, 'text'), delta, endOf('COMPLETE')]))
    )
    expect(answer.choices[0]?.logprobs).toEqual([{ token: 'Hi', logprob: -0.5, top: [] }])
  })

  test.each<[string, Uint8Array, string]>([
    ['without its last event', wire([START, contentDelta(0, { text: 'Hi' })]), 'upstream_broken'],
    ['whose end mark stands alone', Buffer.from('data: [DONE]\n\n'), 'upstream_broken'],
    ['of what is no JSON', Buffer.from('data: {"type":\n\n'), 'upstream_malformed'],
    ['of what is no event', Buffer.from('data: {"a":1}\n\n'), 'upstream_malformed'],
    ['that is an error', Buffer.from('data: {"message":"too much"}\n\n'), 'upstream_refused'],
  ])('%s', (_name, bytes, code) => {
    expect(() => readStream(bytes)).toThrow(expect.objectContaining({ code }))
  })

  test('may have an end mark behind its last event', () => {
    const bytes = Buffer.concat([wire([START, endOf('COMPLETE')]), Buffer.from('data: [DONE]\n\n')])
    expect(readStream(bytes).at(-1)).toEqual({ type: 'end' })
  })
})

describe('frames that pass as they are', () => {
  const reader = () =>
    cohereChat.upstream.createFrameReader(
      cohereChat.client.parseRequest(Buffer.from('{"model":"m"}'), {}),
      { model: 'm', askForUsage: false }
    )

  test.each<[string, JsonObject, FrameMeaning]>([
    ['message-start', START, 'preamble'],
    ['an empty content', contentStart(0, 'thinking'), 'preamble'],
    ['an empty plan', planDelta(''), 'preamble'],
    ['a text', contentDelta(0, { text: 'Hi' }), 'content'],
    ['a plan', planDelta('I look.'), 'content'],
    ['a call', callEvents(0, 'a', [])[0] ?? {}, 'content'],
    ['what is new', { type: 'tomorrow' }, 'content'],
    ['the last', endOf('COMPLETE'), 'done'],
  ])('%s', (_name, event, meaning) => {
    expect(reader().read(JSON.stringify(event), undefined)).toBe(meaning)
  })

  test('give the facts of the answer', () => {
    const frames = reader()
    expect(frames.read(undefined, undefined)).toBe('comment')
    for (const event of [START, planDelta('I look.'), ...callEvents(0, 'a', ['{}'])])
      frames.read(JSON.stringify(event), undefined)
    expect(frames.isComplete()).toBe(false)
    frames.read(JSON.stringify(endOf('TOOL_CALL')), 'message-end')
    expect(frames.isComplete()).toBe(true)
    const { usage, finishReasons, said } = frames.facts()
    expect(finishReasons).toEqual(['TOOL_CALL'])
    expect(usage).toMatchObject({ inputTokens: 5, outputTokens: 7 })
    expect(said?.text).toBe('I look.get_weather{}')
  })
})

test('an answer of another format tells what of it is left out', () => {
  const losses = new Losses()
  cohereChat.chat.renderChatAnswer(
    {
      choices: [
        {
          parts: [],
          finish: { reason: 'stop', native: 'stop' },
          logprobs: [{ token: 'a', logprob: -1, top: [] }],
        },
        { parts: [], finish: { reason: 'stop', native: 'stop' } },
      ],
    },
    CONTEXT,
    losses
  )
  expect(renderLosses(losses.list)).toBe('choices.1;dropped, choices.0.logprobs;dropped')
})
