import { describe, expect, test } from 'bun:test'
import type { Generation, Message, Settings, Tool } from '../generation'
import type { JsonValue } from '../json'
import { call, CLAUDE, GPT, HI, LOOK, NOVA, render, result } from './fixtures/render'

describe('tools', () => {
  const spec = (name: string, more: object = {}) => ({
    toolSpec: { name, inputSchema: { json: { type: 'object' } }, ...more },
  })

  test.each<[Tool, JsonValue[], string]>([
    [{ type: 'function', name: 'f' }, [spec('f')], ''],
    [
      {
        type: 'function',
        name: 'f',
        description: 'does it',
        parameters: { type: 'object', properties: { a: { type: 'string' } } },
        strict: true,
        cache: {},
      },
      [
        {
          toolSpec: {
            name: 'f',
            description: 'does it',
            inputSchema: { json: { type: 'object', properties: { a: { type: 'string' } } } },
            strict: true,
          },
        },
        { cachePoint: { type: 'default' } },
      ],
      '',
    ],
    [
      { type: 'function', name: 'f', description: '', parameters: { properties: {} } },
      [{ toolSpec: { name: 'f', inputSchema: { json: { type: 'object', properties: {} } } } }],
      'tools.0.description;dropped, tools.0.parameters;rewritten',
    ],
    [
      { type: 'server', name: 'web_search', source: { protocol: 'anthropic-messages', json: {} } },
      [],
      'tools.0;dropped',
    ],
  ])('%j', (tool, tools, lost) => {
    const rendered = render({ tools: [tool] })
    expect(rendered.body.toolConfig).toEqual(tools.length > 0 ? { tools } : undefined)
    expect(rendered.lost).toBe(lost)
  })

  test.each<[Settings['toolChoice'], JsonValue | undefined, string]>([
    [undefined, undefined, ''],
    [{ type: 'auto' }, { auto: {} }, ''],
    [{ type: 'required' }, { any: {} }, ''],
    [{ type: 'tool', name: 'f' }, { tool: { name: 'f' } }, ''],
    [{ type: 'tool', name: 'none' }, undefined, 'tool_choice;dropped'],
    [
      { type: 'allowed', names: ['f'], mode: 'required' },
      { any: {} },
      'tool_choice;rewritten, tools.1;dropped',
    ],
    [{ type: 'allowed', names: ['f', 'g'], mode: 'auto' }, { auto: {} }, 'tool_choice;rewritten'],
  ])('the choice %j is %j', (toolChoice, rendered, lost) => {
    const tools: Tool[] = [
      { type: 'function', name: 'f' },
      { type: 'function', name: 'g' },
    ]
    const { body, lost: reported } = render({ tools, toolChoice })
    expect(Object(body.toolConfig).toolChoice).toEqual(rendered)
    expect(reported).toBe(lost)
  })

  test('no choice at all is said by silence about the tools', () => {
    const { body, lost } = render({ tools: [LOOK], toolChoice: { type: 'none' } })
    expect(body.toolConfig).toBeUndefined()
    expect(lost).toBe('tool_choice;rewritten, tools;dropped')
  })

  const CALLED: Message[] = [
    HI,
    { role: 'assistant', parts: [call('c')] },
    { role: 'user', parts: [result('c')] },
  ]

  test('but where tools were called they must be told', () => {
    const { body, lost } = render({ tools: [LOOK], toolChoice: { type: 'none' }, messages: CALLED })
    expect(body.toolConfig).toEqual({
      tools: [
        { toolSpec: { name: 'look', inputSchema: { json: { type: 'object', properties: {} } } } },
      ],
    })
    expect(lost).toBe('tool_choice;rewritten')
  })

  test('even where the client tells none any more', () => {
    const { body, lost } = render({ messages: CALLED })
    expect(body.toolConfig).toEqual({ tools: [spec('look')] })
    expect(lost).toBe('tools;rewritten')
  })

  test("calls one by one are asked for in Anthropic's words", () => {
    const given = { tools: [LOOK], parallelToolCalls: false }
    const { body, lost, again } = render({ ...given, toolChoice: { type: 'required' } })
    expect(body.additionalModelRequestFields).toEqual({
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
    })
    expect(Object(body.toolConfig).toolChoice).toBeUndefined()
    expect([again.toolChoice, again.parallelToolCalls]).toEqual([{ type: 'required' }, false])
    expect(lost).toBe('')
    expect(render(given).lost).toBe('tool_choice;rewritten')
    expect(render(given, NOVA).lost).toBe('parallel_tool_calls;dropped')
  })
})

