import { describe, expect, test } from 'bun:test'

import type { Part } from '../generation'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { foreign, parse, render, user } from './fixtures/generation'
import { gemini } from './gemini'

const assistant = (...parts: Part[]) => ({ role: 'assistant' as const, parts })
const call = (id: string, more: object = {}): Part => ({
  type: 'tool_call',
  id,
  name: 'f',
  arguments: '{"a":1}',
  ...more,
})
const result = (text: string, more: object = {}): Part => ({
  type: 'tool_result',
  callId: 'c1',
  parts: [{ type: 'text', text }],
  ...more,
})
const image: Part = {
  type: 'media',
  media: 'image',
  data: { base64: 'iVBORw0KGgo=' },
  mimeType: 'image/png',
}

describe('turns', () => {
  test('that lead as the system are the instruction, later ones are turns of the user', () => {
    const system = (text: string) => ({ ...user(text), role: 'system' as const })
    const { body, lost } = render({
      messages: [
        system('a'),
        system('b'),
        user('c'),
        assistant({ type: 'text', text: 'd' }),
        system('e'),
      ],
    })
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'a' }, { text: 'b' }] },
      contents: [
        { role: 'user', parts: [{ text: 'c' }] },
        { role: 'model', parts: [{ text: 'd' }] },
        { role: 'user', parts: [{ text: 'e' }] },
      ],
    })
    expect(lost).toEqual(['messages.4 rewritten'])
  })

  test('of the system alone are asked', () => {
    const { body, lost } = render({ messages: [{ ...user('a'), role: 'system' }] })
    expect(body).toEqual({ contents: [{ role: 'user', parts: [{ text: 'a' }] }] })
    expect(lost).toEqual(['messages.0 rewritten'])
  })

  test('of one role become one, empty texts are left out', () => {
    const { body, lost } = render({ messages: [user('a'), user(''), { ...user('b'), name: 'Jo' }] })
    expect(body.contents).toEqual([{ role: 'user', parts: [{ text: 'a' }, { text: 'b' }] }])
    expect(lost).toEqual(['messages.2.name dropped'])
  })
})

