import { describe, expect, test } from 'bun:test'
import { accumulate } from '../accumulate'
import type { Answer, Choice, FinishReason } from '../answer'
import type { JsonObject, JsonValue } from '../json'
import { Losses } from '../losses'
import type { FrameMeaning } from '../protocol'
import type { StreamEvent } from '../stream-event'
import { NO_USAGE } from '../usage'
import { answerOf, CONTEXT, lineOf, PNG, readStream, wire, writeStream } from './fixtures/ollama'
import { ollamaChat } from './ollama'

const read = (json: JsonValue) => ollamaChat.chat.parseChatAnswer(json)

/** What is said, without what it was read from. */
const said = ({ choices }: Answer): unknown =>
  JSON.parse(
    JSON.stringify(choices[0]?.parts, (key, value: unknown) =>
      key === 'source' ? undefined : value
    )
  )

const LOOK: JsonObject = { name: 'look', arguments: { up: true } }
const CALL: JsonObject = { function: LOOK }
const CALLED = { type: 'tool_call', name: 'look', arguments: '{"up":true}' }
const IMAGE = { type: 'media', media: 'image', mimeType: 'image/png', data: { base64: PNG } }
const LOGPROBS: JsonValue = [
  {
    token: 'Hi',
    logprob: -0.5,
    bytes: [72, 105],
    top_logprobs: [{ token: 'Ho', logprob: -2, bytes: [72, 111] }],
  },
  { token: '!', logprob: -0.25 },
]
const TOKENS = [
  {
    token: 'Hi',
    logprob: -0.5,
    bytes: [72, 105],
    top: [{ token: 'Ho', logprob: -2, bytes: [72, 111] }],
  },
  { token: '!', logprob: -0.25, top: [] },
]

describe('an answer says the same whole and streamed', () => {
  test.each<[string, JsonObject, JsonObject[], unknown]>([
    [
      'a text',
      { content: 'Hi there' },
      [{ content: 'Hi' }, { content: ' there' }],
      [{ type: 'text', text: 'Hi there' }],
    ],
    [
      'thoughts before it',
      { content: 'Hi', thinking: 'Hm.' },
      [{ thinking: 'H' }, { thinking: 'm.' }, { content: 'Hi' }],
      [
        { type: 'reasoning', text: 'Hm.' },
        { type: 'text', text: 'Hi' },
      ],
    ],
    [
      'calls with ids of their own',
      { tool_calls: ['call_0', 'call_1'].map((id) => ({ id, function: LOOK })) },
      [{ tool_calls: [{ id: 'call_0', ...CALL }] }, { tool_calls: [{ id: 'call_1', ...CALL }] }],
      [
        { ...CALLED, id: 'call_0' },
        { ...CALLED, id: 'call_1' },
      ],
    ],
    ['an image', { images: [PNG] }, [{ images: [PNG] }], [IMAGE]],
    ['nothing', {}, [{}], []],
  ])('%s', (_name, message, lines, parts) => {
    const bytes = wire([...lines.map((line) => lineOf(line)), answerOf({})])
    const answers = [read(answerOf(message))]
    for (const size of [1, 7, 64]) answers.push(accumulate(readStream(bytes, size)))
    for (const answer of answers) {
      expect(said(answer)).toEqual(parts)
      expect(answer).toMatchObject({
        model: 'gemma4',
        createdAt: 1_761_499_281,
        usage: { ...NO_USAGE, inputTokens: 11, outputTokens: 18 },
      })
    }
  })

  test('calls without ids get some that differ, and are the same again', () => {
    const ids = (answer: Answer) =>
      answer.choices[0]?.parts.map((part) => (part.type === 'tool_call' ? part.id : ''))
    const whole = ids(read(answerOf({ tool_calls: [CALL, CALL] })))
    expect(new Set(whole).size).toBe(2)
    expect(ids(read(answerOf({ tool_calls: [CALL, CALL] })))).toEqual(whole)
    const bytes = wire([lineOf({ tool_calls: [CALL, CALL] }), answerOf({})])
    expect(ids(accumulate(readStream(bytes)))).toEqual(whole)
    const later = { created_at: '2026-01-01T00:00:00Z' }
    expect(ids(read(answerOf({ tool_calls: [CALL] }, later)))?.[0]).not.toBe(whole?.[0])
  })

  test('how likely its tokens were', () => {
    expect(read(answerOf({}, { logprobs: LOGPROBS })).choices[0]?.logprobs).toEqual(TOKENS)
    const bytes = wire([lineOf({ content: 'Hi!' }, { logprobs: LOGPROBS }), answerOf({})])
    expect(accumulate(readStream(bytes)).choices[0]?.logprobs).toEqual(TOKENS)
    expect(read(answerOf({}, { logprobs: null })).choices[0]).not.toHaveProperty('logprobs')
  })
})