describe('settings', () => {
  test('that every model knows are read back as they were', () => {
    const settings: Partial<Generation> = {
      maxTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      stop: ['END'],
      metadata: { team: 'a' },
      serviceTier: 'flex',
      format: { type: 'schema', schema: { type: 'object' }, name: 'n', description: 'd' },
    }
    const { body, again, lost } = render(settings)
    expect(lost).toBe('')
    expect(again).toMatchObject(settings)
    expect(body.outputConfig).toEqual({
      textFormat: {
        type: 'json_schema',
        structure: { jsonSchema: { schema: '{"type":"object"}', name: 'n', description: 'd' } },
      },
    })
  })

  test.each<[Partial<Generation>, string]>([
    [{ temperature: 1.5 }, 'temperature;clamped'],
    [{ topP: -1 }, 'top_p;clamped'],
    [{ stop: ['a', ''] }, 'stop;dropped'],
    [{ seed: 1 }, 'seed;dropped'],
    [{ frequencyPenalty: 0 }, 'frequency_penalty;dropped'],
    [{ presencePenalty: 1 }, 'presence_penalty;dropped'],
    [{ choices: 2 }, 'n;dropped'],
    [{ choices: 1 }, ''],
    [{ logprobs: true, topLogprobs: 2 }, 'logprobs;dropped, top_logprobs;dropped'],
    [{ modalities: ['text', 'audio'] }, 'modalities;dropped'],
    [{ audio: { voice: 'v', format: 'wav' } }, 'audio;dropped'],
    [{ verbosity: 'low' }, 'verbosity;dropped'],
    [{ user: 'u' }, 'user;dropped'],
    [{ store: true }, 'store;dropped'],
    [{ promptCacheKey: 'k' }, 'prompt_cache_key;dropped'],
    [{ parallelToolCalls: true }, 'parallel_tool_calls;dropped'],
    [{ toolChoice: { type: 'auto' } }, 'tool_choice;dropped'],
    [{ format: { type: 'json' } }, 'response_format;dropped'],
    [{ format: { type: 'schema', schema: {}, strict: true } }, 'response_format.strict;dropped'],
    [{ metadata: { 'no!': 'x' } }, 'metadata;dropped'],
    [{ serviceTier: 'standard_only' }, 'service_tier;rewritten'],
    [{ serviceTier: 'auto' }, 'service_tier;dropped'],
    [{ extras: { logit_bias: {} } }, 'logit_bias;dropped'],
  ])('%j is reported', (given, lost) => {
    expect(render(given).lost).toBe(lost)
  })

  test.each([
    [NOVA, { inferenceConfig: { topK: 5 } }, ''],
    [CLAUDE, { top_k: 5 }, ''],
    [GPT, undefined, 'top_k;dropped'],
  ])('top_k to %s is %j', (model, fields, lost) => {
    const rendered = render({ topK: 5 }, model)
    expect(rendered.body.additionalModelRequestFields).toEqual(fields)
    expect(rendered.lost).toBe(lost)
  })

  test('stop sequences are nothing to gpt-oss', () => {
    expect(render({ stop: ['a'] }, GPT)).toMatchObject({ lost: 'stop;dropped' })
  })
})
