import { describe, expect, test } from 'bun:test'
import type { ChatProtocolName, Generation, Reasoning } from '../generation'
import type { JsonValue } from '../json'
import { Losses, renderLosses } from '../losses'
import { parseGeneration } from './parse-request'
import { renderGeneration } from './render-request'

const OPUS_46 = 'us.anthropic.claude-opus-4-6-v1'
const OPUS_47 = 'global.anthropic.claude-opus-4-7'
const SONNET_45 = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'
const NOVA = 'us.amazon.nova-2-lite-v1:0'
const GPT = 'openai.gpt-oss-120b-1:0'
const LLAMA = 'meta.llama3-3-70b-instruct-v1:0'

function render(
  reasoning: Reasoning,
  model: string,
  given: Partial<Generation> = {},
  protocol: ChatProtocolName = 'anthropic-messages'
) {
  const losses = new Losses()
  const generation: Generation = {
    model: 'm',
    stream: false,
    includesUsage: false,
    messages: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
    tools: [],
    extras: {},
    source: { protocol, json: {} },
    reasoning,
    ...given,
  }
  const body = renderGeneration(generation, { model, stream: false }, losses)
  const again = parseGeneration(body, { model }).reasoning
  return { body, fields: body.additionalModelRequestFields, lost: renderLosses(losses.list), again }
}

const thinking = (type: string, more: object = {}) => ({ type, ...more })

