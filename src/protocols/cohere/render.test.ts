import { describe, expect, test } from 'bun:test'
import type { Generation, Message, Part, TextPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { Losses, renderLosses } from '../losses'
import { cohereChat } from './cohere'

/** What Cohere is told of a chat that came in another format. */
function told(more: Partial<Generation>): { body: JsonObject; lost: string } {
  const losses = new Losses()
  const generation: Generation = {
    model: 'm',
    stream: false,
    includesUsage: true,
    messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }],
    tools: [],
    extras: {},
    source: { protocol: 'openai-chat', json: null },
    ...more,
  }
  const body = cohereChat.chat.renderGeneration(
    generation,
    { model: 'command-a', stream: generation.stream },
    losses
  )
  return { body, lost: renderLosses(losses.list) }
}

const HI = { role: 'user', content: 'Hi' }

test('a chat in its own words', () => {
  expect(told({ stream: true })).toEqual({
    body: { model: 'command-a', messages: [HI], stream: true },
    lost: '',
  })
})

describe('a setting', () => {
  const schema = { type: 'object', properties: {} }
  test.each<[Partial<Generation>, JsonObject, string]>([
    [{ maxTokens: 9, temperature: 1.5, seed: 3 }, { max_tokens: 9, temperature: 1.5, seed: 3 }, ''],
    [{ topP: 0.5, topK: 5, logprobs: true }, { p: 0.5, k: 5, logprobs: true }, ''],
    [{ topP: 1, topK: 900 }, { p: 0.99, k: 500 }, 'top_p;clamped, top_k;clamped'],
    [{ seed: -1 }, { seed: 0 }, 'seed;clamped'],
    [
      { frequencyPenalty: -2, presencePenalty: 0.5 },
      { frequency_penalty: 0, presence_penalty: 0.5 },
      'frequency_penalty;clamped',
    ],
    [{ stop: ['x'] }, { stop_sequences: ['x'] }, ''],
    [
      { stop: ['a', 'b', 'c', 'd', 'e', 'f'] },
      { stop_sequences: ['a', 'b', 'c', 'd', 'e'] },
      'stop;clamped',
    ],
    [{ format: { type: 'text' }, stop: [] }, {}, ''],
    [{ format: { type: 'json' } }, { response_format: { type: 'json_object' } }, ''],
    [
      { format: { type: 'schema', schema, name: 'n', strict: true } },
      { response_format: { type: 'json_object', json_schema: schema } },
      '',
    ],
    [
      { format: { type: 'schema', schema, description: 'd', strict: false } },
      { response_format: { type: 'json_object', json_schema: schema } },
      'response_format.description;dropped, response_format.strict;rewritten',
    ],
    [{ reasoning: { enabled: false } }, { thinking: { type: 'disabled' } }, ''],
    [{ reasoning: { effort: 'none' } }, { thinking: { type: 'disabled' } }, ''],
    [{ reasoning: { enabled: true } }, { thinking: { type: 'enabled' } }, ''],
    [
      { reasoning: { enabled: true, budgetTokens: 50 } },
      { thinking: { type: 'enabled', token_budget: 50 } },
      '',
    ],
    [
      { reasoning: { effort: 'low', summary: 'auto' } },
      { thinking: { type: 'enabled', token_budget: 2048 } },
      'reasoning.summary;dropped, reasoning_effort;rewritten',
    ],
    [
      { choices: 2, topLogprobs: 3, parallelToolCalls: false, store: true },
      {},
      'store;dropped, n;dropped, top_logprobs;dropped, parallel_tool_calls;dropped',
    ],
    [
      { user: 'u', metadata: { a: 'b' }, serviceTier: 'flex', verbosity: 'low' },
      {},
      'verbosity;dropped, metadata;dropped, user;dropped, service_tier;dropped',
    ],
    [
      { modalities: ['text', 'audio'], promptCacheKey: 'k', extras: { prediction: {} } },
      {},
      'prompt_cache_key;dropped, prediction;dropped, modalities;dropped',
    ],
  ])('%j is told', (more, members, lost) => {
    expect(told(more)).toEqual({
      body: { model: 'command-a', messages: [HI], ...members },
      lost,
    })
  })
})

