import { describe, expect, test } from 'bun:test'
import OpenAI from 'openai'
import OpenAI6 from 'openai-6'
import { isRecord } from '../../std/record'
import { SseFramer } from '../../std/sse'
import { accumulate } from '../accumulate'
import type { Finish } from '../answer'
import type { Part, ToolCallPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { Losses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { openaiChatHalves } from './chat-halves'
import { bare, contextOf, readAll } from './fixtures/chat'

const { createFrameWriter, parseChatAnswer, renderChatAnswer } = openaiChatHalves

const WITH_USAGE = { stream_options: { include_usage: true } }

/** The events of one choice whose parts come in fragments of `size` characters. */
function eventsOf(parts: readonly Part[], finish: Finish, size = 2): StreamEvent[] {
  const events: StreamEvent[] = [{ type: 'start', id: 'msg_1', model: 'claude', createdAt: 3 }]
  parts.forEach((part, index) => {
    const { begun, text } = cut(part)
    events.push({ type: 'part_start', choice: 0, index, part: begun })
    for (let at = 0; at < text.length; at += size)
      events.push({ type: 'delta', choice: 0, index, text: text.slice(at, at + size) })
    events.push({ type: 'part_end', choice: 0, index })
  })
  events.push({ type: 'finish', choice: 0, finish })
  const unknown = {
    cacheWriteTokens: undefined,
    reasoningTokens: 2,
    audioInputTokens: undefined,
    audioOutputTokens: undefined,
  }
  events.push({
    type: 'usage',
    usage: { inputTokens: 5, outputTokens: 6, cacheReadTokens: 1, ...unknown },
  })
  return [...events, { type: 'end' }]
}

function cut(part: Part): { begun: Part; text: string } {
  if (part.type === 'tool_call') return { begun: { ...part, arguments: '' }, text: part.arguments }
  if (part.type === 'media' && 'base64' in part.data)
    return { begun: { ...part, data: { base64: '' } }, text: part.data.base64 }
  return 'text' in part
    ? { begun: { ...part, text: '' }, text: part.text }
    : { begun: part, text: '' }
}

function write(events: readonly StreamEvent[], members?: JsonObject) {
  const losses = new Losses()
  const writer = createFrameWriter(contextOf(members), losses)
  const bytes = Buffer.concat(events.map((event) => writer.write([event])))
  return { bytes, losses }
}

function framesOf(bytes: Uint8Array, size = 64): JsonValue[] {
  const framer = new SseFramer()
  const frames: JsonValue[] = []
  for (let at = 0; at < bytes.length; at += size)
    for (const { data = '' } of framer.push(bytes.subarray(at, at + size)))
      frames.push(data === '[DONE]' ? data : JSON.parse(data))
  return frames
}

const call = (id: string, text: string): ToolCallPart => ({
  type: 'tool_call',
  id,
  name: 'f',
  arguments: text,
})
const cited = {
  url: 'u',
  title: 't',
  startIndex: 1,
  endIndex: 2,
  source: { protocol: 'gemini', json: {} },
} as const
const STOP: Finish = { reason: 'stop', native: 'end_turn' }

const ANSWERS: [string, Part[], Finish][] = [
  ['a text', [{ type: 'text', text: 'Grüße 👋🏽 world' }], STOP],
  ['nothing', [], STOP],
  ['an empty text', [{ type: 'text', text: '' }], STOP],
  ['calls', [call('a', '{"x":1}'), call('b', '')], { reason: 'tool_calls', native: 'tool_use' }],
  [
    'a custom call',
    [call('a', '{}'), { type: 'tool_call', id: 'c', name: 'g', arguments: 'raw', isCustom: true }],
    { reason: 'tool_calls', native: 'tool_use' },
  ],
  [
    'text and a signed call',
    [
      { type: 'text', text: 'so' },
      { ...call('a', '{}'), signature: { maker: 'google', value: 's' } } as const,
    ],
    { reason: 'tool_calls', native: 'STOP' },
  ],
  [
    'cited texts',
    [
      { type: 'text', text: 'abc', citations: [cited] },
      { type: 'text', text: 'def', citations: [cited, { url: 'v', source: cited.source }] },
    ],
    STOP,
  ],
  ['a refusal', [{ type: 'refusal', text: 'I can’t' }], { reason: 'refusal', native: 'refusal' }],
  [
    'a refusal that its finish explains',
    [],
    { reason: 'refusal', native: 'refusal', detail: 'because' },
  ],
  [
    'a sound',
    [{ type: 'media', media: 'audio', data: { base64: 'AABB' }, transcript: 'said' }],
    STOP,
  ],
  [
    'images',
    [
      { type: 'media', media: 'image', data: { base64: 'AAAA' }, mimeType: 'image/png' },
      { type: 'media', media: 'image', data: { url: 'https://x.test' } },
    ],
    STOP,
  ],
  [
    'a stop sequence',
    [{ type: 'text', text: 'x' }],
    { reason: 'stop_sequence', native: 'stop_sequence', stopSequence: '#' },
  ],
  ['an unknown end', [{ type: 'text', text: 'x' }], { reason: 'unknown', native: 'novel' }],
  ['a filtered end', [{ type: 'text', text: 'x' }], { reason: 'content_filter', native: 'SAFETY' }],
]

type Completions = (bytes: Uint8Array) => Promise<unknown>

const fetchOf = (bytes: Uint8Array) => async () =>
  new Response(bytes, { headers: { 'content-type': 'text/event-stream' } })
const baseURL = 'http://test.invalid/v1'
const request = { model: 'asked', messages: [{ role: 'user' as const, content: 'x' }] }

const accumulate7: Completions = (bytes) =>
  new OpenAI({ apiKey: 'x', baseURL, fetch: fetchOf(bytes) }).chat.completions
    .stream(request)
    .finalChatCompletion()

const accumulate6: Completions = (bytes) =>
  new OpenAI6({ apiKey: 'x', baseURL, fetch: fetchOf(bytes) }).chat.completions
    .stream(request)
    .finalChatCompletion()

/** Without the SDK's own additions: what it parsed of the content. */
function withoutParsed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutParsed)
  if (!isRecord(value)) return value
  const kept: Record<string, unknown> = {}
  for (const name in value)
    if (name !== 'parsed' && name !== 'parsed_arguments') kept[name] = withoutParsed(value[name])
  return kept
}

