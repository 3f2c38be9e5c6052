import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { parseGeneration } from './parse-request'
import { renderGeneration } from './render-request'

const route = { model: 'anthropic.claude-sonnet-4-6', stream: false }

/** Bodies with members in unusual orders, and members and blocks that nobody knows. */
const BODIES: [string, JsonObject][] = [
  ['nothing but messages', { messages: [{ content: [{ text: 'hi' }], role: 'user' }] }],
  ['an empty list of messages', { messages: [], system: [] }],
  ['a stored prompt', { promptVariables: { topic: { text: 'tea' } } }],
  [
    'system blocks with a guard and cache points',
    {
      system: [
        { text: 'Be brief.' },
        { cachePoint: { ttl: '1h', type: 'default' } },
        { guardContent: { text: { text: 'rules', qualifiers: ['guard_content'] } } },
        { cachePoint: { type: 'default' } },
      ],
      messages: [{ role: 'user', content: [{ cachePoint: { type: 'default' } }, { text: '' }] }],
    },
  ],
  [
    'every kind of block',
    {
      messages: [
        {
          role: 'user',
          content: [
            { image: { source: { bytes: 'iVBORw0KGgo=' }, format: 'png' } },
            {
              image: {
                format: 'jpeg',
                source: { s3Location: { uri: 's3://b/k', bucketOwner: '1' } },
              },
            },
            {
              document: {
                name: 'Report (final)',
                format: 'pdf',
                source: { bytes: 'JVBERi0=' },
                citations: { enabled: true },
                context: 'of last year',
              },
            },
            { document: { name: 'notes', source: { content: [{ text: 'a' }, { text: 'b' }] } } },
            { video: { format: 'three_gp', source: { bytes: 'AAAA' } } },
            { audio: { format: 'wav', source: { bytes: 'UklGRg==' } } },
            { searchResult: { source: 'x', title: 'y', content: [{ text: 'z' }] } },
            { text: 'what is this?' },
            { cachePoint: { type: 'default', ttl: '5m' } },
            { cachePoint: { type: 'default' } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { reasoningContent: { reasoningText: { signature: 'sig', text: 'let me see' } } },
            { reasoningContent: { redactedContent: 'cmVkYWN0ZWQ=' } },
            { citationsContent: { citations: [{ title: 't' }], content: [{ text: 'cited' }] } },
            { toolUse: { name: 'look', input: { b: 1, a: [2] }, toolUseId: 'c1' } },
            { toolUse: { type: 'server_tool_use', toolUseId: 's1', name: 'ground', input: {} } },
          ],
        },
        {
          role: 'user',
          content: [
            {
              toolResult: {
                content: [{ json: { ok: true } }, { text: 'fine' }, { mystery: 1 }],
                toolUseId: 'c1',
                status: 'success',
              },
            },
            { toolResult: { toolUseId: 's1', type: 'grounding_result', content: [] } },
          ],
        },
        { role: 'system', content: [{ text: 'and now in French' }] },
        { role: 'user', content: [{ brandNew: { of: 'kind' } }] },
      ],
      toolConfig: {
        toolChoice: { tool: { name: 'look' } },
        tools: [
          { toolSpec: { inputSchema: { json: { type: 'object' } }, name: 'look', strict: true } },
          { cachePoint: { type: 'default' } },
          { systemTool: { name: 'nova_grounding' } },
        ],
        later: 1,
      },
    },
  ],
  [
    'every setting',
    {
      serviceTier: { type: 'flex' },
      requestMetadata: { team: 'a' },
      outputConfig: {
        effort: 'low',
        textFormat: {
          structure: { jsonSchema: { name: 'n', schema: '{ "type": "object" }' } },
          type: 'json_schema',
        },
      },
      guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: '1', trace: 'enabled' },
      performanceConfig: { latency: 'optimized' },
      additionalModelResponseFieldPaths: ['/stop_sequence'],
      additionalModelRequestFields: {
        top_k: 5,
        thinking: { budget_tokens: 2048, type: 'enabled' },
        anthropic_beta: ['x'],
        inferenceConfig: { topK: 3, other: 1 },
      },
      inferenceConfig: { stopSequences: [], topP: 0.5, maxTokens: 4000, temperature: 0, minP: 1 },
      messages: [{ role: 'user', content: [{ text: 'hi' }] }],
    },
  ],
]

