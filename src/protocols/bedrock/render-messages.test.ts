import { describe, expect, test } from 'bun:test'
import type { MediaPart, Message, Part } from '../generation'
import type { JsonValue } from '../json'
import {
  call,
  CLAUDE,
  contentOf,
  GPT,
  HI,
  LOOK,
  NOVA,
  render,
  result,
  text,
} from './fixtures/render'

describe('the turns', () => {
  test('system turns lead, turns of one role become one', () => {
    const { body, lost } = render({
      messages: [
        { role: 'system', parts: [text('Be brief.')] },
        { role: 'system', parts: [{ type: 'text', text: 'Be kind.', cache: { ttl: '5m' } }] },
        { role: 'user', parts: [text('a')] },
        { role: 'user', parts: [text(''), text('b')] },
        { role: 'assistant', parts: [text('c')] },
        { role: 'assistant', parts: [] },
        { role: 'assistant', parts: [text('d')] },
      ],
    })
    expect(body).toEqual({
      messages: [
        { role: 'user', content: [{ text: 'a' }, { text: 'b' }] },
        { role: 'assistant', content: [{ text: 'c' }, { text: 'd' }] },
      ],
      system: [
        { text: 'Be brief.' },
        { text: 'Be kind.' },
        { cachePoint: { type: 'default', ttl: '5m' } },
      ],
    })
    expect(lost).toBe('')
  })

  test('a system turn in the middle becomes words of the user, and is reported', () => {
    const { body, lost } = render({
      messages: [HI, { role: 'system', parts: [text('now in French')] }],
    })
    expect(body.messages).toEqual([
      { role: 'user', content: [{ text: 'hi' }, { text: 'now in French' }] },
    ])
    expect(lost).toBe('messages.1;rewritten')
  })

  test.each<[string, Message[]]>([
    ['the model begins', [{ role: 'assistant', parts: [text('Welcome!')] }]],
    ['nobody says anything', []],
    ['only the system speaks', [{ role: 'system', parts: [text('Be brief.')] }]],
  ])('where %s, a user says a full stop before, and it is reported', (_what, messages) => {
    const { body, lost } = render({ messages })
    const [first] = Array.isArray(body.messages) ? body.messages : []
    expect(first).toEqual({ role: 'user', content: [{ text: '.' }] })
    expect(lost).toBe('messages;rewritten')
  })

  test('results of parallel calls are one turn and lead it', () => {
    const { body, lost } = render({
      tools: [LOOK],
      messages: [
        HI,
        { role: 'assistant', parts: [call('c1'), call('c2')] },
        { role: 'user', parts: [text('here'), result('c1')] },
        { role: 'user', parts: [result('c2')] },
      ],
    })
    expect(Array.isArray(body.messages) && body.messages[2]).toEqual({
      role: 'user',
      content: [
        { toolResult: { toolUseId: 'c1', content: [{ text: 'ok' }] } },
        { toolResult: { toolUseId: 'c2', content: [{ text: 'ok' }] } },
        { text: 'here' },
      ],
    })
    expect(lost).toBe('messages.3;rewritten, messages.2;rewritten')
  })

  test('a document goes with a word, since it is refused alone', () => {
    const file: MediaPart = {
      type: 'media',
      media: 'file',
      data: { base64: 'JVBERi0=' },
      mimeType: 'application/pdf',
      name: 'report',
    }
    expect(contentOf(file)).toEqual({
      content: [
        { document: { format: 'pdf', name: 'report', source: { bytes: 'JVBERi0=' } } },
        { text: '.' },
      ],
      lost: 'messages.0;rewritten',
    })
    expect(contentOf(file, text('read it')).lost).toBe('')
  })

  test.each<[string, Message, string]>([
    ['a speaker', { ...HI, name: 'Ann' }, 'messages.0.name;dropped'],
    [
      'white space',
      { role: 'user', parts: [text('a'), text(' \n')] },
      'messages.0.content.1;dropped',
    ],
    [
      'a refusal',
      { role: 'user', parts: [{ type: 'refusal', text: 'no' }] },
      'messages.0.content.0;rewritten',
    ],
    [
      "another format's own",
      {
        role: 'user',
        parts: [text('a'), { type: 'native', name: 'x', source: { protocol: 'gemini', json: {} } }],
      },
      'messages.0.content.1;dropped',
    ],
    [
      'citations',
      {
        role: 'user',
        parts: [
          {
            type: 'text',
            text: 'a',
            citations: [
              { url: 'https://example.com', source: { protocol: 'openai-chat', json: {} } },
            ],
          },
        ],
      },
      'messages.0.content.0.citations;dropped',
    ],
    [
      'a signature that is not of this format',
      {
        role: 'user',
        parts: [{ type: 'text', text: 'a', signature: { maker: 'google', value: 's' } }],
      },
      'messages.0.content.0.signature;dropped',
    ],
  ])('%s is reported', (_what, message, lost) => {
    expect(render({ messages: [message] }).lost).toBe(lost)
  })
})