describe('parts', () => {
  const native: Part = {
    type: 'native',
    name: 'x',
    source: { protocol: 'openai-chat', json: { type: 'x' } },
  }
  test.each<[string, Part, JsonObject | undefined, string[]]>([
    ['an image', image, { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }, []],
    [
      'data of a type that its first bytes tell',
      { ...image, mimeType: undefined },
      { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } },
      ['.mime_type rewritten'],
    ],
    [
      'an address',
      { type: 'media', media: 'image', data: { url: 'https://h/a.jpg?x' }, detail: 'low' },
      { fileData: { mimeType: 'image/jpeg', fileUri: 'https://h/a.jpg?x' } },
      ['.detail dropped'],
    ],
    [
      'an address that tells no type',
      { type: 'media', media: 'image', data: { url: 'https://h/a' } },
      { fileData: { fileUri: 'https://h/a' } },
      [' rewritten'],
    ],
    [
      "another provider's file",
      { type: 'media', media: 'file', data: { fileId: 'file-1' } },
      undefined,
      [' dropped'],
    ],
    [
      'a document of text',
      { type: 'media', media: 'file', data: { text: 'hi' }, name: 'a.txt' },
      { inlineData: { mimeType: 'text/plain', data: 'aGk=' } },
      ['.name dropped', ' rewritten'],
    ],
    ['what another format alone knows', native, undefined, [' dropped']],
    ['a mark', { type: 'text', text: 'a', cache: {} }, { text: 'a' }, ['.cache_control dropped']],
  ])('of the user: %s', (_, part, expected, losses) => {
    const { body, lost } = render({
      messages: [{ role: 'user', parts: [part, { type: 'text', text: '.' }] }],
    })
    const parts = [...(expected ? [expected] : []), { text: '.' }]
    expect(body.contents).toEqual([{ role: 'user', parts }])
    expect(lost).toEqual(losses.map((loss) => `messages.0.content.0${loss}`))
  })

  const google = { signature: { maker: 'google' as const, value: 's' } }
  const anthropic = { signature: { maker: 'anthropic' as const, value: 's' } }
  test.each<[string, Part, JsonObject | undefined, string[]]>([
    [
      'a signed text',
      { type: 'text', text: '', ...google },
      { text: '', thoughtSignature: 's' },
      [],
    ],
    ['thoughts', { type: 'reasoning', text: 'a' }, { text: 'a', thought: true }, []],
    [
      'thoughts that Google did not sign',
      { type: 'reasoning', text: 'a', ...anthropic },
      { text: 'a', thought: true },
      ['.signature dropped'],
    ],
    [
      'thoughts that only another can read',
      { type: 'reasoning', text: '', encrypted: { maker: 'openai', value: 'x' } },
      undefined,
      [' dropped'],
    ],
    ['a refusal', { type: 'refusal', text: 'no' }, { text: 'no' }, [' rewritten']],
    [
      'a call',
      call('c1', google),
      { functionCall: { id: 'c1', name: 'f', args: { a: 1 } }, thoughtSignature: 's' },
      [],
    ],
    [
      'a call without arguments',
      call('c1', { arguments: '' }),
      { functionCall: { id: 'c1', name: 'f', args: {} } },
      [],
    ],
    [
      'a call with broken arguments',
      call('c1', { arguments: '{"a":' }),
      { functionCall: { id: 'c1', name: 'f', args: { arguments: '{"a":' } } },
      ['.arguments rewritten'],
    ],
    [
      'a call of a custom tool',
      call('c1', { arguments: 'ls', isCustom: true }),
      { functionCall: { id: 'c1', name: 'f', args: { input: 'ls' } } },
      [' rewritten'],
    ],
  ])('of the model: %s', (_, part, expected, losses) => {
    const { body, lost } = render({ messages: [assistant(part, { type: 'text', text: '.' })] })
    const parts = [...(expected ? [expected] : []), { text: '.' }]
    expect(body.contents).toEqual([{ role: 'model', parts }])
    expect(lost).toEqual(losses.map((loss) => `messages.0.content.0${loss}`))
  })

  test.each<[string, Part, JsonObject]>([
    ['text', result('ok'), { output: 'ok' }],
    ['an object', result('{"a":1,"b":[2]}'), { a: 1, b: [2] }],
    ['an object that is written otherwise', result('{ "a": 1 }'), { output: '{ "a": 1 }' }],
    ['an object that looks like a wrapper', result('{"error":"x"}'), { output: '{"error":"x"}' }],
    ['a failure', result('bad', { isError: true }), { error: 'bad' }],
  ])('results: %s is named after its call, and read back the same', (_, part, response) => {
    const { body, lost } = render({
      messages: [assistant(call('c1')), { role: 'user', parts: [part] }],
    })
    expect(body.contents).toMatchObject([
      {},
      { role: 'user', parts: [{ functionResponse: { id: 'c1', name: 'f', response } }] },
    ])
    expect(lost).toEqual([])
    const { source: _source, ...read } = parse(body).messages[1]?.parts[0] ?? {}
    expect(read).toEqual({ ...part, name: 'f' })
  })

  const withImage: Part = {
    ...result('see'),
    type: 'tool_result',
    callId: 'c1',
    parts: [{ type: 'text', text: 'see' }, image],
  }
  const rendered = { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }
  test.each([
    ['gemini-3-pro', [{ functionResponse: { parts: [rendered] } }], []],
    [
      'gemini-2.5-pro',
      [{ functionResponse: { name: 'f' } }, rendered],
      ['messages.1.content.0 rewritten'],
    ],
  ])('media in results stand where %s takes them', (model, parts, losses) => {
    const messages = [assistant(call('c1')), { role: 'user' as const, parts: [withImage] }]
    const { body, lost } = render({ messages }, model)
    expect(body.contents).toMatchObject([{}, { role: 'user', parts }])
    expect(lost).toEqual(losses)
  })

  test('Gemini 3 is told of a step whose first call was not signed', () => {
    const messages = [
      assistant(call('c1'), call('c2')),
      { role: 'user' as const, parts: [result('ok')] },
      assistant(call('c3', google)),
    ]
    const { body, lost } = render({ messages }, 'gemini-3.1-pro-preview')
    expect(body.contents).toMatchObject([
      { parts: [{ thoughtSignature: 'skip_thought_signature_validator' }, {}] },
      {},
      { parts: [{ thoughtSignature: 's' }] },
    ])
    expect(JSON.stringify(body).match(/thoughtSignature/g)).toHaveLength(2)
    expect(lost).toEqual([])
    expect(JSON.stringify(render({ messages }, 'gemini-2.5-pro').body)).not.toContain('skip_')
  })
})

test('a conversation of another format is read back as it was', () => {
  const generation = foreign({
    messages: [
      { role: 'system', parts: [{ type: 'text', text: 'be' }] },
      { role: 'user', parts: [{ type: 'text', text: 'hi' }, image] },
      assistant({ type: 'reasoning', text: 'hm' }, { type: 'text', text: 'yo' }, call('c1')),
      { role: 'user', parts: [result('ok', { name: 'f' })] },
    ],
    temperature: 1,
    stop: ['x'],
  })
  const losses = new Losses()
  const body = gemini.chat.renderGeneration(generation, { model: 'x', stream: false }, losses)
  expect(losses.list).toEqual([])
  expect(parse(body)).toMatchObject({ messages: generation.messages, temperature: 1, stop: ['x'] })
})
