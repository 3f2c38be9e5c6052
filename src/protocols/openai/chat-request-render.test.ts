import { describe, expect, test } from 'bun:test'
import type { Generation, MediaPart, Part } from '../generation'
import type { JsonObject } from '../json'
import { openaiChatHalves } from './chat-halves'
import { foreign, FUNCTION, PDF, PNG, text, turn, write } from './fixtures/chat'

const { parseGeneration } = openaiChatHalves

describe('writing a request of another format', () => {
  test('says everything that both know', () => {
    const { body, losses } = write(
      foreign({
        messages: [
          turn('system', text('s1'), text('s2')),
          {
            role: 'user',
            name: 'zoë',
            parts: [
              text('look'),
              {
                type: 'media',
                media: 'image',
                data: { base64: PNG },
                mimeType: 'image/png',
                detail: 'high',
              },
            ],
          },
          turn(
            'assistant',
            { type: 'reasoning', text: 'hm' },
            text('so'),
            { type: 'tool_call', id: 'a', name: 'f', arguments: '' },
            { type: 'tool_call', id: 'b', name: 'g', arguments: 'raw', isCustom: true }
          ),
          turn(
            'user',
            { type: 'tool_result', callId: 'a', name: 'f', parts: [text('A')] },
            { type: 'tool_result', callId: 'b', parts: [text('1'), text('2')] },
            text('go on')
          ),
        ],
        tools: [FUNCTION],
        toolChoice: { type: 'tool', name: 'f' },
        parallelToolCalls: false,
        maxTokens: 10,
        temperature: 0,
        stop: ['x'],
        format: { type: 'schema', schema: { type: 'object' } },
        reasoning: { effort: 'high' },
        user: 'u',
      }),
      true
    )
    expect(losses).toEqual([])
    expect(body).toEqual({
      model: 'up',
      messages: [
        {
          role: 'system',
          content: [
            { type: 'text', text: 's1' },
            { type: 'text', text: 's2' },
          ],
        },
        {
          role: 'user',
          name: 'zoë',
          content: [
            { type: 'text', text: 'look' },
            {
              type: 'image_url',
              image_url: { url: `data:image/png;base64,${PNG}`, detail: 'high' },
            },
          ],
        },
        {
          role: 'assistant',
          content: 'so',
          reasoning_content: 'hm',
          tool_calls: [
            { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } },
            { id: 'b', type: 'custom', custom: { name: 'g', input: 'raw' } },
          ],
        },
        { role: 'tool', tool_call_id: 'a', name: 'f', content: 'A' },
        {
          role: 'tool',
          tool_call_id: 'b',
          content: [
            { type: 'text', text: '1' },
            { type: 'text', text: '2' },
          ],
        },
        { role: 'user', content: 'go on' },
      ],
      tools: [
        {
          type: 'function',
          function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true },
        },
      ],
      tool_choice: { type: 'function', function: { name: 'f' } },
      parallel_tool_calls: false,
      max_completion_tokens: 10,
      temperature: 0,
      stop: ['x'],
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'response', schema: { type: 'object' } },
      },
      reasoning_effort: 'high',
      user: 'u',
      stream: true,
      stream_options: { include_usage: true },
    })
  })

  test('keeps signatures and encrypted reasoning beside the text', () => {
    const parts: Part[] = [
      { type: 'reasoning', text: 'a', signature: { maker: 'anthropic', value: 's' } },
      {
        type: 'reasoning',
        text: 'b',
        isSummary: true,
        id: 'rs',
        encrypted: { maker: 'openai', value: 'e' },
      },
      { type: 'reasoning', text: '', encrypted: { maker: 'anthropic', value: 'redacted' } },
      {
        type: 'tool_call',
        id: 'x',
        name: 'f',
        arguments: '{}',
        signature: { maker: 'google', value: 'g' },
      },
    ]
    const { body, losses } = write(foreign({ messages: [turn('assistant', ...parts)] }))
    expect(losses).toEqual([])
    expect(parseGeneration(body, {}).messages[0]?.parts).toMatchObject(parts)
  })

  test.each<[string, Part, JsonObject | string, string[]]>([
    [
      'an image by URL',
      { type: 'media', media: 'image', data: { url: 'https://x.test/a' } },
      { type: 'image_url', image_url: { url: 'https://x.test/a' } },
      [],
    ],
    [
      'an image of unsaid type',
      { type: 'media', media: 'image', data: { base64: PNG } },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
      ['messages.0.content.0 rewritten'],
    ],
    [
      'a sound',
      { type: 'media', media: 'audio', data: { base64: 'AA' }, mimeType: 'audio/mpeg' },
      { type: 'input_audio', input_audio: { data: 'AA', format: 'mp3' } },
      [],
    ],
    [
      'a sound by another name',
      { type: 'media', media: 'audio', data: { base64: 'AA' }, mimeType: 'audio/x-wav' },
      { type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } },
      ['messages.0.content.0 rewritten'],
    ],
    [
      'a file without a name',
      { type: 'media', media: 'file', data: { base64: PDF }, mimeType: 'application/pdf' },
      {
        type: 'file',
        file: { filename: 'unnamed-file.pdf', file_data: `data:application/pdf;base64,${PDF}` },
      },
      [],
    ],
    [
      'a document of text',
      { type: 'media', media: 'file', data: { text: 'words' } },
      'words',
      ['messages.0.content.0 rewritten'],
    ],
    [
      'a marked text',
      { type: 'text', text: 'x', cache: { ttl: '1h' } },
      'x',
      ['messages.0.content.0.cache_control dropped'],
    ],
    [
      'a cited text',
      {
        type: 'text',
        text: 'x',
        citations: [{ url: 'u', source: { protocol: 'gemini', json: {} } }],
      },
      'x',
      ['messages.0.content.0.citations dropped'],
    ],
  ])('says %s', (_, part, expected, reported) => {
    const { body, losses } = write(foreign({ messages: [turn('user', part)] }))
    const content = typeof expected === 'string' ? expected : [expected]
    expect(body.messages).toEqual([{ role: 'user', content }])
    expect(losses).toEqual(reported)
    const [again] = parseGeneration(body, {}).messages[0]?.parts ?? []
    const { source: _source, ...told } = again ?? {}
    if (reported.length === 0) expect(told).toEqual(part)
  })

  test.each<[string, Part]>([
    ['a file by URL', { type: 'media', media: 'file', data: { url: 'https://x.test/a.pdf' } }],
    ['an image by id', { type: 'media', media: 'image', data: { fileId: 'file_1' } }],
    ['a sound by URL', { type: 'media', media: 'audio', data: { url: 'https://x.test/a.mp3' } }],
    [
      'another format’s part',
      {
        type: 'native',
        name: 'web_search_tool_result',
        source: { protocol: 'anthropic-messages', json: {} },
      },
    ],
  ])('drops %s, and says so', (_, part) => {
    const { body, losses } = write(foreign({ messages: [turn('user', part, text('x'))] }))
    expect(body.messages).toEqual([{ role: 'user', content: 'x' }])
    expect(losses).toEqual(['messages.0.content.0 dropped'])
  })

  test('leaves out a turn that lost everything', () => {
    const native: Part = { type: 'native', name: 'n', source: { protocol: 'gemini', json: {} } }
    const { body } = write(
      foreign({ messages: [turn('assistant', native), turn('user', text('x'))] })
    )
    expect(body.messages).toEqual([{ role: 'user', content: 'x' }])
  })

  test('puts results first and the pictures in them behind, and says so', () => {
    const image: MediaPart = {
      type: 'media',
      media: 'image',
      data: { base64: PNG },
      mimeType: 'image/png',
    }
    const { body, losses } = write(
      foreign({
        messages: [
          turn('user', text('before'), {
            type: 'tool_result',
            callId: 'a',
            isError: true,
            parts: [{ type: 'text', text: 'failed' }, image],
          }),
        ],
      })
    )
    expect(body.messages).toEqual([
      { role: 'tool', tool_call_id: 'a', content: 'failed' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'before' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
        ],
      },
    ])
    expect(losses).toEqual(['messages.0 rewritten', 'messages.0.content.1.is_error dropped'])
  })

  test('tells when an assistant’s parts stand in another order', () => {
    const call: Part = { type: 'tool_call', id: 'a', name: 'f', arguments: '{}' }
    expect(write(foreign({ messages: [turn('assistant', call, text('x'))] })).losses).toEqual([
      'messages.0 rewritten',
    ])
    expect(write(foreign({ messages: [turn('assistant', text('x'), call)] })).losses).toEqual([])
  })

  test.each<[Partial<Generation>, JsonObject, string[]]>([
    [{ topK: 4 }, {}, ['top_k dropped']],
    [{ stop: ['1', '2', '3', '4', '5'] }, { stop: ['1', '2', '3', '4'] }, ['stop clamped']],
    [
      { logprobs: true, topLogprobs: 30 },
      { logprobs: true, top_logprobs: 20 },
      ['top_logprobs clamped'],
    ],
    [
      { toolChoice: { type: 'auto' }, parallelToolCalls: true },
      {},
      ['tool_choice dropped', 'parallel_tool_calls dropped'],
    ],
    [{ reasoning: { budgetTokens: 0 } }, { reasoning_effort: 'none' }, ['reasoning rewritten']],
    [{ reasoning: { budgetTokens: 4_095 } }, { reasoning_effort: 'low' }, ['reasoning rewritten']],
    [
      { reasoning: { budgetTokens: 16_383 } },
      { reasoning_effort: 'medium' },
      ['reasoning rewritten'],
    ],
    [
      { reasoning: { budgetTokens: 16_384 } },
      { reasoning_effort: 'high' },
      ['reasoning rewritten'],
    ],
    [{ reasoning: { enabled: false } }, { reasoning_effort: 'none' }, ['reasoning rewritten']],
    [{ reasoning: { enabled: true } }, {}, ['reasoning rewritten']],
    [{ serviceTier: 'standard_only' }, { service_tier: 'default' }, ['service_tier rewritten']],
    [{ serviceTier: 'reserved' }, {}, ['service_tier dropped']],
    [{ serviceTier: 'flex' }, { service_tier: 'flex' }, []],
    [
      { extras: { thinking: {}, safety_identifier: 's' } },
      {},
      ['thinking dropped', 'safety_identifier dropped'],
    ],
    [
      {
        extras: { safety_identifier: 's', truncation: 'auto' },
        source: { protocol: 'openai-responses', json: {} },
      },
      { safety_identifier: 's' },
      ['truncation dropped'],
    ],
    [
      { format: { type: 'json' }, verbosity: 'low', promptCacheKey: 'k' },
      { response_format: { type: 'json_object' }, verbosity: 'low', prompt_cache_key: 'k' },
      [],
    ],
    [
      {
        tools: [
          {
            type: 'server',
            name: 'web_search',
            source: { protocol: 'anthropic-messages', json: {} },
          },
        ],
        toolChoice: { type: 'tool', name: 'web_search' },
      },
      {},
      ['tools.0 dropped', 'tool_choice dropped'],
    ],
    [
      {
        tools: [
          {
            type: 'custom',
            name: 'g',
            source: {
              protocol: 'openai-responses',
              json: { format: { type: 'grammar', syntax: 'lark', definition: 'd' } },
            },
          },
        ],
        toolChoice: { type: 'allowed', mode: 'auto', names: ['g', 'gone'] },
      },
      {
        tools: [
          {
            type: 'custom',
            custom: {
              name: 'g',
              format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'd' } },
            },
          },
        ],
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: { mode: 'auto', tools: [{ type: 'custom', custom: { name: 'g' } }] },
        },
      },
      ['tool_choice rewritten'],
    ],
  ])('says %j as far as it can', (members, expected, reported) => {
    const { body, losses } = write(foreign({ messages: [turn('user', text('x'))], ...members }))
    expect(body).toEqual({ model: 'up', messages: [{ role: 'user', content: 'x' }], ...expected })
    expect(losses.sort()).toEqual(reported.sort())
  })
})
