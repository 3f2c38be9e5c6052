import { describe, expect, test } from 'bun:test'

import type { Generation, Settings, Tool } from '../generation'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { geminiCount } from './count'
import { foreign, render } from './fixtures/generation'

describe('tools', () => {
  const tool = (members: object): Tool => ({ type: 'function', name: 'f', ...members })
  const native = { protocol: 'openai-responses' as const, json: { type: 'web_search' } }

  test('are functions in one entry, and those of Google beside it', () => {
    const parameters = { type: 'object', properties: { a: { type: 'string' } } }
    const closed = { ...parameters, additionalProperties: false }
    const { body, lost } = render({
      tools: [
        tool({ description: 'd', parameters }),
        {
          type: 'server',
          name: 'googleSearch',
          source: { protocol: 'gemini', json: { googleSearch: {} } },
        },
        tool({ name: 'g', parameters: closed, strict: true, cache: {} }),
        tool({ name: 'h' }),
        { type: 'server', name: 'web_search', source: native },
        { type: 'custom', name: 'shell', source: native },
      ],
    })
    expect(body.tools).toEqual([
      {
        functionDeclarations: [
          { name: 'f', description: 'd', parameters },
          { name: 'g', parametersJsonSchema: closed },
          { name: 'h' },
        ],
      },
      { googleSearch: {} },
    ])
    expect(lost).toEqual([
      'tools.2.cache_control dropped',
      'tools.2.strict dropped',
      'tools.4 dropped',
      'tools.5 dropped',
    ])
  })

  test.each<[Generation['toolChoice'], JsonObject | undefined, string[]]>([
    [{ type: 'auto' }, { mode: 'AUTO' }, []],
    [{ type: 'none' }, { mode: 'NONE' }, []],
    [{ type: 'required' }, { mode: 'ANY' }, []],
    [{ type: 'tool', name: 'f' }, { mode: 'ANY', allowedFunctionNames: ['f'] }, []],
    [{ type: 'tool', name: 'x' }, undefined, ['tool_choice dropped']],
    [
      { type: 'allowed', names: ['f', 'g'], mode: 'auto' },
      { mode: 'VALIDATED', allowedFunctionNames: ['f', 'g'] },
      [],
    ],
    [
      { type: 'allowed', names: ['f', 'x'], mode: 'required' },
      { mode: 'ANY', allowedFunctionNames: ['f'] },
      ['tool_choice rewritten'],
    ],
  ])('are chosen: %j', (toolChoice, functionCallingConfig, losses) => {
    const { body, lost } = render({ toolChoice, tools: [tool({}), tool({ name: 'g' })] })
    expect(body.toolConfig).toEqual(functionCallingConfig && { functionCallingConfig })
    expect(lost).toEqual(losses)
  })

  test('that are none can not be chosen', () => {
    const { body, lost } = render({ toolChoice: { type: 'required' } })
    expect(body.toolConfig).toBeUndefined()
    expect(lost).toEqual(['tool_choice dropped'])
  })
})

