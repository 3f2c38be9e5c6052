import { describe, expect, test } from 'bun:test'
import type { Generation, Part, Tool } from '../generation'
import type { JsonObject } from '../json'
import { FOREIGN, PNG, renderForeign } from './fixtures/ollama'

const HI = { model: 'llama3.2', messages: [{ role: 'user', content: 'Hi' }], stream: false }

describe('settings', () => {
  test.each<[Partial<Generation>, JsonObject, string[]]>([
    [{}, {}, []],
    [{ maxTokens: 5 }, { options: { num_predict: 5 } }, []],
    [
      { temperature: 0, topP: 0.5, topK: 4, seed: 7, stop: ['END'] },
      { options: { temperature: 0, top_p: 0.5, top_k: 4, seed: 7, stop: ['END'] } },
      [],
    ],
    [
      { frequencyPenalty: 1, presencePenalty: 2 },
      { options: { frequency_penalty: 1, presence_penalty: 2 } },
      [],
    ],
    [{ logprobs: true, topLogprobs: 3 }, { logprobs: true, top_logprobs: 3 }, []],
    [{ format: { type: 'text' } }, {}, []],
    [{ format: { type: 'json' } }, { format: 'json' }, []],
    [{ format: { type: 'schema', name: 'a', schema: {} } }, { format: {} }, []],
    [
      { format: { type: 'schema', schema: {}, strict: false, description: 'd' } },
      { format: {} },
      ['response_format.description dropped', 'response_format.strict rewritten'],
    ],
    [{ reasoning: { enabled: true } }, { think: true }, []],
    [{ reasoning: { enabled: false, effort: 'high' } }, { think: false }, []],
    [{ reasoning: { effort: 'none' } }, { think: false }, []],
    [{ reasoning: { effort: 'minimal' } }, { think: 'low' }, ['reasoning.effort clamped']],
    [{ reasoning: { effort: 'medium' } }, { think: 'medium' }, []],
    [{ reasoning: { effort: 'xhigh' } }, { think: 'max' }, ['reasoning.effort clamped']],
    [{ reasoning: { effort: 'max' } }, { think: 'max' }, []],
    [{ reasoning: { effort: 'somewhat' } }, {}, ['reasoning.effort dropped']],
    [
      { reasoning: { budgetTokens: 9, summary: 'auto' } },
      { think: true },
      ['reasoning.summary dropped', 'reasoning.budget_tokens dropped'],
    ],
    [{ parallelToolCalls: true, store: false, choices: 1, modalities: ['text'] }, {}, []],
    [
      { parallelToolCalls: false, store: true, choices: 2, modalities: ['audio'] },
      {},
      ['store dropped', 'parallel_tool_calls dropped', 'n dropped', 'modalities dropped'],
    ],
    [
      { user: 'u', metadata: {}, serviceTier: 'flex', verbosity: 'low', promptCacheKey: 'k' },
      {},
      [
        'verbosity dropped',
        'user dropped',
        'metadata dropped',
        'service_tier dropped',
        'prompt_cache_key dropped',
      ],
    ],
    [{ extras: { logit_bias: {} } }, {}, ['logit_bias dropped']],
  ])('%j', (said, told, lost) => {
    const { body, losses } = renderForeign(said)
    expect(body).toEqual({ ...HI, ...told })
    expect(losses).toEqual(lost)
  })
})

const CALL: Part = { type: 'tool_call', id: 'c1', name: 'look', arguments: '{"up":true}' }

