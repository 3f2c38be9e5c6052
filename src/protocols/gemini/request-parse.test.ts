import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../../errors/gateway-error'
import type { Generation, Part } from '../generation'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { parse } from './fixtures/generation'
import { gemini } from './gemini'

const NAMELESS = { source: expect.anything() }

function partsOf(...parts: JsonObject[]): Part[] {
  return parse({ contents: [{ role: 'model', parts }] }).messages[0]?.parts ?? []
}

describe('a part', () => {
  const signature = { maker: 'google' as const, value: 's' }
  test.each<[string, JsonObject, object]>([
    ['text', { text: 'a' }, { type: 'text', text: 'a' }],
    ['signed text', { text: '', thoughtSignature: 's' }, { type: 'text', text: '', signature }],
    ['thought', { text: 'a', thought: true }, { type: 'reasoning', text: 'a' }],
    [
      'image',
      { inlineData: { mimeType: 'image/png', data: 'AA' } },
      { type: 'media', media: 'image', data: { base64: 'AA' }, mimeType: 'image/png' },
    ],
    [
      'sound in snake case',
      { inline_data: { mime_type: 'audio/wav', data: 'AA' } },
      { type: 'media', media: 'audio', data: { base64: 'AA' }, mimeType: 'audio/wav' },
    ],
    [
      'own file',
      { fileData: { mimeType: 'application/pdf', fileUri: 'gs://b/a.pdf' } },
      {
        type: 'media',
        media: 'file',
        data: { fileId: 'gs://b/a.pdf' },
        mimeType: 'application/pdf',
      },
    ],
    [
      'address',
      { fileData: { mimeType: 'video/mp4', fileUri: 'https://h/film' } },
      { type: 'media', media: 'video', data: { url: 'https://h/film' }, mimeType: 'video/mp4' },
    ],
    [
      'film of YouTube',
      { fileData: { fileUri: 'https://www.youtube.com/watch?v=1' } },
      { type: 'media', media: 'video', data: { url: 'https://www.youtube.com/watch?v=1' } },
    ],
    [
      'call',
      { functionCall: { id: 'c1', name: 'f', args: { a: 1 } }, thoughtSignature: 's' },
      { type: 'tool_call', id: 'c1', name: 'f', arguments: '{"a":1}', signature },
    ],
    [
      'call without id or arguments, of another model',
      { functionCall: { name: 'f' }, thoughtSignature: 'skip_thought_signature_validator' },
      { type: 'tool_call', id: 'call_0_0', name: 'f', arguments: '{}' },
    ],
    ['code', { executableCode: { code: '1' } }, { type: 'native', name: 'executableCode' }],
    [
      'something new',
      { thoughtSignature: 's', newThing: {} },
      { type: 'native', name: 'newThing' },
    ],
  ])('%s', (_, json, expected) => {
    expect(partsOf(json)[0]).toMatchObject({ ...expected, source: { protocol: 'gemini', json } })
  })
})

describe('results of calls', () => {
  const conversation = (...responses: JsonObject[]) =>
    parse({
      contents: [
        {
          role: 'model',
          parts: [
            { functionCall: { name: 'f', args: { n: 1 } } },
            { functionCall: { name: 'g' } },
            { functionCall: { name: 'f', args: { n: 2 } } },
          ],
        },
        { role: 'user', parts: responses.map((functionResponse) => ({ functionResponse })) },
      ],
    }).messages[1]?.parts

  test('belong to the calls of their name in order', () => {
    const parts = conversation({ name: 'f' }, { name: 'f' }, { name: 'g' })
    expect(parts).toMatchObject([
      { callId: 'call_0_0', name: 'f' },
      { callId: 'call_0_2', name: 'f' },
      { callId: 'call_0_1', name: 'g' },
    ])
  })

  test('without a call have an id of their own', () => {
    expect(conversation({ name: 'h' }, { id: 'x', name: 'h' })).toMatchObject([
      { callId: 'call_1_0' },
      { callId: 'x' },
    ])
  })

  test.each<[JsonObject, string, boolean | undefined]>([
    [{ output: 'a' }, 'a', undefined],
    [{ result: { b: 1 } }, '{"b":1}', undefined],
    [{ error: 'bad' }, 'bad', true],
    [{ output: 'a', more: 1 }, '{"output":"a","more":1}', undefined],
    [{}, '{}', undefined],
  ])('%j say %s', (response, text, isError) => {
    const [part] = conversation({ name: 'g', response }) ?? []
    expect(part).toEqual({
      type: 'tool_result',
      callId: 'call_0_1',
      name: 'g',
      parts: [{ type: 'text', text }],
      ...(isError && { isError }),
      ...NAMELESS,
    })
  })

  test('may hold media, and stand in a turn of the older role', () => {
    const inlineData = { mimeType: 'image/png', data: 'AA' }
    const functionResponse = { name: 'f', response: {}, parts: [{ inlineData }] }
    const { messages } = parse({ contents: [{ role: 'function', parts: [{ functionResponse }] }] })
    expect(messages[0]).toMatchObject({
      role: 'user',
      parts: [{ type: 'tool_result', parts: [{ type: 'media', media: 'image' }] }],
    })
  })
})

