import { describe, expect, test } from 'bun:test'
import type { Answer, FinishReason } from '../answer'
import type { Part } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { Losses, renderLosses } from '../losses'
import { NO_USAGE } from '../usage'
import { parseChatAnswer, parseConverseAnswer, renderChatAnswer } from './chat-answer'

const encode = (json: JsonValue) => new TextEncoder().encode(JSON.stringify(json))

function answerOf(...parts: Part[]): Answer {
  return { choices: [{ parts, finish: { reason: 'stop', native: 'stop' } }] }
}

function render(answer: Answer) {
  const losses = new Losses()
  const json = renderChatAnswer(answer, losses)
  const lost = renderLosses(losses.list.filter(({ field }) => field !== 'metrics.latencyMs'))
  return { json, lost, content: Object(json.output).message.content }
}

const WHOLE: JsonObject = {
  stopReason: 'end_turn',
  usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 },
  metrics: { latencyMs: 12 },
  trace: { guardrail: {} },
  output: {
    message: {
      content: [
        { reasoningContent: { reasoningText: { text: 'hm', signature: 's' } } },
        { text: 'hello' },
        { cachePoint: { type: 'default' } },
        { citationsContent: { content: [{ text: 'cited' }], citations: [{ title: 't' }] } },
        { toolUse: { name: 'f', toolUseId: 'c', input: { a: 1 } } },
        { mystery: true },
      ],
      role: 'assistant',
    },
  },
  serviceTier: { type: 'priority' },
}

describe('a whole answer', () => {
  test('is read', () => {
    const { choices, usage, serviceTier } = parseChatAnswer(WHOLE)
    expect(choices).toHaveLength(1)
    expect(choices[0]?.finish).toEqual({ reason: 'stop', native: 'end_turn' })
    expect(choices[0]?.parts).toMatchObject([
      { type: 'reasoning', text: 'hm', signature: { maker: 'anthropic', value: 's' } },
      { type: 'text', text: 'hello', cache: {} },
      { type: 'text', text: 'cited', citations: [{ title: 't' }] },
      { type: 'tool_call', id: 'c', name: 'f', arguments: '{"a":1}' },
      { type: 'native', name: 'mystery' },
    ])
    expect(usage).toMatchObject({ inputTokens: 3, outputTokens: 4 })
    expect(serviceTier).toBe('priority')
  })

  test('told to its own format is the same, with its order', () => {
    expect(JSON.stringify(render(parseChatAnswer(WHOLE)).json)).toBe(JSON.stringify(WHOLE))
  })

  test('that passes says why it ended and what it took', () => {
    expect(parseConverseAnswer(encode(WHOLE))).toMatchObject({
      usage: { inputTokens: 3, outputTokens: 4 },
      finishReasons: ['end_turn'],
    })
    const malformed = { output: {}, stopReason: 'malformed_tool_use' }
    expect(parseConverseAnswer(encode(malformed)).finishReasons).toEqual(['malformed_tool_use'])
  })

  test.each(['', '<html>', '[]', '{}', '{"message":"no"}'])('%p is none', (text) => {
    const body = new TextEncoder().encode(text)
    const expected = expect.objectContaining({ code: 'upstream_malformed' })
    expect(() => parseConverseAnswer(body)).toThrow(expected)
    if (text.startsWith('{')) expect(() => parseChatAnswer(JSON.parse(text))).toThrow(expected)
  })
})

const REASONS: [string, FinishReason][] = [
  ['end_turn', 'stop'],
  ['tool_use', 'tool_calls'],
  ['max_tokens', 'length'],
  ['stop_sequence', 'stop_sequence'],
  ['guardrail_intervened', 'content_filter'],
  ['content_filtered', 'content_filter'],
  ['model_context_window_exceeded', 'context_window'],
  ['refusal', 'refusal'],
  ['pause_turn', 'pause'],
  ['something_new', 'unknown'],
  ['constructor', 'unknown'],
]

describe('a stop reason', () => {
  test.each(REASONS)('%s is %s, and told again', (stopReason, reason) => {
    const { choices } = parseChatAnswer({ output: { message: { content: [] } }, stopReason })
    expect(choices[0]?.finish).toEqual({ reason, native: stopReason })
    expect(render({ choices }).json.stopReason).toBe(stopReason)
  })

  test.each(['malformed_model_output', 'malformed_tool_use'])('%s is a failure', (stopReason) => {
    expect(() => parseChatAnswer({ output: { message: { content: [] } }, stopReason })).toThrow(
      expect.objectContaining({ code: 'upstream_refused', status: 424 })
    )
  })

  test.each<[FinishReason, string, string]>([
    ['stop', 'STOP', 'end_turn'],
    ['tool_calls', 'tool_calls', 'tool_use'],
    ['length', 'length', 'max_tokens'],
    ['content_filter', 'SAFETY', 'content_filtered'],
    ['context_window', 'x', 'model_context_window_exceeded'],
    ['unknown', 'eos', 'eos'],
    ['unknown', '', 'unknown'],
  ])('%s of another format (%p) is %s', (reason, native, stopReason) => {
    const answer: Answer = { choices: [{ parts: [], finish: { reason, native } }] }
    expect(render(answer).json.stopReason).toBe(stopReason)
  })

  test.each<[JsonValue, string | undefined]>([
    [{ stop_sequence: 'END' }, 'END'],
    [{ delta: { stop_sequence: 'END' } }, 'END'],
    [{ delta: { stop_sequence: null } }, undefined],
  ])('%j brings the sequence %p', (additionalModelResponseFields, sequence) => {
    const json = { output: {}, stopReason: 'stop_sequence', additionalModelResponseFields }
    expect(parseChatAnswer(json).choices[0]?.finish.stopSequence).toBe(sequence)
  })
})