describe('a body of Converse told to Converse', () => {
  test.each(BODIES)('is the same, %s, with its order', (_what, body) => {
    const losses = new Losses()
    const before = JSON.stringify(body)
    const generation = parseGeneration(body, route)
    const rendered = renderGeneration(generation, { model: 'other', stream: true }, losses)
    expect(JSON.stringify(rendered)).toBe(before)
    expect(losses.list).toEqual([])
    expect(JSON.stringify(body)).toBe(before)
  })

  const [, [, rich]] = [BODIES[0], BODIES[4] ?? ['', {}]]

  test('changes only the part that was edited', () => {
    const generation = parseGeneration(rich, route)
    const [user] = generation.messages
    const part = user?.parts.at(-2)
    if (part?.type !== 'text') throw new Error('the text was to be here')
    part.text = 'what is ████?'
    part.source = undefined
    const rendered = renderGeneration(generation, { model: 'm', stream: false }, new Losses())
    expect(JSON.stringify(rendered)).toBe(
      JSON.stringify(rich).replace('what is this?', 'what is ████?')
    )
  })

  test('a cache mark that was taken away is gone, one that was set is there', () => {
    const body: JsonObject = {
      messages: [
        {
          role: 'user',
          content: [{ text: 'a' }, { cachePoint: { type: 'default' } }, { text: 'b' }],
        },
      ],
    }
    const generation = parseGeneration(body, route)
    const [first, second] = generation.messages[0]?.parts ?? []
    if (!first || !second) throw new Error('there were to be two parts')
    first.cache = undefined
    second.cache = { ttl: '1h' }
    expect(renderGeneration(generation, { model: 'm', stream: false }, new Losses())).toEqual({
      messages: [
        {
          role: 'user',
          content: [{ text: 'a' }, { text: 'b' }, { cachePoint: { type: 'default', ttl: '1h' } }],
        },
      ],
    })
  })

  test('a setting that was edited is told, and the others with it', () => {
    const body: JsonObject = {
      guardrailConfig: { trace: 'enabled' },
      inferenceConfig: { maxTokens: 9, minP: 1 },
      messages: [{ role: 'user', content: [{ text: 'hi' }] }],
    }
    const generation = { ...parseGeneration(body, route), maxTokens: 5, seed: 1 }
    const losses = new Losses()
    expect(renderGeneration(generation, { model: 'm', stream: false }, losses)).toEqual({
      ...body,
      inferenceConfig: { maxTokens: 5, minP: 1 },
    })
    expect(losses.list).toEqual([{ field: 'seed', kind: 'dropped' }])
  })

  test('a tool that was added stands behind the others', () => {
    const body: JsonObject = {
      messages: [{ role: 'user', content: [{ text: 'hi' }] }],
      toolConfig: { tools: [{ systemTool: { name: 's' } }], toolChoice: { auto: {} } },
    }
    const generation = parseGeneration(body, route)
    generation.tools.push({ type: 'function', name: 'f' })
    expect(renderGeneration(generation, { model: 'm', stream: false }, new Losses())).toEqual({
      ...body,
      toolConfig: {
        tools: [
          { systemTool: { name: 's' } },
          { toolSpec: { name: 'f', inputSchema: { json: { type: 'object' } } } },
        ],
        toolChoice: { auto: {} },
      },
    })
  })
})

describe('a body that the format refuses', () => {
  test.each<[string, JsonObject]>([
    ['messages', { messages: 'hi' }],
    ['messages.0', { messages: ['hi'] }],
    ['messages.0.role', { messages: [{ role: 'tool', content: [] }] }],
    ['messages.0.content', { messages: [{ role: 'user', content: 'hi' }] }],
    ['messages.1.content.0', { messages: [{ role: 'user' }, { role: 'user', content: ['hi'] }] }],
    ['system', { system: 'Be brief.' }],
    ['system.0', { system: ['Be brief.'] }],
    ['toolConfig.tools.0', { toolConfig: { tools: [1] } }],
    ['inferenceConfig.maxTokens', { inferenceConfig: { maxTokens: '5' } }],
    ['inferenceConfig.temperature', { inferenceConfig: { temperature: {} } }],
    ['inferenceConfig.stopSequences', { inferenceConfig: { stopSequences: ['a', 1] } }],
  ])('is refused by its field: %s', (param, body) => {
    expect(() => parseGeneration(body, route)).toThrow(
      expect.objectContaining({ code: 'invalid_request', param })
    )
  })
})