describe('reasoning', () => {
  test.each<[Reasoning, string, JsonValue | undefined, string]>([
    [{ enabled: true }, OPUS_46, { thinking: thinking('adaptive') }, ''],
    [{ enabled: false }, OPUS_46, { thinking: thinking('disabled') }, ''],
    [
      { enabled: true, budgetTokens: 4000 },
      OPUS_46,
      { thinking: thinking('enabled', { budget_tokens: 4000 }) },
      '',
    ],
    [
      { enabled: true, effort: 'max', summary: 'auto' },
      OPUS_46,
      {
        thinking: thinking('adaptive', { display: 'summarized' }),
        output_config: { effort: 'max' },
      },
      '',
    ],
    [
      { enabled: true, summary: 'none' },
      OPUS_46,
      { thinking: thinking('adaptive', { display: 'omitted' }) },
      '',
    ],
    [{ effort: 'medium' }, OPUS_46, { output_config: { effort: 'medium' } }, ''],
    [{ effort: 'minimal' }, OPUS_46, { output_config: { effort: 'low' } }, 'reasoning;rewritten'],
    [{ effort: 'none' }, OPUS_46, { thinking: thinking('disabled') }, 'reasoning;rewritten'],
    [
      { budgetTokens: 100 },
      OPUS_46,
      { thinking: thinking('enabled', { budget_tokens: 1024 }) },
      'reasoning;rewritten',
    ],
    [
      { enabled: true, budgetTokens: 4096 },
      OPUS_47,
      { thinking: thinking('adaptive'), output_config: { effort: 'medium' } },
      'reasoning;rewritten',
    ],
    [{ enabled: false }, OPUS_47, undefined, 'reasoning;rewritten'],
    [
      { effort: 'high' },
      SONNET_45,
      { thinking: thinking('enabled', { budget_tokens: 16_384 }) },
      'reasoning;rewritten',
    ],
    [
      { enabled: true, effort: 'high' },
      NOVA,
      { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } },
      '',
    ],
    [
      { budgetTokens: 1000 },
      NOVA,
      { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'low' } },
      'reasoning;rewritten',
    ],
    [{ enabled: false }, NOVA, { reasoningConfig: { type: 'disabled' } }, ''],
    [{ effort: 'low' }, GPT, { reasoning_effort: 'low' }, ''],
    [{ effort: 'xhigh' }, GPT, { reasoning_effort: 'high' }, 'reasoning;rewritten'],
    [{ enabled: false }, GPT, undefined, 'reasoning;dropped'],
    [{ effort: 'low' }, LLAMA, undefined, 'reasoning;dropped'],
  ])('%j to %s is %j', (reasoning, model, fields, lost) => {
    const rendered = render(reasoning, model)
    expect(rendered.fields).toEqual(fields)
    expect(rendered.lost).toBe(lost)
    if (lost === '') expect(rendered.again).toEqual(reasoning)
  })

  test('an effort of a client of OpenAI switches thinking on, which is reported', () => {
    expect(render({ effort: 'high' }, OPUS_46, {}, 'openai-chat')).toMatchObject({
      fields: { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
      lost: 'reasoning;rewritten',
    })
  })

  test('leaves room for the answer', () => {
    const reasoning = { enabled: true, budgetTokens: 4000 }
    expect(render(reasoning, OPUS_46, { maxTokens: 2000 })).toMatchObject({
      fields: { thinking: { type: 'enabled', budget_tokens: 1999 } },
      lost: 'reasoning;rewritten',
    })
    expect(render(reasoning, OPUS_46, { maxTokens: 1000 })).toMatchObject({
      fields: undefined,
      lost: 'reasoning;rewritten',
    })
  })

  test('takes sampling and forced calls away where a model refuses them', () => {
    const { body, lost } = render({ enabled: true }, OPUS_46, {
      temperature: 0.2,
      topP: 0.5,
      topK: 3,
      tools: [{ type: 'function', name: 'f' }],
      toolChoice: { type: 'required' },
    })
    expect(body.inferenceConfig).toBeUndefined()
    expect(Object(body.toolConfig).toolChoice).toEqual({ auto: {} })
    expect(lost).toBe('tool_choice;rewritten, temperature;dropped, top_p;dropped, top_k;dropped')
    const kept = { temperature: 1, topP: 0.95 }
    expect(render({ enabled: true }, OPUS_46, kept).lost).toBe('')
  })

  test("Nova's highest effort sets its own limits", () => {
    const { body, lost } = render({ enabled: true, effort: 'high' }, NOVA, {
      maxTokens: 100,
      temperature: 0.5,
      topP: 0.5,
      stop: ['a'],
    })
    expect(body.inferenceConfig).toEqual({ stopSequences: ['a'] })
    expect(lost).toBe('max_tokens;dropped, temperature;dropped, top_p;dropped')
  })

  test('a budget is not asked for behind calls whose thoughts are gone', () => {
    const called = (signed: boolean): Partial<Generation> => ({
      tools: [{ type: 'function', name: 'f' }],
      messages: [
        { role: 'user', parts: [{ type: 'text', text: 'hi' }] },
        {
          role: 'assistant',
          parts: [
            {
              type: 'reasoning',
              text: 'hm',
              ...(signed && { signature: { maker: 'anthropic', value: 's' } }),
            },
            { type: 'tool_call', id: 'c', name: 'f', arguments: '{}' },
          ],
        },
        { role: 'user', parts: [{ type: 'tool_result', callId: 'c', name: 'f', parts: [] }] },
      ],
    })
    const reasoning = { enabled: true, budgetTokens: 2000 }
    expect(render(reasoning, SONNET_45, called(true)).lost).toBe('')
    expect(render(reasoning, SONNET_45, called(false))).toMatchObject({
      fields: undefined,
      lost: 'messages.1.content.0;dropped, reasoning;rewritten',
    })
  })

  test.each<[JsonValue, Reasoning | undefined, JsonValue | undefined]>([
    [
      { reasoning_config: { type: 'enabled', budget_tokens: 9 } },
      { enabled: true, budgetTokens: 9 },
      undefined,
    ],
    [{ output_config: { effort: 'xhigh' } }, { effort: 'xhigh' }, undefined],
    [{ reasoning_effort: 'low' }, { effort: 'low' }, undefined],
    [
      { thinking: { type: 'enabled', later: 1 } },
      undefined,
      { thinking: { type: 'enabled', later: 1 } },
    ],
    [{ output_config: { other: 1 } }, undefined, { output_config: { other: 1 } }],
  ])('in %j is %j', (fields, reasoning, rest) => {
    const body = { messages: [], additionalModelRequestFields: fields }
    const generation = parseGeneration(body, { model: 'm' })
    expect(generation.reasoning).toEqual(reasoning)
    expect(generation.extras.additionalModelRequestFields).toEqual(rest)
  })
})