describe('an end', () => {
  test.each<[JsonValue, JsonObject, FinishReason, string]>([
    ['stop', {}, 'stop', 'stop'],
    ['stop', { tool_calls: [CALL] }, 'tool_calls', 'stop'],
    ['length', {}, 'length', 'length'],
    ['length', { tool_calls: [CALL] }, 'length', 'length'],
    ['load', {}, 'unknown', 'load'],
    ['unload', {}, 'unknown', 'unload'],
    ['tomorrow', {}, 'unknown', 'tomorrow'],
    // Older versions say none.
    [null, {}, 'unknown', ''],
    [null, { tool_calls: [CALL] }, 'tool_calls', ''],
  ])('for %p, %j', (done_reason, message, reason, native) => {
    const whole = answerOf(message, { done_reason })
    expect(read(whole).choices[0]?.finish).toEqual({ reason, native })
    const streamed = accumulate(readStream(wire([whole])))
    expect(streamed.choices[0]?.finish).toEqual({ reason, native })
  })

  test.each<[FinishReason, string, string]>([
    ['stop', 'end_turn', 'stop'],
    ['stop_sequence', 'stop_sequence', 'stop'],
    ['tool_calls', 'tool_use', 'stop'],
    ['length', 'max_tokens', 'length'],
    ['context_window', 'model_context_window_exceeded', 'length'],
    ['content_filter', 'SAFETY', 'SAFETY'],
    ['unknown', 'load', 'load'],
    ['unknown', '', 'unknown'],
  ])('%s, by another %p, is told as %p', (reason, native, expected) => {
    const choice: Choice = { parts: [], finish: { reason, native } }
    const losses = new Losses()
    const whole = ollamaChat.chat.renderChatAnswer({ choices: [choice] }, CONTEXT, losses)
    expect(whole.done_reason).toBe(expected)
    const finish: StreamEvent = { type: 'finish', choice: 0, finish: choice.finish }
    const { lines } = writeStream([{ type: 'start' }, finish, { type: 'end' }])
    expect(lines.at(-1)).toMatchObject({ done: true, done_reason: expected })
  })
})

test.each<[JsonObject, number | undefined, number | undefined]>([
  [{ prompt_eval_count: 5, eval_count: 0 }, 5, 0],
  // What the server's cache held may be left out.
  [{ prompt_eval_count: null }, undefined, 18],
  [{ eval_count: -1 }, 11, undefined],
])('%j is %p in, %p out', (counts, inputTokens, outputTokens) => {
  expect(read(answerOf({}, counts)).usage).toMatchObject({ inputTokens, outputTokens })
})

test('no count at all is no usage', () => {
  const counts = { prompt_eval_count: null, eval_count: null }
  expect(read(answerOf({ content: 'Hi' }, counts)).usage).toBeUndefined()
})

test.each<[JsonValue, string]>([
  [[], 'upstream_malformed'],
  [null, 'upstream_malformed'],
  [{ done: true }, 'upstream_malformed'],
  [lineOf({ content: 'Hi' }), 'upstream_broken'],
  [{ error: 'model runner has stopped' }, 'upstream_refused'],
])('%j is no answer', (json, code) => {
  expect(() => read(json)).toThrow(expect.objectContaining({ code }))
})