describe('settings', () => {
  test.each<[string, JsonObject, Partial<Generation>]>([
    [
      'numbers',
      { temperature: 0.5, topP: 0.9, topK: 40 },
      { temperature: 0.5, topP: 0.9, topK: 40 },
    ],
    ['snake case', { top_p: 0.9, max_output_tokens: '5' }, { topP: 0.9, maxTokens: 5 }],
    ['stop', { stopSequences: ['a'] }, { stop: ['a'] }],
    ['choices', { candidateCount: 2, seed: 7 }, { choices: 2, seed: 7 }],
    ['logprobs', { responseLogprobs: true, logprobs: 3 }, { logprobs: true, topLogprobs: 3 }],
    ['JSON', { responseMimeType: 'application/json' }, { format: { type: 'json' } }],
    ['text', { responseMimeType: 'text/plain' }, { format: { type: 'text' } }],
    [
      'a schema with a name',
      { responseMimeType: 'application/json', responseSchema: { title: 'city', type: 'STRING' } },
      { format: { type: 'schema', name: 'city', schema: { type: 'string' } } },
    ],
    [
      'JSON Schema',
      { responseJsonSchema: { $ref: '#' } },
      { format: { type: 'schema', schema: { $ref: '#' } } },
    ],
    [
      'an unknown type',
      { responseMimeType: 'text/x.enum' },
      { extras: { responseMimeType: 'text/x.enum' } },
    ],
    ['no thoughts', { thinkingConfig: { thinkingBudget: 0 } }, { reasoning: { enabled: false } }],
    [
      'its own measure of thoughts, shown',
      { thinkingConfig: { thinkingBudget: -1, includeThoughts: true } },
      { reasoning: { enabled: true, summary: 'auto' } },
    ],
    [
      'a budget',
      { thinkingConfig: { thinkingBudget: 100 } },
      { reasoning: { enabled: true, budgetTokens: 100 } },
    ],
    ['a level', { thinking_config: { thinking_level: 'LOW' } }, { reasoning: { effort: 'low' } }],
    ['modalities', { responseModalities: ['TEXT', 'Image'] }, { modalities: ['text', 'image'] }],
    ['what is unknown', { mediaResolution: 'LOW' }, { extras: { mediaResolution: 'LOW' } }],
  ])('%s', (_, generationConfig, expected) => {
    expect(parse({ generationConfig })).toMatchObject(expected)
  })

  test.each<[JsonObject, Generation['toolChoice']]>([
    [{ mode: 'AUTO' }, { type: 'auto' }],
    [{ mode: 'none' }, { type: 'none' }],
    [{ mode: 'ANY' }, { type: 'required' }],
    [
      { mode: 'ANY', allowedFunctionNames: ['f'] },
      { type: 'tool', name: 'f' },
    ],
    [
      { mode: 'ANY', allowed_function_names: ['f', 'g'] },
      { type: 'allowed', names: ['f', 'g'], mode: 'required' },
    ],
    [
      { mode: 'VALIDATED', allowedFunctionNames: ['f'] },
      { type: 'allowed', names: ['f'], mode: 'auto' },
    ],
    [{ mode: 'VALIDATED' }, { type: 'auto' }],
  ])('%j chooses among tools', (functionCallingConfig, expected) => {
    expect(parse({ toolConfig: { functionCallingConfig } }).toolChoice).toEqual(expected)
  })

  test('of other objects are kept by name', () => {
    const generation = parse({
      safetySettings: [],
      labels: { a: 'b' },
      serviceTier: 'flex',
      store: true,
    })
    expect(generation).toMatchObject({
      serviceTier: 'flex',
      store: true,
      extras: { safetySettings: [], labels: { a: 'b' } },
    })
  })
})

describe('tools', () => {
  test('are functions, and those that Google runs', () => {
    const parameters = { type: 'OBJECT', properties: { a: { type: 'STRING' } } }
    const { tools } = parse({
      tools: [
        { functionDeclarations: [{ name: 'f', description: 'd', parameters }], googleSearch: {} },
        { function_declarations: [{ name: 'g', parametersJsonSchema: { type: 'object' } }] },
      ],
    })
    expect(tools).toMatchObject([
      { type: 'function', name: 'f', description: 'd', parameters: { type: 'object' } },
      { type: 'server', name: 'googleSearch' },
      { type: 'function', name: 'g', parameters: { type: 'object' } },
    ])
  })
})

