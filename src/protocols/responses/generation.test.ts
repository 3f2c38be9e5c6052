import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../../errors/gateway-error'
import type { Generation, Part, Tool } from '../generation'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { REQUESTS } from './fixtures/requests'
import { openaiResponses } from './responses'

const { chat } = openaiResponses

const parse = (body: JsonObject) => chat.parseGeneration(body, {})

function render(generation: Generation, stream = false) {
  const losses = new Losses()
  const body = chat.renderGeneration(generation, { model: 'up', stream }, losses)
  return { body, losses: losses.list.map(({ field, kind }) => `${field} ${kind}`) }
}

const text = (value: string): Part => ({ type: 'text', text: value })

describe('the same format', () => {
  test.each(REQUESTS)('%s comes back as it was', (_, body) => {
    const generation = parse(body)
    const { body: rendered, losses } = render(generation, generation.stream)
    expect(JSON.stringify(rendered)).toBe(JSON.stringify({ ...body, model: 'up' }))
    expect(losses).toEqual([])
  })

  test.each(REQUESTS)('%s comes back from a copy of it', (_, body) => {
    const copy: Generation = JSON.parse(JSON.stringify(parse(body)))
    expect(render(copy, copy.stream).body).toEqual({ ...body, model: 'up' })
  })

  test('has a text that was edited, and all else as it was', () => {
    const body: JsonObject = {
      model: 'm',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'My name is secret', extra: 1 },
            { type: 'input_image', image_url: 'https://example.com/a.png', extra: 2 },
          ],
        },
        { id: 'msg_1', type: 'message', role: 'assistant', content: 'Well', phase: 'commentary' },
      ],
      instructions: 'Be kind',
      unknown: { a: [1] },
    }
    const generation = parse(body)
    const message = generation.messages[1]
    message?.parts.splice(0, 1, text('My name is ***'))
    const rendered = render(generation).body
    expect(JSON.stringify(rendered)).toBe(
      JSON.stringify({
        ...body,
        model: 'up',
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: 'My name is ***' },
              { type: 'input_image', image_url: 'https://example.com/a.png', extra: 2 },
            ],
          },
          { id: 'msg_1', type: 'message', role: 'assistant', content: 'Well', phase: 'commentary' },
        ],
      })
    )
  })

  test('has a message that lost one of its parts without it', () => {
    const content = ['a', 'b', 'c'].map((value) => ({ type: 'output_text', text: value }))
    const generation = parse({ model: 'm', input: [{ role: 'assistant', content }] })
    generation.messages[0]?.parts.splice(1, 1)
    const { input } = render(generation).body
    expect<unknown>(input).toEqual([
      { type: 'message', role: 'assistant', content: [content[0], content[2]] },
    ])
  })

  test('has instructions and an input that were edited where they stood', () => {
    const generation = parse({ model: 'm', instructions: 'secret', input: 'secret' })
    for (const message of generation.messages) message.parts = [text('***')]
    expect(render(generation).body).toEqual({ model: 'up', instructions: '***', input: '***' })
    generation.messages.shift()
    expect(render(generation).body).toEqual({ model: 'up', input: '***' })
  })

  test('has settings and tools that were edited, the others as they were spelled', () => {
    const body: JsonObject = {
      model: 'm',
      input: 'x',
      temperature: 1,
      text: { verbosity: 'low', more: 1 },
      include: ['file_search_call.results'],
    }
    const tool: Tool = { type: 'function', name: 'f', parameters: { type: 'object' } }
    const rendered = render({
      ...parse(body),
      maxTokens: 50,
      temperature: undefined,
      tools: [tool],
    })
    expect(rendered.body).toEqual({
      model: 'up',
      input: 'x',
      text: { verbosity: 'low', more: 1 },
      include: ['file_search_call.results'],
      tools: [{ type: 'function', name: 'f', parameters: { type: 'object' }, strict: false }],
      max_output_tokens: 50,
    })
  })

  test('asks for a stream where the gateway does', () => {
    const generation = parse({ model: 'm', stream: false, input: 'x' })
    expect(render(generation, true).body).toEqual({ model: 'up', stream: true, input: 'x' })
  })
})

