import type { Generation, Message, Part } from '../../src/protocols/generation'
import { Losses } from '../../src/protocols/losses'
import { FORMATS } from './formats'

/** What a client may say, each as the smallest request that says it. */
const user = (...parts: Part[]): Message => ({ role: 'user', parts })
const TEXT: Part = { type: 'text', text: 'Hi' }
const PNG: Part = {
  type: 'media',
  media: 'image',
  mimeType: 'image/png',
  data: { base64: 'iVBORw0KGgo=' },
}
const CALL: Part = {
  type: 'tool_call',
  id: 'call_1',
  name: 'weather',
  arguments: '{"city":"Oslo"}',
}
const OTHER_CALL: Part = { ...CALL, id: 'call_2' }
const RESULT: Part = {
  type: 'tool_result',
  callId: 'call_1',
  name: 'weather',
  parts: [{ type: 'text', text: 'rain' }],
}
const OTHER_RESULT: Part = { ...RESULT, callId: 'call_2' }
const TOOLS: Generation['tools'] = [
  {
    type: 'function',
    name: 'weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
]
const native = { protocol: 'openai-responses', json: { type: 'web_search' } } as const
const loop = (calls: Part[], results: Part[]): Partial<Generation> => ({
  tools: TOOLS,
  messages: [user(TEXT), { role: 'assistant', parts: calls }, user(...results)],
})
const thought = (more: Partial<Extract<Part, { type: 'reasoning' }>>): Partial<Generation> => ({
  messages: [
    user(TEXT),
    { role: 'assistant', parts: [{ type: 'reasoning', text: 'Hm.', ...more }, TEXT] },
    user(TEXT),
  ],
})

export const FEATURES: readonly [name: string, said: Partial<Generation>][] = [
  ['system turn', { messages: [{ role: 'system', parts: [TEXT] }, user(TEXT)] }],
  [
    'system turn between others',
    {
      messages: [
        user(TEXT),
        { role: 'assistant', parts: [TEXT] },
        { role: 'system', parts: [TEXT] },
        user(TEXT),
      ],
    },
  ],
  ['image, as data', { messages: [user(TEXT, PNG)] }],
  [
    'image, by address',
    {
      messages: [
        user(TEXT, { type: 'media', media: 'image', data: { url: 'https://example.com/a.png' } }),
      ],
    },
  ],
  [
    'PDF',
    {
      messages: [
        user(TEXT, {
          type: 'media',
          media: 'file',
          mimeType: 'application/pdf',
          data: { base64: 'JVBERi0=' },
        }),
      ],
    },
  ],
  [
    'sound',
    {
      messages: [
        user(TEXT, {
          type: 'media',
          media: 'audio',
          mimeType: 'audio/wav',
          data: { base64: 'UklGRg==' },
        }),
      ],
    },
  ],
  ['tools, and a call with its result', loop([CALL], [RESULT])],
  ['parallel calls', loop([CALL, OTHER_CALL], [RESULT, OTHER_RESULT])],
  ['a failed call', loop([CALL], [{ ...RESULT, isError: true }])],
  ['image in a result', loop([CALL], [{ ...RESULT, parts: [PNG] }])],
  ['forced choice of a tool', { tools: TOOLS, toolChoice: { type: 'tool', name: 'weather' } }],
  ['any tool, but one', { tools: TOOLS, toolChoice: { type: 'required' } }],
  ['no tool now', { tools: TOOLS, toolChoice: { type: 'none' } }],
  ['one call at a time', { tools: TOOLS, parallelToolCalls: false }],
  [
    'custom tool',
    {
      tools: [
        {
          type: 'custom',
          name: 'sql',
          source: { protocol: 'openai-chat', json: { type: 'custom', custom: { name: 'sql' } } },
        },
      ],
    },
  ],
  [
    'server-side tool of Responses',
    { tools: [{ type: 'server', name: 'web_search', source: native }] },
  ],
  [
    'answer by a JSON schema',
    { format: { type: 'schema', name: 'a', schema: { type: 'object' } } },
  ],
  ['answer as any JSON', { format: { type: 'json' } }],
  ['reasoning by effort', { reasoning: { effort: 'high' } }],
  ['reasoning by budget', { reasoning: { enabled: true, budgetTokens: 2_000 }, maxTokens: 9_000 }],
  ['reasoning off', { reasoning: { enabled: false } }],
  ['thoughts signed by Anthropic', thought({ signature: { maker: 'anthropic', value: 'c2ln' } })],
  ['thoughts signed by Google', thought({ signature: { maker: 'google', value: 'c2ln' } })],
  ['thoughts encrypted by OpenAI', thought({ encrypted: { maker: 'openai', value: 'ZW5j' } })],
  ['cache marks', { messages: [user({ ...TEXT, cache: {} })] }],
  ['temperature', { temperature: 0.5 }],
  ['temperature beyond 1', { temperature: 1.5 }],
  ['top p', { topP: 0.5 }],
  ['top k', { topK: 5 }],
  ['limit of tokens', { maxTokens: 100 }],
  ['stop sequences', { stop: ['END'] }],
  ['several answers', { choices: 2 }],
  ['log probabilities', { logprobs: true }],
  ['seed', { seed: 1 }],
  ['penalties', { frequencyPenalty: 0.5, presencePenalty: 0.5 }],
  ['end user', { user: 'u' }],
  ['metadata', { metadata: { team: 'a' } }],
  ['service tier', { serviceTier: 'flex' }],
  ['verbosity', { verbosity: 'low' }],
  ['prompt cache key', { promptCacheKey: 'k' }],
]

const MODEL = 'anthropic.claude-sonnet-4-5'

function verdict(said: Partial<Generation>, format: (typeof FORMATS)[number]): string {
  const losses = new Losses()
  format.chat.renderGeneration(
    {
      model: 'm',
      stream: false,
      includesUsage: true,
      messages: [user(TEXT)],
      tools: [],
      extras: {},
      // Of no format: nothing may be given back as it was.
      source: { protocol: 'openai-chat', json: null },
      ...said,
    },
    { model: MODEL, stream: false },
    losses
  )
  const kinds = losses.list.map(({ kind }) => kind)
  return (
    (['dropped', 'clamped', 'rewritten'] as const).find((kind) => kinds.includes(kind)) ?? 'yes'
  )
}

/** What each API can be told, as Markdown: a row for each feature, as the reports of the translations have it. */
export function renderFeatureTable(): string {
  const rows = FEATURES.map(([name, said]) =>
    [name].concat(FORMATS.map((format) => verdict(said, format)))
  )
  const lines = [['told to', ...FORMATS.map(({ dialect }) => `\`${dialect}\``)], ...rows]
  const widths = lines[0]?.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0))
  )
  const layOut = (line: string[]) =>
    `| ${line.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join(' | ')} |`
  const rule = `| ${widths?.map((width) => '-'.repeat(width)).join(' | ')} |`
  const [head = [], ...body] = lines
  return [layOut(head), rule, ...body.map(layOut)].join('\n')
}
