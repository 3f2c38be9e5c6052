import { describe, expect, test } from 'bun:test'

import { accumulate } from '../accumulate'
import type { Finish } from '../answer'
import type { Part } from '../generation'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { STOP, stream } from './fixtures/answers'
import { finalResponse, finalResponse6, read, toContext, write } from './fixtures/streams'
import { openaiResponses } from './responses'

const { chat } = openaiResponses

const source = { protocol: 'anthropic-messages', json: {} } as const
const call = (id: string): Part => ({ type: 'tool_call', id, name: 'look', arguments: '{"a":1}' })

const ANSWERS: [string, Part[]][] = [
  ['nothing', []],
  ['a text', [{ type: 'text', text: 'Hello 👋' }]],
  ['an empty text', [{ type: 'text', text: '' }]],
  [
    'two texts',
    [
      { type: 'text', text: 'One' },
      { type: 'text', text: 'Two' },
    ],
  ],
  ['a refusal', [{ type: 'refusal', text: 'I can’t' }]],
  [
    'a text with citations',
    [
      {
        type: 'text',
        text: 'See there',
        citations: [
          { url: 'https://example.com', title: 'There', startIndex: 0, endIndex: 3, source },
          { url: 'https://example.com/b', source },
        ],
      },
    ],
  ],
  [
    'thoughts and a call',
    [
      { type: 'reasoning', text: 'Hm, so', isSummary: true },
      { type: 'reasoning', text: 'Raw', signature: { maker: 'anthropic', value: 'sig' } },
      { type: 'reasoning', text: '', encrypted: { maker: 'anthropic', value: 'redacted' } },
      { type: 'reasoning', text: '', encrypted: { maker: 'openai', value: 'gAAA' } },
      { type: 'text', text: 'Let me look' },
      call('toolu_1'),
    ],
  ],
  [
    'a custom call',
    [{ type: 'tool_call', id: 'c', name: 'sql', arguments: 'SELECT 1', isCustom: true }],
  ],
  ['a call without arguments', [{ type: 'tool_call', id: 'c', name: 'now', arguments: '' }]],
  [
    'an image',
    [{ type: 'media', media: 'image', data: { base64: 'iVBORw0KGgo=' }, mimeType: 'image/png' }],
  ],
]

const wholeOf = (events: readonly StreamEvent[], losses = new Losses()) =>
  chat.renderChatAnswer(accumulate(events), toContext(), losses)

type Event = { type: string; sequence_number: number; response?: JsonObject }

function eventsOf(frames: Uint8Array): Event[] {
  return openaiResponses.upstream
    .createFramer()
    .push(frames)
    .map(({ data, event }) => {
      const parsed: Event = JSON.parse(data ?? '')
      expect(event).toBe(parsed.type)
      return parsed
    })
}