describe('calls and results', () => {
  test('names and ids that are not legal become so, the same way each time', () => {
    const id = 'call:with/odd characters'
    const { body, lost } = render({
      tools: [{ type: 'function', name: 'weather.now' }],
      toolChoice: { type: 'tool', name: 'weather.now' },
      messages: [
        HI,
        { role: 'assistant', parts: [call(id, 'weather.now')] },
        { role: 'user', parts: [{ type: 'tool_result', callId: id, parts: [] }] },
      ],
    })
    const ids = new Set(JSON.stringify(body).match(/"toolUseId":"[a-zA-Z0-9_-]{1,64}"/g))
    const names = new Set(JSON.stringify(body).match(/"name":"weather_now_[a-z0-9]+"/g))
    expect([ids.size, names.size]).toEqual([1, 1])
    expect(lost).toBe('messages.1.content.0.name;rewritten, tools.0.name;rewritten')
  })

  test.each([
    ['{"b":1,"a":[null]}', { b: 1, a: [null] }, ''],
    ['', {}, ''],
    ['{"cut', { arguments: '{"cut' }, 'messages.1.content.0.arguments;rewritten'],
    ['[1]', { arguments: [1] }, 'messages.1.content.0.arguments;rewritten'],
  ])('arguments %p are told as an object', (args, input, lost) => {
    const messages: Message[] = [HI, { role: 'assistant', parts: [call('c', 'look', args)] }]
    const rendered = render({ tools: [LOOK], messages })
    expect(rendered.body.messages).toContainEqual({
      role: 'assistant',
      content: [{ toolUse: { toolUseId: 'c', name: 'look', input } }],
    })
    expect(rendered.lost).toBe(lost)
  })

  test('a custom tool takes an object with its text', () => {
    const { body, lost } = render({
      tools: [{ type: 'custom', name: 'patch', source: { protocol: 'openai-chat', json: {} } }],
      messages: [
        HI,
        {
          role: 'assistant',
          parts: [
            { type: 'tool_call', id: 'c', name: 'patch', arguments: '*** x', isCustom: true },
          ],
        },
      ],
    })
    expect(JSON.stringify(body)).toContain('"input":{"input":"*** x"}')
    expect(lost).toBe('messages.1.content.0;rewritten, tools.0;rewritten')
  })

  test.each([
    [CLAUDE, true, 'error', ''],
    [CLAUDE, false, 'success', ''],
    [NOVA, true, 'error', ''],
    [GPT, true, undefined, 'messages.2.content.0.is_error;dropped'],
  ])('to %s, isError %p is %p', (model, isError, status, lost) => {
    const messages: Message[] = [
      HI,
      { role: 'assistant', parts: [call('c')] },
      {
        role: 'user',
        parts: [{ type: 'tool_result', callId: 'c', name: 'look', parts: [], isError }],
      },
    ]
    const rendered = render({ tools: [LOOK], messages }, model)
    const told = JSON.stringify(rendered.body.messages)
    expect(/"status":"(\w+)"/.exec(told)?.[1]).toBe(status)
    expect(rendered.lost).toBe(lost)
  })

  test('a result may hold pictures, but no sounds', () => {
    const picture: MediaPart = {
      type: 'media',
      media: 'image',
      data: { base64: 'AAAA' },
      mimeType: 'image/gif',
    }
    const sound: MediaPart = { ...picture, media: 'audio', mimeType: 'audio/wav' }
    const part: Part = { type: 'tool_result', callId: 'c', parts: [picture, sound] }
    const messages: Message[] = [
      HI,
      { role: 'assistant', parts: [call('c')] },
      { role: 'user', parts: [part] },
    ]
    const { body, lost } = render({ tools: [LOOK], messages })
    expect(JSON.stringify(body.messages)).toContain(
      '"content":[{"image":{"format":"gif","source":{"bytes":"AAAA"}}}]'
    )
    expect(lost).toBe('messages.2.content.0.content.1;dropped')
  })
})

describe('reasoning that is sent back', () => {
  const anthropic = (value: string) => ({ maker: 'anthropic' as const, value })

  test.each<[Part, JsonValue[], string]>([
    [
      { type: 'reasoning', text: 'hm', signature: anthropic('sig') },
      [{ reasoningContent: { reasoningText: { text: 'hm', signature: 'sig' } } }],
      '',
    ],
    [
      { type: 'reasoning', text: '', encrypted: anthropic('c2VjcmV0') },
      [{ reasoningContent: { redactedContent: 'c2VjcmV0' } }],
      '',
    ],
    [{ type: 'reasoning', text: 'hm' }, [], 'messages.1.content.0;dropped'],
    [
      { type: 'reasoning', text: 'hm', signature: { maker: 'google', value: 's' } },
      [],
      'messages.1.content.0;dropped',
    ],
    [
      { type: 'reasoning', text: '', encrypted: { maker: 'openai', value: 'c2VjcmV0' } },
      [],
      'messages.1.content.0;dropped',
    ],
  ])('%j', (part, blocks, lost) => {
    const messages: Message[] = [HI, { role: 'assistant', parts: [part, text('so')] }]
    const rendered = render({ messages })
    expect(rendered.body.messages).toContainEqual({
      role: 'assistant',
      content: [...blocks, { text: 'so' }],
    })
    expect(rendered.lost).toBe(lost)
  })

  test("is Anthropic's alone", () => {
    const part: Part = { type: 'reasoning', text: 'hm', signature: anthropic('sig') }
    const messages: Message[] = [HI, { role: 'assistant', parts: [part, text('so')] }]
    expect(render({ messages }, NOVA).lost).toBe('messages.1.content.0;dropped')
  })
})