test('the question of how many tokens may hold the request', () => {
  const generateContentRequest = { contents: [{ parts: [{ text: 'a' }] }], systemInstruction: 'b' }
  const { messages } = gemini.chat.parseGeneration({ generateContentRequest }, { model: 'm' })
  expect(messages.map(({ role }) => role)).toEqual(['system', 'user'])
})

describe('what the format refuses', () => {
  test.each<[JsonObject, string]>([
    [{ contents: undefined }, 'contents'],
    [{ contents: [] }, 'contents'],
    [{ contents: ['x'] }, 'contents.0'],
    [{ contents: [{ role: 'robot', parts: [] }] }, 'contents.0.role'],
    [{ contents: [{ parts: ['x'] }] }, 'contents.0.parts.0'],
    [{ contents: [{ parts: 'x' }] }, 'contents.0.parts'],
    [{ tools: 'x' }, 'tools'],
    [{ tools: [{ functionDeclarations: [{}] }] }, 'tools.0.functionDeclarations.0.name'],
    [{ generationConfig: { topP: 'x' } }, 'generationConfig.topP'],
    [{ generationConfig: { stopSequences: [1] } }, 'generationConfig.stopSequences'],
    [{ systemInstruction: 1 }, 'systemInstruction'],
  ])('%j is told by its path', (body, param) => {
    try {
      parse(body)
    } catch (error) {
      expect(GatewayError.from(error)).toMatchObject({ code: 'invalid_request', param })
      return
    }
    throw new Error('it was taken')
  })
})

describe('a request of the same format', () => {
  const body: JsonObject = {
    system_instruction: { role: 'system', parts: [{ text: 'be brief' }] },
    labels: { a: 'b' },
    contents: [
      {
        parts: [
          { text: 'hi' },
          { text: '' },
          { inline_data: { mime_type: 'image/png', data: 'A' } },
        ],
      },
      {
        role: 'model',
        parts: [
          { thought: true, text: 'hm' },
          { functionCall: { name: 'f', args: {} }, thoughtSignature: 's' },
          { executableCode: { code: '1' } },
        ],
      },
      { role: 'function', parts: [{ functionResponse: { name: 'f', response: { result: 1 } } }] },
    ],
    tools: [{ googleSearch: {}, functionDeclarations: [{ name: 'f', behavior: 'X' }] }],
    toolConfig: { retrievalConfig: { a: 1 }, functionCallingConfig: { mode: 'ANY' } },
    generationConfig: {
      seed: 1,
      top_p: 1,
      speechConfig: {},
      responseMimeType: 'application/json',
      responseSchema: { type: 'OBJECT', nullable: true },
      thinkingConfig: { thinkingBudget: 0 },
    },
    safetySettings: [],
  }
  const render = (generation: Generation) => {
    const losses = new Losses()
    const rendered = gemini.chat.renderGeneration(generation, { model: 'x', stream: true }, losses)
    return { json: JSON.stringify(rendered), rendered, lost: losses.list }
  }

  test('is rendered as it came, key for key', () => {
    const { json, lost } = render(parse(body))
    expect(json).toBe(JSON.stringify(body))
    expect(lost).toEqual([])
  })

  test('changes only where it was edited', () => {
    const generation = parse(body)
    const { rendered } = render({
      ...generation,
      seed: 2,
      toolChoice: { type: 'none' },
      tools: generation.tools.slice(1),
      extras: { ...generation.extras, labels: undefined, speechConfig: { a: 1 } },
      messages: generation.messages.map((message) =>
        Object.assign(message, {
          parts: message.parts.map((part) =>
            part.type === 'text' && part.text === 'hi' ? { type: 'text', text: '[gone]' } : part
          ),
        })
      ),
    })
    const { labels: _, ...rest } = body
    expect(rendered).toEqual({
      ...rest,
      contents: [
        {
          parts: [
            { text: '[gone]' },
            { text: '' },
            { inline_data: { mime_type: 'image/png', data: 'A' } },
          ],
        },
        ...(Array.isArray(body.contents) ? body.contents.slice(1) : []),
      ],
      tools: [{ functionDeclarations: [{ name: 'f', behavior: 'X' }] }],
      toolConfig: { retrievalConfig: { a: 1 }, functionCallingConfig: { mode: 'NONE' } },
      generationConfig: {
        seed: 2,
        top_p: 1,
        speechConfig: { a: 1 },
        responseMimeType: 'application/json',
        responseSchema: { type: 'OBJECT', nullable: true },
        thinkingConfig: { thinkingBudget: 0 },
      },
    })
  })

  test('names its model anew where it names it', () => {
    expect(render(parse({ model: 'models/old' })).rendered).toMatchObject({ model: 'models/x' })
  })
})