describe('parseGeneration', () => {
  test.each([
    ['model', { input: 'x' }],
    ['input', { model: 'm' }],
    ['input', { model: 'm', input: 7 }],
    ['input.1', { model: 'm', input: [{ role: 'user', content: 'x' }, 'y'] }],
    ['input.0.content', { model: 'm', input: [{ role: 'user' }] }],
    ['instructions', { model: 'm', input: 'x', instructions: [] }],
    ['tools', { model: 'm', input: 'x', tools: {} }],
    ['tools.0', { model: 'm', input: 'x', tools: ['web_search'] }],
    ['temperature', { model: 'm', input: 'x', temperature: 'hot' }],
    ['store', { model: 'm', input: 'x', store: 'no' }],
    ['user', { model: 'm', input: 'x', user: 1 }],
    ['text', { model: 'm', input: 'x', text: 'json' }],
  ] as const)('refuses a wrong %s', (param, body) => {
    let caught: unknown
    try {
      parse(JSON.parse(JSON.stringify(body)))
    } catch (error) {
      caught = error
    }
    expect(GatewayError.from(caught)).toMatchObject({ code: 'invalid_request', param })
  })

  test('puts what the model did into one turn, and what its tools gave back into the next', () => {
    const { messages } = parse({
      model: 'm',
      instructions: 'Be kind',
      input: [
        { role: 'developer', content: 'Be brief' },
        { role: 'user', content: [{ type: 'input_text', text: 'Look' }] },
        { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAA' },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Ok' }] },
        { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{}' },
        { type: 'custom_tool_call', call_id: 'c2', name: 'sql', input: 'SELECT' },
        { type: 'web_search_call', id: 'ws_1', status: 'completed' },
        { type: 'function_call_output', call_id: 'c1', output: 'seen' },
        {
          type: 'custom_tool_call_output',
          call_id: 'c2',
          output: [{ type: 'input_text', text: 'rows' }],
        },
        { role: 'user', content: 'So?' },
      ],
    })
    expect(messages.map(({ role, parts }) => [role, ...parts.map(({ type }) => type)])).toEqual([
      ['system', 'text'],
      ['system', 'text'],
      ['user', 'text'],
      ['assistant', 'reasoning', 'text', 'tool_call', 'tool_call', 'native'],
      ['user', 'tool_result', 'tool_result'],
      ['user', 'text'],
    ])
    expect(messages[3]?.parts).toMatchObject([
      { id: 'rs_1', text: '', encrypted: { maker: 'openai', value: 'gAAA' } },
      { text: 'Ok' },
      { id: 'c1', name: 'look', arguments: '{}' },
      { id: 'c2', name: 'sql', arguments: 'SELECT', isCustom: true },
      { name: 'web_search_call' },
    ])
    expect(messages[4]?.parts).toMatchObject([
      { callId: 'c1', name: 'look', parts: [{ text: 'seen' }] },
      { callId: 'c2', name: 'sql', parts: [{ text: 'rows' }] },
    ])
  })

  test('reads the settings', () => {
    const {
      messages: _,
      source: __,
      ...settings
    } = parse({
      model: 'm',
      input: 'x',
      stream: true,
      max_output_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      top_logprobs: 3,
      include: ['message.output_text.logprobs', 'reasoning.encrypted_content'],
      tool_choice: { type: 'function', name: 'f' },
      parallel_tool_calls: false,
      text: {
        format: { type: 'json_schema', name: 's', schema: {}, strict: true },
        verbosity: 'low',
      },
      reasoning: { effort: 'high', summary: 'auto' },
      user: 'u',
      metadata: { a: 'b' },
      service_tier: 'flex',
      store: false,
      prompt_cache_key: 'k',
      truncation: 'disabled',
      background: false,
      safety_identifier: null,
    })
    expect(settings).toEqual({
      model: 'm',
      stream: true,
      includesUsage: true,
      tools: [],
      maxTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      topLogprobs: 3,
      logprobs: true,
      toolChoice: { type: 'tool', name: 'f' },
      parallelToolCalls: false,
      format: { type: 'schema', name: 's', schema: {}, strict: true },
      verbosity: 'low',
      reasoning: { effort: 'high', summary: 'auto' },
      user: 'u',
      metadata: { a: 'b' },
      serviceTier: 'flex',
      store: false,
      promptCacheKey: 'k',
      extras: {},
    })
  })

  test('keeps what only this format knows, by its name', () => {
    const extras = {
      previous_response_id: 'resp_1',
      conversation: 'conv_1',
      background: true,
      truncation: 'auto',
      prompt: { id: 'p' },
      max_tool_calls: 3,
      safety_identifier: 's',
      tool_choice: { type: 'file_search' },
      new_thing: [1],
    }
    const { extras: kept } = parse({
      ...extras,
      model: 'm',
      include: ['file_search_call.results', 'reasoning.encrypted_content'],
      reasoning: { effort: 'low', context: 'current_turn' },
      text: { format: { type: 'grammar' } },
    })
    expect(kept).toEqual({
      ...extras,
      include: ['file_search_call.results'],
      'reasoning.context': 'current_turn',
      'text.format': { type: 'grammar' },
    })
  })

  test.each([
    ['auto', { type: 'auto' }],
    ['none', { type: 'none' }],
    ['required', { type: 'required' }],
    [
      { type: 'function', name: 'f' },
      { type: 'tool', name: 'f' },
    ],
    [
      { type: 'custom', name: 'c' },
      { type: 'tool', name: 'c' },
    ],
    [
      { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'f' }] },
      { type: 'allowed', mode: 'auto', names: ['f'] },
    ],
    [{ type: 'mcp', server_label: 's' }, undefined],
    [{ type: 'allowed_tools', mode: 'auto', tools: [{ type: 'mcp' }] }, undefined],
  ])('reads the tool choice %j', (choice, expected) => {
    const { toolChoice, extras } = parse({ model: 'm', input: 'x', tool_choice: choice })
    expect<unknown>(toolChoice).toEqual(expected)
    expect(extras).toEqual(expected ? {} : { tool_choice: choice })
  })

  test.each([
    [{ type: 'function', name: 'f', parameters: null, strict: null }, 'function', 'f'],
    [{ type: 'custom', name: 'c', format: { type: 'text' } }, 'custom', 'c'],
    [{ type: 'web_search' }, 'server', 'web_search'],
    [{ type: 'mcp', server_label: 's' }, 'server', 'mcp'],
    [{ type: 'namespace', name: 'n', tools: [] }, 'server', 'namespace'],
  ])('reads the tool %j', (json, type, name) => {
    expect(parse({ model: 'm', input: 'x', tools: [json] }).tools).toMatchObject([{ type, name }])
  })
})