describe('frames that are written', () => {
  test.each(ANSWERS)('say %s as the whole answer does', async (_, parts) => {
    const events = stream(parts)
    const whole = wholeOf(events)
    const frames = write(events)
    expect(eventsOf(frames).at(-1)?.response).toEqual(whole)
    expect(await finalResponse(frames)).toEqual(whole)
    expect(await finalResponse6(frames)).toEqual(whole)
  })

  test.each(ANSWERS)('bring %s back as it was', (_, parts) => {
    const events = stream(parts)
    const expected = chat.parseChatAnswer(wholeOf(events))
    for (const size of [1, 7, 64]) {
      const answer = accumulate(read(write(events), size))
      expect(strip(answer.choices[0]?.parts ?? [])).toEqual(strip(expected.choices[0]?.parts ?? []))
      expect(strip(answer.choices[0]?.parts ?? [])).toMatchObject(strip(parts))
      expect(answer.usage).toEqual(expected.usage)
      expect(answer.choices[0]?.finish).toEqual(expected.choices[0]?.finish)
    }
  })

  test('are in the order that OpenAI documents', () => {
    const events = stream([
      { type: 'reasoning', text: 'Hm', isSummary: true },
      { type: 'reasoning', text: 'Hm' },
      { type: 'text', text: 'Hi' },
      call('c'),
    ])
    const written = eventsOf(write(events))
    expect(written.map(({ sequence_number }) => sequence_number)).toEqual([...written.keys()])
    expect(written.map(({ type }) => type.replace('response.', ''))).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'reasoning_summary_part.added',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.done',
      'reasoning_summary_part.done',
      'output_item.done',
      'output_item.added',
      'content_part.added',
      'reasoning_text.delta',
      'reasoning_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.delta',
      'function_call_arguments.delta',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'completed',
    ])
  })

  test('let parallel calls mingle', async () => {
    const at = (index: number) => ({ choice: 0, index })
    const events: StreamEvent[] = [
      { type: 'start' },
      {
        type: 'part_start',
        ...at(0),
        part: { type: 'tool_call', id: 'a', name: 'f', arguments: '' },
      },
      {
        type: 'part_start',
        ...at(1),
        part: { type: 'tool_call', id: 'b', name: 'g', arguments: '{' },
      },
      { type: 'delta', ...at(0), text: '{}' },
      { type: 'delta', ...at(1), text: '}' },
      { type: 'part_end', ...at(1) },
      { type: 'part_end', ...at(0) },
      { type: 'finish', choice: 0, finish: { reason: 'tool_calls', native: 'tool_use' } },
      { type: 'end' },
    ]
    const whole = wholeOf(events)
    expect(await finalResponse(write(events))).toEqual(whole)
    expect(whole).toMatchObject({
      id: 'resp_0199-abc',
      model: 'fast',
      created_at: 1_760_000_000,
      usage: null,
      output: [
        { id: 'fc_0199-abc_0', call_id: 'a', arguments: '{}' },
        { id: 'fc_0199-abc_1', call_id: 'b', arguments: '{}' },
      ],
    })
  })

  test('have log probabilities with the text', async () => {
    const [start, opened, ...rest] = stream([{ type: 'text', text: 'Hi' }])
    const token = {
      token: 'Hi',
      logprob: -0.5,
      bytes: [72, 105],
      top: [{ token: 'Ho', logprob: -2 }],
    }
    const told: StreamEvent = { type: 'logprobs', choice: 0, tokens: [token] }
    if (!start || !opened) throw new Error('no events')
    for (const events of [
      [start, opened, ...rest.slice(0, 1), told, ...rest.slice(1)],
      [start, told, opened, ...rest],
    ]) {
      const whole = wholeOf(events)
      const writer = chat.createFrameWriter(toContext(), new Losses())
      expect(await finalResponse(writer.write(events))).toEqual(whole)
      expect(await finalResponse(write(events))).toEqual(whole)
      expect(chat.parseChatAnswer(whole).choices[0]?.logprobs).toEqual([token])
    }
  })

  test('report what they can’t say, as the whole answer does', () => {
    const native: Part = { type: 'native', name: 'x', source }
    const sound: Part = { type: 'media', media: 'audio', data: { base64: 'aa' } }
    const signed: Part = { type: 'text', text: 'a', signature: { maker: 'google', value: 's' } }
    const cited: Part = {
      type: 'text',
      text: 'b',
      citations: [{ documentIndex: 0, citedText: 'c', source }],
    }
    const events = stream([native, sound, signed, cited], { ...STOP, stopSequence: 'x' })
    events.splice(1, 0, {
      type: 'part_start',
      choice: 1,
      index: 0,
      part: { type: 'text', text: '' },
    })
    const [streamed, whole] = [new Losses(), new Losses()]
    write(events, streamed)
    const rendered = wholeOf(events, whole)
    expect(new Set(streamed.list)).toEqual(new Set(whole.list))
    expect(whole.list.map(({ field, kind }) => `${field} ${kind}`).sort()).toEqual([
      'choices.0.finish_reason rewritten',
      'choices.0.message.content.0 dropped',
      'choices.0.message.content.1 dropped',
      'choices.0.message.content.2.signature dropped',
      'choices.0.message.content.3.citations.0 dropped',
      'choices.1 dropped',
    ])
    expect(rendered.output).toMatchObject([{ id: 'msg_0199-abc_0' }, { id: 'msg_0199-abc_1' }])
  })
})

/** Parts without what a stream does not tell. */
function strip(parts: readonly Part[]): object[] {
  return parts.map((part) => ({
    ...part,
    source: undefined,
    ...(part.type === 'text' && {
      citations: part.citations?.map(({ url, title }) => ({ url, title })) ?? [],
    }),
  }))
}

describe('the end of an answer', () => {
  const FINISHES: [Finish['reason'], string, string, string | null, Finish['reason']][] = [
    ['stop', 'end_turn', 'completed', null, 'stop'],
    ['stop_sequence', 'stop_sequence', 'completed', null, 'stop'],
    ['tool_calls', 'tool_use', 'completed', null, 'stop'],
    ['length', 'max_tokens', 'incomplete', 'max_output_tokens', 'length'],
    ['context_window', 'x', 'incomplete', 'max_output_tokens', 'length'],
    ['content_filter', 'SAFETY', 'incomplete', 'content_filter', 'content_filter'],
    ['refusal', 'refusal', 'incomplete', 'content_filter', 'content_filter'],
    ['pause', 'pause_turn', 'incomplete', 'pause_turn', 'unknown'],
    ['unknown', 'new_reason', 'incomplete', 'new_reason', 'unknown'],
    ['unknown', '', 'incomplete', 'unknown', 'unknown'],
  ]

  test.each(FINISHES)('%s (%s) is %s for %s', (reason, native, status, told, read) => {
    const events = stream([{ type: 'text', text: 'Hi' }], { reason, native })
    const whole = wholeOf(events)
    expect(whole.status).toBe(status)
    expect(whole.incomplete_details).toEqual(told === null ? null : { reason: told })
    expect(eventsOf(write(events)).at(-1)?.type).toBe(`response.${status}`)
    expect(chat.parseChatAnswer(whole).choices[0]?.finish).toEqual({
      reason: read,
      native: told ?? status,
    })
  })

  test('is a call where there is one', () => {
    expect(chat.parseChatAnswer(wholeOf(stream([call('c')]))).choices[0]?.finish).toEqual({
      reason: 'tool_calls',
      native: 'completed',
    })
  })
})