describe('parts of a turn', () => {
  test.each<[Part, JsonObject, string[]]>([
    [{ type: 'text', text: 'Hi' }, { content: 'Hi' }, []],
    [{ type: 'text', text: 'Hi', cache: {} }, { content: 'Hi' }, ['cache_control dropped']],
    [{ type: 'refusal', text: 'No.' }, { content: 'No.' }, ['rewritten']],
    [{ type: 'reasoning', text: 'Hm.' }, { content: '', thinking: 'Hm.' }, []],
    [
      { type: 'reasoning', text: '', encrypted: { maker: 'openai', value: 'x' } },
      { content: '' },
      ['encrypted_content dropped'],
    ],
    [
      { type: 'media', media: 'image', mimeType: 'image/png', data: { base64: PNG } },
      { content: '', images: [PNG] },
      [],
    ],
    [
      { type: 'media', media: 'image', detail: 'high', data: { base64: PNG } },
      { content: '', images: [PNG] },
      ['detail dropped'],
    ],
    [
      { type: 'media', media: 'image', data: { url: 'https://example.com/a.png' } },
      { content: '' },
      ['dropped'],
    ],
    [
      { type: 'media', media: 'audio', mimeType: 'audio/wav', data: { base64: 'UklGRg==' } },
      { content: '' },
      ['dropped'],
    ],
    [
      { type: 'media', media: 'file', data: { text: 'A toll is a fee.' } },
      { content: 'A toll is a fee.' },
      ['rewritten'],
    ],
    [
      CALL,
      {
        content: '',
        tool_calls: [{ id: 'c1', function: { name: 'look', arguments: { up: true } } }],
      },
      [],
    ],
    [
      { ...CALL, arguments: '' },
      { content: '', tool_calls: [{ id: 'c1', function: { name: 'look', arguments: {} } }] },
      [],
    ],
    [
      { ...CALL, arguments: '{"up":' },
      {
        content: '',
        tool_calls: [{ id: 'c1', function: { name: 'look', arguments: { input: '{"up":' } } }],
      },
      ['arguments rewritten'],
    ],
    [
      { ...CALL, isCustom: true, arguments: 'select 1' },
      {
        content: '',
        tool_calls: [{ id: 'c1', function: { name: 'look', arguments: { input: 'select 1' } } }],
      },
      ['rewritten'],
    ],
  ])('%j', (part, told, lost) => {
    const { body, losses } = renderForeign({ messages: [{ role: 'assistant', parts: [part] }] })
    expect(body.messages).toEqual([{ role: 'assistant', ...told }])
    expect(losses).toEqual(
      lost.map((loss) => `messages.0.content.0${loss.includes(' ') ? '.' : ' '}${loss}`)
    )
  })

  test('an image in a result, a failure and a cache mark can’t be said', () => {
    const result: Part = {
      type: 'tool_result',
      callId: 'c1',
      name: 'look',
      isError: true,
      cache: {},
      parts: [
        { type: 'text', text: 'dark' },
        { type: 'media', media: 'image', data: { base64: PNG } },
      ],
    }
    const { body, losses } = renderForeign({ messages: [{ role: 'user', parts: [result] }] })
    expect(body.messages).toEqual([
      { role: 'tool', content: 'dark', tool_name: 'look', tool_call_id: 'c1' },
    ])
    expect(losses).toEqual([
      'messages.0.content.0.content.1 dropped',
      'messages.0.content.0.cache_control dropped',
      'messages.0.content.0.is_error dropped',
    ])
  })
})

describe('a choice among tools', () => {
  const tools = ['a', 'b'].map((name): Tool => ({ type: 'function', name, parameters: {} }))
  const named = (
    toolChoice: Generation['toolChoice'],
    more: Partial<Generation> = {}
  ): unknown[] => {
    const { body, losses } = renderForeign({ tools, toolChoice, ...more })
    const told = Array.isArray(body.tools) ? body.tools : []
    return [/"name":"(\w)"/g.exec(JSON.stringify(told))?.[1], told.length, losses]
  }
  const asked: Generation['messages'] = [{ role: 'assistant', parts: [{ ...CALL, name: 'a' }] }]

  test.each<[Generation['toolChoice'], Partial<Generation>, unknown[]]>([
    [undefined, {}, ['a', 2, []]],
    [{ type: 'auto' }, {}, ['a', 2, []]],
    [{ type: 'required' }, {}, ['a', 2, ['tool_choice dropped']]],
    [{ type: 'none' }, {}, [undefined, 0, ['tool_choice rewritten']]],
    [{ type: 'none' }, { messages: asked }, ['a', 2, ['tool_choice dropped']]],
    // Which one can be said, that it must can't.
    [{ type: 'tool', name: 'b' }, {}, ['b', 1, ['tool_choice dropped', 'tools.0 dropped']]],
    [
      { type: 'allowed', names: ['b'], mode: 'auto' },
      {},
      ['b', 1, ['tool_choice rewritten', 'tools.0 dropped']],
    ],
    [{ type: 'tool', name: 'unheard' }, {}, ['a', 2, ['tool_choice dropped']]],
  ])('%j %j', (toolChoice, more, expected) => {
    expect(named(toolChoice, more)).toEqual(expected)
  })
})

test('a function without arguments takes an empty object, a custom tool its text', () => {
  const { body, losses } = renderForeign({
    tools: [
      { type: 'function', name: 'now', strict: true },
      { type: 'custom', name: 'sql', source: FOREIGN.source },
      { type: 'server', name: 'search', source: FOREIGN.source },
    ],
  })
  const text = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] }
  expect(body.tools).toEqual([
    {
      type: 'function',
      function: { name: 'now', parameters: { type: 'object', properties: {} } },
    },
    { type: 'function', function: { name: 'sql', parameters: text } },
  ])
  expect(losses).toEqual(['tools.0.strict dropped', 'tools.1 rewritten', 'tools.2 dropped'])
})
