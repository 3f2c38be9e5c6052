import { describe, expect, test } from 'bun:test'

import type { Generation, Message, Part } from '../generation'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { openaiResponses, responsesInputTokens } from './responses'

const { chat } = openaiResponses

const parse = (body: JsonObject) => chat.parseGeneration(body, {})

function render(generation: Generation, stream = false) {
  const losses = new Losses()
  const body = chat.renderGeneration(generation, { model: 'up', stream }, losses)
  return { body, losses: losses.list.map(({ field, kind }) => `${field} ${kind}`) }
}

/** A chat that came in another format. */
function foreign(parts: Partial<Generation>): Generation {
  return {
    model: 'm',
    stream: false,
    includesUsage: false,
    messages: [],
    tools: [],
    extras: {},
    source: { protocol: 'anthropic-messages', json: {} },
    ...parts,
  }
}

const turn = (role: Message['role'], ...parts: Part[]): Message => ({ role, parts })
const text = (value: string): Part => ({ type: 'text', text: value })
const call = (id: string): Part => ({ type: 'tool_call', id, name: 'look', arguments: '{"a":1}' })

describe('renderGeneration of another format', () => {
  test('writes a conversation with tools', () => {
    const { body, losses } = render(
      foreign({
        messages: [
          turn('system', text('Be kind')),
          turn('user', text('Look'), text('closely')),
          turn('assistant', text('Ok'), call('c1'), call('c2')),
          turn(
            'user',
            { type: 'tool_result', callId: 'c1', parts: [{ type: 'text', text: 'seen' }] },
            { type: 'tool_result', callId: 'c2', parts: [] },
            text('So?')
          ),
          turn('system', text('Now')),
          turn('assistant', { type: 'refusal', text: 'No' }),
        ],
        tools: [{ type: 'function', name: 'look', description: 'Looks', parameters: { a: 1 } }],
      }),
      true
    )
    expect(losses).toEqual([])
    const called = { type: 'function_call', name: 'look', arguments: '{"a":1}' }
    expect(body).toEqual({
      model: 'up',
      instructions: 'Be kind',
      input: [
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'Look' },
            { type: 'input_text', text: 'closely' },
          ],
        },
        { type: 'message', role: 'assistant', content: 'Ok' },
        { ...called, call_id: 'c1' },
        { ...called, call_id: 'c2' },
        { type: 'function_call_output', call_id: 'c1', output: 'seen' },
        { type: 'function_call_output', call_id: 'c2', output: '' },
        { type: 'message', role: 'user', content: 'So?' },
        { type: 'message', role: 'system', content: 'Now' },
        { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'No' }] },
      ],
      tools: [
        {
          type: 'function',
          name: 'look',
          description: 'Looks',
          parameters: { a: 1 },
          strict: false,
        },
      ],
      store: false,
      stream: true,
    })
  })

  test.each([
    [
      {
        type: 'media',
        media: 'image',
        data: { base64: 'aa' },
        mimeType: 'image/png',
        detail: 'low',
      },
    ],
    [{ type: 'media', media: 'image', data: { url: 'https://example.com/a.png' } }],
    [{ type: 'media', media: 'image', data: { fileId: 'file-1' } }],
    [{ type: 'media', media: 'file', data: { base64: 'aa' }, mimeType: 'application/pdf' }],
    [{ type: 'media', media: 'file', data: { base64: 'aa' }, mimeType: 'a/b', name: 'x.pdf' }],
    [{ type: 'media', media: 'file', data: { url: 'https://example.com/a.pdf' } }],
    [{ type: 'media', media: 'file', data: { fileId: 'file-1' } }],
    [{ type: 'media', media: 'audio', data: { base64: 'aa' }, mimeType: 'audio/mpeg' }],
    [{ type: 'media', media: 'audio', data: { base64: 'aa' }, mimeType: 'audio/wav' }],
  ] satisfies [Part][])('brings %j there and back', (part) => {
    const { body, losses } = render(foreign({ messages: [turn('user', part)] }))
    expect(losses).toEqual([])
    expect(parse(body).messages[0]?.parts).toMatchObject([part])
  })

  test.each([
    [{ type: 'media', media: 'video', data: { base64: 'aa' } }, ' dropped'],
    [{ type: 'media', media: 'audio', data: { url: 'https://example.com/a.mp3' } }, ' dropped'],
    [{ type: 'media', media: 'image', data: { url: 'gs://bucket/a.png' } }, ' dropped'],
    [
      {
        type: 'media',
        media: 'file',
        data: { fileId: 'file_1' },
        source: { protocol: 'anthropic-messages', json: {} },
      },
      ' dropped',
    ],
    [{ type: 'media', media: 'file', data: { text: 'Hello' } }, ' rewritten'],
    [{ type: 'media', media: 'image', data: { base64: 'aa' } }, ' rewritten'],
    [{ type: 'text', text: 'a', cache: {} }, '.cache_control dropped'],
    [{ type: 'refusal', text: 'a' }, ' rewritten'],
    [{ type: 'reasoning', text: 'a' }, ' dropped'],
    [
      { type: 'native', name: 'x', source: { protocol: 'anthropic-messages', json: {} } },
      ' dropped',
    ],
    [{ type: 'tool_result', callId: 'c', parts: [], isError: true }, '.is_error dropped'],
  ] satisfies [Part, string][])('reports what is lost of %j', (part, loss) => {
    const { losses } = render(foreign({ messages: [turn('user', part)] }))
    expect(losses).toEqual([`messages.0.content.0${loss}`])
  })

  test('sends back the thoughts of OpenAI’s models alone', () => {
    const thoughts = { type: 'reasoning', text: 'Hm', isSummary: true } as const
    const { body, losses } = render(
      foreign({
        messages: [
          turn(
            'assistant',
            { ...thoughts, encrypted: { maker: 'openai', value: 'gAAA' }, id: 'rs_1' },
            { ...thoughts, signature: { maker: 'anthropic', value: 'sig' } },
            { ...thoughts, encrypted: { maker: 'anthropic', value: 'red' } },
            call('c1')
          ),
        ],
      })
    )
    const [reasoning, called] = Array.isArray(body.input) ? body.input : []
    expect(reasoning).toEqual({
      type: 'reasoning',
      id: 'rs_1',
      summary: [{ type: 'summary_text', text: 'Hm' }],
      encrypted_content: 'gAAA',
    })
    expect(called).toMatchObject({ type: 'function_call' })
    expect(losses).toEqual(['messages.0.content.1 dropped', 'messages.0.content.2 dropped'])
  })

  test('shortens ids that OpenAI would refuse, for the call and its result alike', () => {
    const id = 'x'.repeat(65)
    const { body } = render(
      foreign({
        messages: [
          turn('assistant', call(id)),
          turn('user', { type: 'tool_result', callId: id, parts: [] }),
        ],
      })
    )
    const [called, result] = parse(body).messages.flatMap(({ parts }) => parts)
    expect(called).toMatchObject({ type: 'tool_call', id: expect.stringMatching(/^call_\w+$/) })
    expect(result).toMatchObject({ callId: called?.type === 'tool_call' ? called.id : '' })
  })

  test.each([
    ['topK', 3, 'top_k dropped'],
    ['seed', 3, 'seed dropped'],
    ['stop', ['x'], 'stop dropped'],
    ['choices', 2, 'n dropped'],
    ['frequencyPenalty', 1, 'frequency_penalty dropped'],
    ['presencePenalty', 1, 'presence_penalty dropped'],
    ['modalities', ['text', 'audio'], 'modalities dropped'],
    ['audio', { voice: 'a', format: 'wav' }, 'audio dropped'],
    ['maxTokens', 1, 'max_tokens clamped'],
    ['temperature', 3, 'temperature clamped'],
    ['topLogprobs', 21, 'top_logprobs clamped'],
    ['serviceTier', 'standard_only', 'service_tier rewritten'],
    ['serviceTier', 'batch', 'service_tier dropped'],
    ['toolChoice', { type: 'required' }, 'tool_choice dropped'],
    ['toolChoice', { type: 'tool', name: 'x' }, 'tool_choice dropped'],
    ['extras', { thinking: {} }, 'thinking dropped'],
    ['reasoning', { enabled: true }, 'reasoning rewritten'],
  ])('reports %s of %j', (name, value, loss) => {
    expect(render(foreign({ [name]: value })).losses).toEqual([loss])
  })

  test.each([
    [{ effort: 'low', summary: 'auto' }, { effort: 'low', summary: 'auto' }, true],
    [{ enabled: false }, { effort: 'none' }, false],
    [{ budgetTokens: 0 }, { effort: 'none' }, false],
    [{ budgetTokens: 4_095 }, { effort: 'low' }, true],
    [{ budgetTokens: 4_096 }, { effort: 'medium' }, true],
    [{ budgetTokens: 16_384 }, { effort: 'high' }, true],
    [{ enabled: true }, undefined, true],
  ])('asks for the reasoning %j', (reasoning, expected, isKept) => {
    const { body } = render(foreign({ reasoning }))
    expect(body.reasoning).toEqual(expected)
    expect(body.include).toEqual(isKept ? ['reasoning.encrypted_content'] : undefined)
  })

  test('brings settings there and back', () => {
    const settings: Partial<Generation> = {
      tools: [
        { type: 'function', name: 'f', strict: true },
        { type: 'function', name: 'g', parameters: {} },
      ],
      toolChoice: { type: 'allowed', names: ['f'], mode: 'required' },
      maxTokens: 100,
      temperature: 0,
      topP: 1,
      logprobs: true,
      topLogprobs: 2,
      format: { type: 'schema', schema: { type: 'object' } },
      verbosity: 'high',
      parallelToolCalls: true,
      reasoning: { effort: 'xhigh' },
      user: 'u',
      metadata: { a: 'b' },
      serviceTier: 'priority',
      promptCacheKey: 'k',
    }
    const { body, losses } = render(foreign(settings))
    expect(losses).toEqual([])
    expect(parse({ ...body, input: 'x' })).toMatchObject(settings)
  })

  test('takes over what chat calls by the same name', () => {
    const extras = { safety_identifier: 's', logit_bias: {} }
    const { body, losses } = render(
      foreign({ extras, source: { protocol: 'openai-chat', json: {} } })
    )
    expect(body.safety_identifier).toBe('s')
    expect(losses).toEqual(['logit_bias dropped'])
  })

  test('writes a custom tool’s grammar flat', () => {
    const grammar = { syntax: 'regex', definition: 'a+' }
    const json = { type: 'custom', custom: { name: 'c', format: { type: 'grammar', grammar } } }
    const source = { protocol: 'openai-chat', json } as const
    const { body } = render(
      foreign({
        tools: [{ type: 'custom', name: 'c', source }],
        messages: [
          turn('assistant', {
            type: 'tool_call',
            id: 'c1',
            name: 'c',
            arguments: 'aa',
            isCustom: true,
          }),
          turn('user', { type: 'tool_result', callId: 'c1', parts: [{ type: 'text', text: 'b' }] }),
        ],
      })
    )
    expect(body.tools).toEqual([
      { type: 'custom', name: 'c', format: { type: 'grammar', ...grammar } },
    ])
    expect(body.input).toEqual([
      { type: 'custom_tool_call', call_id: 'c1', name: 'c', input: 'aa' },
      { type: 'custom_tool_call_output', call_id: 'c1', output: 'b' },
    ])
  })
})

describe('responsesInputTokens', () => {
  test('asks with what counts alone', () => {
    const generation = foreign({ messages: [turn('user', text('Hi'))], maxTokens: 50 })
    const target = { model: 'up', stream: false }
    const question = responsesInputTokens.renderRequest(generation, target, new Losses())
    expect(question).toEqual({
      model: 'up',
      input: [{ type: 'message', role: 'user', content: 'Hi' }],
    })
  })

  test('reads its own answer', () => {
    const answer = responsesInputTokens.render(7)
    expect(answer).toEqual({ object: 'response.input_tokens', input_tokens: 7 })
    expect(responsesInputTokens.parse(answer)).toBe(7)
    expect(responsesInputTokens.parse({ input_tokens: null })).toBeUndefined()
  })
})