describe('settings', () => {
  test.each<[string, Omit<Settings, 'extras'>, JsonObject, string[]]>([
    [
      'numbers',
      { maxTokens: 5, temperature: 0, topP: 1, topK: 3 },
      { maxOutputTokens: 5, temperature: 0, topP: 1, topK: 3 },
      [],
    ],
    [
      'penalties',
      { frequencyPenalty: 2, presencePenalty: -1 },
      { frequencyPenalty: 1.99, presencePenalty: -1 },
      ['frequency_penalty clamped'],
    ],
    ['heat', { temperature: 3 }, { temperature: 2 }, ['temperature clamped']],
    ['a long seed', { seed: 2 ** 40 }, { seed: 2 ** 31 - 1 }, ['seed clamped']],
    [
      'many stops',
      { stop: ['a', 'b', 'c', 'd', 'e', 'f'] },
      { stopSequences: ['a', 'b', 'c', 'd', 'e'] },
      ['stop clamped'],
    ],
    ['many choices', { choices: 9 }, { candidateCount: 8 }, ['n clamped']],
    ['logprobs', { logprobs: true, topLogprobs: 2 }, { responseLogprobs: true, logprobs: 2 }, []],
    ['JSON', { format: { type: 'json' } }, { responseMimeType: 'application/json' }, []],
    ['text', { format: { type: 'text' } }, { responseMimeType: 'text/plain' }, []],
    [
      'a schema',
      { format: { type: 'schema', name: 'n', strict: true, schema: { type: 'string' } } },
      { responseMimeType: 'application/json', responseSchema: { title: 'n', type: 'string' } },
      [],
    ],
    [
      'a schema beyond the subset',
      { format: { type: 'schema', schema: { $ref: '#/a' } } },
      { responseMimeType: 'application/json', responseJsonSchema: { $ref: '#/a' } },
      [],
    ],
    [
      'a schema with a title and a name',
      { format: { type: 'schema', name: 'n', schema: { title: 't', type: 'string' } } },
      { responseMimeType: 'application/json', responseSchema: { title: 't', type: 'string' } },
      ['response_format rewritten'],
    ],
    [
      'modalities',
      { modalities: ['text', 'image'] },
      { responseModalities: ['TEXT', 'IMAGE'] },
      [],
    ],
  ])('%s', (_, settings, generationConfig, losses) => {
    const { body, lost } = render(settings)
    expect(body.generationConfig).toEqual(generationConfig)
    expect(lost).toEqual(losses)
  })

  test.each<[string, Settings['reasoning'], JsonObject | undefined, boolean]>([
    [
      'gemini-2.5-pro',
      { enabled: true, budgetTokens: 100, summary: 'auto' },
      { thinkingBudget: 100, includeThoughts: true },
      false,
    ],
    [
      'gemini-2.5-pro',
      { enabled: true, budgetTokens: 100 },
      { thinkingBudget: 100, includeThoughts: true },
      true,
    ],
    ['gemini-2.5-pro', { enabled: false }, { thinkingBudget: 0 }, false],
    [
      'gemini-2.5-pro',
      { enabled: true, summary: 'none' },
      { thinkingBudget: -1, includeThoughts: false },
      false,
    ],
    ['gemini-2.5-pro', { effort: 'medium' }, { thinkingBudget: 8192 }, true],
    ['gemini-3-pro', { effort: 'medium' }, { thinkingLevel: 'MEDIUM' }, false],
    ['gemini-3-pro', { effort: 'xhigh' }, { thinkingLevel: 'HIGH' }, true],
    ['gemini-3-pro', { effort: 'none' }, { thinkingLevel: 'MINIMAL' }, true],
    ['gemini-3-pro', { enabled: false }, { thinkingLevel: 'MINIMAL' }, true],
    ['gemini-3-pro', { summary: 'detailed' }, { includeThoughts: true }, true],
    ['gemini-3-pro', { effort: 'constructor' }, undefined, true],
    ['gemini-2.5-pro', { effort: 'constructor' }, { thinkingBudget: -1 }, true],
  ])('%s thinks: %j', (model, reasoning, thinkingConfig, isRewritten) => {
    const { body, lost } = render({ reasoning }, model)
    expect(body.generationConfig).toEqual(thinkingConfig && { thinkingConfig })
    expect(lost).toEqual(isRewritten ? ['reasoning rewritten'] : [])
  })

  test.each<[Partial<Generation>, string]>([
    [{ parallelToolCalls: false }, 'parallel_tool_calls dropped'],
    [{ audio: { voice: 'a', format: 'wav' } }, 'audio dropped'],
    [{ verbosity: 'low' }, 'verbosity dropped'],
    [{ user: 'u' }, 'user dropped'],
    [{ metadata: {} }, 'metadata dropped'],
    [{ promptCacheKey: 'k' }, 'prompt_cache_key dropped'],
    [{ extras: { logit_bias: {} } }, 'logit_bias dropped'],
    [{ serviceTier: 'scale' }, 'service_tier dropped'],
    [{ serviceTier: 'default' }, 'service_tier rewritten'],
  ])('that can not be said are told: %j', (members, loss) => {
    const { body, lost } = render(members)
    expect(lost).toEqual([loss])
    expect(body.generationConfig).toBeUndefined()
  })

  test('that stand at the top', () => {
    expect(render({ serviceTier: 'flex', store: false }).body).toMatchObject({
      serviceTier: 'flex',
      store: false,
    })
  })
})

describe('the question of how many tokens', () => {
  const ask = (generation: Generation) =>
    geminiCount.renderRequest(generation, { model: 'x', stream: false }, new Losses())
  const contents = [{ role: 'user', parts: [{ text: 'hi' }] }]

  test('holds the turns alone, or the whole request', () => {
    expect(ask(foreign())).toEqual({ contents })
    expect(ask(foreign({ tools: [{ type: 'function', name: 'f' }] }))).toEqual({
      generateContentRequest: {
        model: 'models/x',
        contents,
        tools: [{ functionDeclarations: [{ name: 'f' }] }],
      },
    })
  })

  test('is answered by a number', () => {
    expect(geminiCount.path({ model: 'x', baseUrl: 'https://h' })).toBe(
      '/v1beta/models/x:countTokens'
    )
    expect(geminiCount.parse(geminiCount.render(7))).toBe(7)
    expect(geminiCount.parse({ other: 1 })).toBeUndefined()
  })
})