describe('tools', () => {
  const f = { type: 'function', name: 'f', parameters: { type: 'object' } } as const
  const g = { ...f, name: 'g', description: 'does g' }
  const F = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } }
  const G = {
    type: 'function',
    function: { name: 'g', description: 'does g', parameters: { type: 'object' } },
  }

  test.each<[Partial<Generation>, JsonObject, string]>([
    [{ tools: [f, g], toolChoice: { type: 'auto' } }, { tools: [F, G] }, ''],
    [{ tools: [f], toolChoice: { type: 'none' } }, { tools: [F], tool_choice: 'NONE' }, ''],
    [{ tools: [f], toolChoice: { type: 'required' } }, { tools: [F], tool_choice: 'REQUIRED' }, ''],
    // One certain tool is the only one.
    [
      { tools: [f, g], toolChoice: { type: 'tool', name: 'g' } },
      { tools: [G], tool_choice: 'REQUIRED' },
      'tools.0;dropped, tool_choice;rewritten',
    ],
    [
      { tools: [f, g], toolChoice: { type: 'allowed', names: ['f'], mode: 'auto' } },
      { tools: [F] },
      'tools.1;dropped, tool_choice;rewritten',
    ],
    [
      { tools: [f], toolChoice: { type: 'tool', name: 'other' } },
      { tools: [F] },
      'tool_choice;dropped',
    ],
    [{ toolChoice: { type: 'required' } }, {}, 'tool_choice;dropped'],
    [
      {
        tools: [
          { ...f, strict: true },
          { ...g, strict: true },
        ],
      },
      { tools: [F, G], strict_tools: true },
      '',
    ],
    [{ tools: [{ ...f, strict: true }, g] }, { tools: [F, G] }, 'tools.0.strict;dropped'],
    [{ tools: [f], format: { type: 'json' } }, { tools: [F] }, 'response_format;dropped'],
    [
      {
        tools: [
          {
            type: 'server',
            name: 'web_search',
            source: { protocol: 'openai-responses', json: {} },
          },
        ],
      },
      {},
      'tools.0;dropped',
    ],
  ])('%j are told', (more, members, lost) => {
    expect(told(more)).toEqual({ body: { model: 'command-a', messages: [HI], ...members }, lost })
  })
})

describe('a turn', () => {
  const text = (said: string): TextPart => ({ type: 'text', text: said })
  const call: Part = { type: 'tool_call', id: 'c', name: 'f', arguments: '' }
  const CALLED = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }
  const image = (data: { base64: string } | { url: string } | { fileId: string }): Part => ({
    type: 'media',
    media: 'image',
    data,
    ...('base64' in data && { mimeType: 'image/png' }),
    detail: 'low',
  })

  test.each<[Message, JsonValue[], string]>([
    [
      { role: 'system', parts: [text('Be brief.')] },
      [{ role: 'system', content: 'Be brief.' }],
      '',
    ],
    [
      { role: 'user', name: 'ann', parts: [text('a'), text('b')] },
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
      'messages.0.name;dropped',
    ],
    [
      { role: 'user', parts: [image({ base64: 'AAAA' }), image({ url: 'https://a.test/b.png' })] },
      [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
            { type: 'image_url', image_url: { url: 'https://a.test/b.png', detail: 'low' } },
          ],
        },
      ],
      '',
    ],
    [
      {
        role: 'user',
        parts: [
          text('Read.'),
          image({ fileId: 'file-1' }),
          { type: 'media', media: 'file', data: { text: 'A toll.' }, mimeType: 'text/plain' },
          { type: 'media', media: 'audio', data: { base64: 'AAAA' } },
        ],
      },
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Read.' },
            { type: 'text', text: 'A toll.' },
          ],
        },
      ],
      'messages.0.content.1;dropped, messages.0.content.2;rewritten, messages.0.content.3;dropped',
    ],
    [
      { role: 'assistant', parts: [text('I look.'), call] },
      [{ role: 'assistant', tool_plan: 'I look.', tool_calls: [CALLED] }],
      '',
    ],
    [
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'Hm.', signature: { maker: 'anthropic', value: 's' } },
          { type: 'reasoning', text: '', encrypted: { maker: 'openai', value: 'e' } },
          call,
          text('Done.'),
        ],
      },
      [
        {
          role: 'assistant',
          content: [{ type: 'thinking', thinking: 'Hm.' }],
          tool_plan: 'Done.',
          tool_calls: [CALLED],
        },
      ],
      'messages.0.content.0.signature;dropped, messages.0.content.1;dropped, messages.0;rewritten',
    ],
    [
      { role: 'assistant', parts: [{ type: 'refusal', text: 'No.' }] },
      [{ role: 'assistant', content: 'No.' }],
      'messages.0.content.0;rewritten',
    ],
    [
      {
        role: 'user',
        parts: [
          text('Here.'),
          { type: 'tool_result', callId: 'c', parts: [text('warm')], isError: true },
          { type: 'tool_result', callId: 'd', parts: [] },
        ],
      },
      [
        { role: 'tool', tool_call_id: 'c', content: 'warm' },
        { role: 'tool', tool_call_id: 'd', content: '' },
        { role: 'user', content: 'Here.' },
      ],
      'messages.0.content.1.is_error;dropped, messages.0;rewritten',
    ],
    [
      { role: 'assistant', parts: [{ ...call, isCustom: true, arguments: 'free text' }] },
      [
        {
          role: 'assistant',
          tool_calls: [{ ...CALLED, function: { name: 'f', arguments: '{"input":"free text"}' } }],
        },
      ],
      'messages.0.content.0;rewritten',
    ],
    [{ role: 'user', parts: [text('')] }, [], ''],
  ])('%j is told', (message, messages, lost) => {
    const { body, lost: reported } = told({ messages: [message] })
    expect(body.messages).toEqual(messages)
    expect(reported).toBe(lost)
  })
})