describe('an answer of another format', () => {
  test('has what SDKs look for, and no counts that nobody made', () => {
    const { json } = render(answerOf({ type: 'text', text: 'hi' }))
    expect(json).toEqual({
      output: { message: { role: 'assistant', content: [{ text: 'hi' }] } },
      stopReason: 'end_turn',
      metrics: { latencyMs: 0 },
    })
    const losses = new Losses()
    renderChatAnswer(answerOf(), losses)
    expect(renderLosses(losses.list)).toBe('metrics.latencyMs;estimated')
  })

  test('tells usage, tier and stop sequence', () => {
    const finish = { reason: 'stop_sequence', native: 'stop', stopSequence: 'END' } as const
    const usage = { ...NO_USAGE, inputTokens: 10, outputTokens: 2, cacheReadTokens: 4 }
    const answer: Answer = { choices: [{ parts: [], finish }], usage, serviceTier: 'default' }
    expect(render(answer).json).toMatchObject({
      usage: { inputTokens: 6, outputTokens: 2, totalTokens: 12, cacheReadInputTokens: 4 },
      additionalModelResponseFields: { stop_sequence: 'END' },
      serviceTier: { type: 'default' },
    })
  })

  const other = { protocol: 'openai-chat', json: {} } as const

  test.each<[Part, JsonValue[], string]>([
    [{ type: 'text', text: '' }, [], ''],
    [{ type: 'refusal', text: 'no' }, [{ text: 'no' }], 'content.0;rewritten'],
    [
      {
        type: 'text',
        text: 'cited',
        citations: [
          { url: 'https://example.com', title: 't', citedText: 'c', source: other },
          { documentIndex: 1, startIndex: 0, endIndex: 5, source: other },
        ],
      },
      [
        {
          citationsContent: {
            content: [{ text: 'cited' }],
            citations: [
              {
                title: 't',
                sourceContent: [{ text: 'c' }],
                location: { web: { url: 'https://example.com' } },
              },
              { location: { documentChar: { documentIndex: 1 } } },
            ],
          },
        },
      ],
      'content.0.citations;dropped',
    ],
    [
      { type: 'tool_call', id: 'c', name: 'f', arguments: '' },
      [{ toolUse: { toolUseId: 'c', name: 'f', input: {} } }],
      '',
    ],
    [
      { type: 'tool_call', id: 'c', name: 'f', arguments: '{"cut' },
      [{ toolUse: { toolUseId: 'c', name: 'f', input: { arguments: '{"cut' } } }],
      'content.0;rewritten',
    ],
    [
      { type: 'tool_call', id: 'c', name: 'f', arguments: 'text', isCustom: true },
      [{ toolUse: { toolUseId: 'c', name: 'f', input: { input: 'text' } } }],
      'content.0;rewritten',
    ],
    [
      { type: 'reasoning', text: 'hm' },
      [{ reasoningContent: { reasoningText: { text: 'hm' } } }],
      '',
    ],
    [
      {
        type: 'reasoning',
        text: 'hm',
        signature: { maker: 'openai', value: 's' },
        encrypted: { maker: 'openai', value: 'e' },
      },
      [{ reasoningContent: { reasoningText: { text: 'hm' } } }],
      'content.0.signature;dropped, content.0.encrypted;dropped',
    ],
    [
      { type: 'media', media: 'image', data: { base64: 'AAAA' }, mimeType: 'image/png' },
      [{ image: { format: 'png', source: { bytes: 'AAAA' } } }],
      '',
    ],
    [
      { type: 'media', media: 'audio', data: { base64: 'AAAA' }, mimeType: 'audio/wav' },
      [],
      'content.0;dropped',
    ],
    [{ type: 'native', name: 'x', source: other }, [], 'content.0;dropped'],
  ])('%j', (part, content, lost) => {
    const rendered = render(answerOf(part))
    expect(rendered.content).toEqual(content)
    expect(rendered.lost).toBe(lost)
  })

  test('has one choice', () => {
    const [choice] = answerOf({ type: 'text', text: 'hi' }).choices
    if (!choice) throw new Error('there was to be a choice')
    const { content, lost } = render({ choices: [{ ...choice, logprobs: [] }, choice] })
    expect(content).toEqual([{ text: 'hi' }])
    expect(lost).toBe('choices.1;dropped, logprobs;dropped')
  })
})