describe('to a client', () => {
  const parts: Choice['parts'] = [
    { type: 'reasoning', text: 'Hm.', signature: { maker: 'anthropic', value: 'c2ln' } },
    { type: 'text', text: 'Hi!' },
    { type: 'media', media: 'image', mimeType: 'image/png', data: { base64: PNG } },
    { type: 'media', media: 'audio', data: { base64: 'AAAA' } },
    { type: 'tool_call', id: 'c1', name: 'look', arguments: '{"up":true}' },
  ]
  const choice: Choice = {
    parts,
    finish: { reason: 'tool_calls', native: 'tool_use' },
    logprobs: TOKENS,
  }

  test('a whole answer, and what is left out', () => {
    const losses = new Losses()
    const usage = { ...NO_USAGE, inputTokens: 11, outputTokens: 18 }
    const answer = { choices: [choice, choice], createdAt: 1_761_499_281, usage }
    expect(ollamaChat.chat.renderChatAnswer(answer, CONTEXT, losses)).toEqual({
      model: 'llama3.2',
      created_at: '2025-10-26T17:21:21.000Z',
      message: {
        role: 'assistant',
        content: 'Hi!',
        thinking: 'Hm.',
        images: [PNG],
        tool_calls: [{ id: 'c1', ...CALL }],
      },
      done: true,
      done_reason: 'stop',
      prompt_eval_count: 11,
      eval_count: 18,
      logprobs: LOGPROBS,
    })
    expect(losses.list.map(({ field }) => field)).toEqual([
      'choices.1',
      'message.content.0.signature',
      'message.content.3',
    ])
  })

  test('a stream: pieces as they come, calls whole and in order, counts in the last line', () => {
    const start = (index: number, id: string): StreamEvent => ({
      type: 'part_start',
      choice: 0,
      index,
      part: { type: 'tool_call', id, name: 'look', arguments: '' },
    })
    const delta = (index: number, text: string): StreamEvent => ({
      type: 'delta',
      choice: 0,
      index,
      text,
    })
    const end = (index: number): StreamEvent => ({ type: 'part_end', choice: 0, index })
    const { lines, losses } = writeStream([
      { type: 'start', model: 'gemma4', createdAt: 1_761_499_281 },
      { type: 'part_start', choice: 0, index: 0, part: { type: 'reasoning', text: '' } },
      delta(0, 'Hm.'),
      end(0),
      { type: 'part_start', choice: 0, index: 1, part: { type: 'text', text: 'H' } },
      delta(1, 'i!'),
      { type: 'logprobs', choice: 0, tokens: TOKENS },
      end(1),
      ...[start(2, 'a'), start(3, 'b'), delta(2, '{"up"'), delta(3, '{}'), end(3)],
      ...[delta(2, ':true}'), end(2)],
      { type: 'usage', usage: { ...NO_USAGE, outputTokens: 18 } },
      { type: 'finish', choice: 0, finish: choice.finish },
      { type: 'end' },
    ])
    const head = { model: 'gemma4', created_at: '2025-10-26T17:21:21.000Z' }
    const line = (message: JsonObject, more: JsonObject = {}) => ({
      ...head,
      message: { role: 'assistant', content: '', ...message },
      done: false,
      ...more,
    })
    expect(lines).toEqual([
      line({ thinking: 'Hm.' }),
      line({ content: 'H' }),
      line({ content: 'i!' }),
      line({}, { logprobs: LOGPROBS }),
      line({ tool_calls: [{ id: 'a', ...CALL }] }),
      line({ tool_calls: [{ id: 'b', function: { name: 'look', arguments: {} } }] }),
      line({}, { done: true, done_reason: 'stop', eval_count: 18 }),
    ])
    expect(losses).toEqual([])
  })

  test('an image that comes in pieces is one', () => {
    const { lines } = writeStream([
      {
        type: 'part_start',
        choice: 0,
        index: 0,
        part: { type: 'media', media: 'image', data: { base64: PNG.slice(0, 8) } },
      },
      { type: 'delta', choice: 0, index: 0, text: PNG.slice(8) },
      { type: 'part_end', choice: 0, index: 0 },
    ])
    expect(lines.map(({ message }) => message)).toEqual([
      { role: 'assistant', content: '', images: [PNG] },
    ])
  })

  test('what is read from its own stream is written as it was said', () => {
    const message = { thinking: 'Hm.', content: 'Hi', tool_calls: [{ id: 'call_0', ...CALL }] }
    const events = readStream(wire([lineOf(message), answerOf({})]))
    const again = readStream(wire(writeStream(events).lines))
    expect(accumulate(again).choices).toEqual(accumulate(events).choices)
    expect(accumulate(again).usage).toEqual(accumulate(events).usage)
  })
})

describe('lines that pass as they are', () => {
  const reader = () =>
    ollamaChat.upstream.createFrameReader(
      ollamaChat.client.parseRequest(Buffer.from('{"model":"m"}'), {}),
      { model: 'm', askForUsage: false }
    )

  test.each<[JsonObject, FrameMeaning]>([
    [lineOf({}), 'preamble'],
    [lineOf({ content: 'Hi' }), 'content'],
    [lineOf({ thinking: 'Hm.' }), 'content'],
    [lineOf({ tool_calls: [CALL] }), 'content'],
    [lineOf({ images: [PNG] }), 'content'],
    [answerOf({}), 'done'],
  ])('%j is %s', (line, meaning) => {
    expect(reader().read(JSON.stringify(line), undefined)).toBe(meaning)
  })

  test.each([
    ['{"message":', 'upstream_malformed'],
    ['data: {}', 'upstream_malformed'],
    ['[]', 'upstream_malformed'],
    ['{"error":"an error was encountered while running the model"}', 'upstream_refused'],
  ])('%s ends them', (line, code) => {
    const frames = reader()
    frames.read(JSON.stringify(lineOf({ content: 'Hi' })), undefined)
    expect(() => frames.read(line, undefined)).toThrow(expect.objectContaining({ code }))
    expect(frames.isComplete()).toBe(false)
  })

  test('are complete with the last alone, and keep what was said for those who count', () => {
    const frames = reader()
    expect(frames.read(undefined, undefined)).toBe('comment')
    frames.read(JSON.stringify(lineOf({ content: 'Hi' })), undefined)
    expect(frames.isComplete()).toBe(false)
    frames.read(JSON.stringify(answerOf({}, { prompt_eval_count: null })), undefined)
    expect(frames.isComplete()).toBe(true)
    const { usage, finishReasons, said: text } = frames.facts()
    expect(usage).toMatchObject({ inputTokens: undefined, outputTokens: 18 })
    expect(finishReasons).toEqual(['stop'])
    expect(text?.text).toBe('Hi')
  })
})