describe('the writer', () => {
  test.each(ANSWERS)('lets the SDK 7 come to the whole answer: %s', async (_, parts, finish) => {
    const events = eventsOf(parts, finish)
    const whole = renderChatAnswer(accumulate(events), contextOf(WITH_USAGE), new Losses())
    const completion = await accumulate7(write(events, WITH_USAGE).bytes)
    expect(withoutParsed(completion)).toEqual(withoutParsed(whole))
  })

  // It knows no custom tools in streams, and takes an empty text for none.
  const known6 = ANSWERS.filter(([name]) => name !== 'a custom call')
  test.each(known6)('lets the SDK 6 come to the whole answer: %s', async (_, parts, finish) => {
    const events = eventsOf(parts, finish)
    const whole = renderChatAnswer(accumulate(events), contextOf(WITH_USAGE), new Losses())
    const completion = await accumulate6(write(events, WITH_USAGE).bytes)
    const text = JSON.stringify(whole).replace('"content":""', '"content":null')
    expect(withoutParsed(completion)).toEqual(JSON.parse(text))
  })

  test.each([1, 7, 64])('is read again as it was, cut at %d bytes', (size) => {
    for (const [, parts, finish] of ANSWERS) {
      const events = eventsOf(parts, finish, size)
      const { bytes } = write(events, WITH_USAGE)
      const again = readAll(framesOf(bytes, size))
      const whole = parseChatAnswer(
        renderChatAnswer(accumulate(events), contextOf(WITH_USAGE), new Losses())
      )
      expect(bare(accumulate(again))).toEqual(bare(whole))
    }
  })

  test('tells reasoning in both ways, and reads it again as it was', () => {
    const parts: Part[] = [
      { type: 'reasoning', text: 'abcd' },
      {
        type: 'reasoning',
        text: 'ef',
        isSummary: true,
        id: 'rs',
        encrypted: { maker: 'openai', value: 'e' },
      },
      { type: 'reasoning', text: '', encrypted: { maker: 'anthropic', value: 'r' } },
      { type: 'text', text: 'so' },
    ]
    const events = eventsOf(parts, STOP)
    const signature = { maker: 'anthropic', value: 's' } as const
    events.splice(4, 0, { type: 'signature', choice: 0, index: 0, signature })
    const frames = framesOf(write(events).bytes)
    const flat = frames.map((frame) => deltaOf(frame)?.reasoning_content ?? '').join('')
    expect(flat).toBe('abcdef')
    const again = accumulate(readAll(frames)).choices[0]?.parts
    expect(again).toMatchObject([{ ...parts[0], signature }, ...parts.slice(1)])
  })

  test('begins with the role, keeps one head and ends with usage and the mark', () => {
    const frames = framesOf(write(eventsOf([{ type: 'text', text: 'ab' }], STOP), WITH_USAGE).bytes)
    const head = { id: 'msg_1', object: 'chat.completion.chunk', created: 3, model: 'claude' }
    const chunk = (delta: JsonObject, finish_reason: string | null) => ({
      ...head,
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
      usage: null,
    })
    expect(frames).toEqual([
      chunk({ role: 'assistant', content: '', refusal: null }, null),
      chunk({ content: 'ab' }, null),
      chunk({}, 'stop'),
      {
        ...head,
        choices: [],
        usage: {
          prompt_tokens: 5,
          completion_tokens: 6,
          total_tokens: 11,
          prompt_tokens_details: { cached_tokens: 1 },
          completion_tokens_details: { reasoning_tokens: 2 },
        },
      },
      '[DONE]',
    ])
  })

  test('tells no usage that was not asked for, or is not known', () => {
    const text = (members?: JsonObject, drop = false) => {
      const events = eventsOf([{ type: 'text', text: 'ab' }], STOP)
      return write(
        drop ? events.filter(({ type }) => type !== 'usage') : events,
        members
      ).bytes.toString()
    }
    expect(text()).not.toContain('usage')
    expect(text(WITH_USAGE, true)).not.toContain('"prompt_tokens"')
    expect(text(WITH_USAGE, true)).toEndWith('data: [DONE]\n\n')
  })

  test('says parallel calls as they come, and texts one after the other', () => {
    const start = (index: number, part: Part): StreamEvent => ({
      type: 'part_start',
      choice: 0,
      index,
      part,
    })
    const grow = (index: number, text: string): StreamEvent => ({
      type: 'delta',
      choice: 0,
      index,
      text,
    })
    const end = (index: number): StreamEvent => ({ type: 'part_end', choice: 0, index })
    const events: StreamEvent[] = [
      start(0, { type: 'text', text: 'a' }),
      start(1, { type: 'text', text: 'c' }),
      start(2, call('x', '')),
      start(3, call('y', '')),
      grow(3, '{"y"'),
      grow(1, 'd'),
      grow(2, '{"x"'),
      grow(0, 'b'),
      grow(3, ':1}'),
      grow(2, ':2}'),
      end(1),
      end(0),
      end(2),
      end(3),
      { type: 'finish', choice: 0, finish: { reason: 'tool_calls', native: 'tool_use' } },
      { type: 'end' },
    ]
    const { bytes, losses } = write(events)
    const again = accumulate(readAll(framesOf(bytes))).choices[0]?.parts.filter(
      ({ type }) => type !== 'text'
    )
    const content = framesOf(bytes)
      .map((frame) => deltaOf(frame)?.content ?? '')
      .join('')
    expect(content).toBe('abcd')
    expect(again).toMatchObject([
      { id: 'x', arguments: '{"x":2}' },
      { id: 'y', arguments: '{"y":1}' },
    ])
    expect(losses.list).toEqual([{ field: 'choices.0.message.content', kind: 'rewritten' }])
  })

  test('answers a client of functions with a function call', () => {
    const events = eventsOf([call('a', '{"x":1}'), call('b', '{}')], {
      reason: 'tool_calls',
      native: 'tool_use',
    })
    const { bytes, losses } = write(events, { functions: [{ name: 'f' }] })
    const frames = framesOf(bytes)
    const calls = frames.map((frame) => deltaOf(frame)?.function_call).filter(isRecord)
    expect(calls[0]).toEqual({ name: 'f', arguments: '' })
    expect(calls.map(({ arguments: text }) => text).join('')).toBe('{"x":1}')
    expect(JSON.stringify(frames)).toContain('"finish_reason":"function_call"')
    expect(losses.list).toEqual([{ field: 'choices.0.message.tool_calls', kind: 'dropped' }])
  })

  test('reports what it can’t say', () => {
    const native: Part = { type: 'native', name: 'n', source: cited.source }
    const video: Part = { type: 'media', media: 'video', data: { url: 'u' } }
    const { losses } = write(eventsOf([native, video], STOP))
    expect(losses.list.map(({ field }) => field)).toEqual([
      'choices.0.message.content.0',
      'choices.0.message.content.1',
    ])
  })
})

function deltaOf(frame: JsonValue): Record<string, unknown> | undefined {
  const [choice] = isRecord(frame) && Array.isArray(frame.choices) ? frame.choices : []
  return isRecord(choice) && isRecord(choice.delta) ? choice.delta : undefined
}
