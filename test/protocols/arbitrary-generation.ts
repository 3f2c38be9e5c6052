import * as fc from 'fast-check'
import type { Generation, Message, Part, Signature, Tool } from '../../src/protocols/generation'

/** A PNG of one pixel, a PDF's and a WAV's first bytes: nobody here looks further. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const PDF = 'JVBERi0xLjQK'
const WAV = 'UklGRiQAAABXQVZF'

const words = fc
  .array(
    fc.constantFrom('toll', 'gate', 'Ünï', '税関', '🛃', 'a "quoted" \\ line\n', '{"json":1}'),
    {
      minLength: 1,
      maxLength: 4,
    }
  )
  .map((list) => list.join(' '))

const text = words.map((said): Part => ({ type: 'text', text: said }))

const asked = fc.oneof(
  { weight: 4, arbitrary: text },
  fc.constantFrom<Part>(
    { type: 'media', media: 'image', mimeType: 'image/png', data: { base64: PNG } },
    { type: 'media', media: 'image', data: { url: 'https://example.com/a.png' } },
    {
      type: 'media',
      media: 'file',
      mimeType: 'application/pdf',
      name: 'a.pdf',
      data: { base64: PDF },
    },
    { type: 'media', media: 'audio', mimeType: 'audio/wav', data: { base64: WAV } }
  )
)

const signature = fc.constantFrom<Signature | undefined>(
  undefined,
  { maker: 'anthropic', value: 'c2lnbmVkYQ==' },
  { maker: 'google', value: 'c2lnbmVkZw==' },
  { maker: 'openai', value: 'c2lnbmVkbw==' }
)

const thought = fc.record({ said: words, signed: signature }).map(({ said, signed }): Part => {
  const part: Part = { type: 'reasoning', text: said }
  if (signed) part.signature = signed
  return part
})

const NAMES = ['weather', 'search_files', 'add']
const callArguments = fc.constantFrom('{}', '{"city":"Oslo"}', '{"n":1.5,"list":[1,{"a":null}]}')

/** A user's turn and the model's; calls are answered in the turn after. */
const round = fc.record({
  asks: fc.array(asked, { minLength: 1, maxLength: 3 }),
  thinks: fc.option(thought, { nil: undefined }),
  says: fc.option(words, { nil: undefined }),
  calls: fc.array(
    fc.record({
      name: fc.constantFrom(...NAMES),
      input: callArguments,
      result: words,
      failed: fc.boolean(),
    }),
    { maxLength: 2 }
  ),
})

type Round = typeof round extends fc.Arbitrary<infer R> ? R : never

function toTurns(rounds: readonly Round[]): Message[] {
  const turns: Message[] = []
  rounds.forEach(({ asks, thinks, says, calls }, number) => {
    turns.push({ role: 'user', parts: asks })
    const answer: Part[] = []
    if (thinks) answer.push(thinks)
    if (says !== undefined || calls.length === 0)
      answer.push({ type: 'text', text: says ?? 'Yes.' })
    const results: Part[] = []
    calls.forEach(({ name, input, result, failed }, index) => {
      const id = `call_${number}_${index}`
      answer.push({ type: 'tool_call', id, name, arguments: input })
      results.push({
        type: 'tool_result',
        callId: id,
        name,
        parts: [{ type: 'text', text: result }],
        ...(failed && { isError: true }),
      })
    })
    turns.push({ role: 'assistant', parts: answer })
    if (results.length > 0) turns.push({ role: 'user', parts: results })
  })
  turns.push({ role: 'user', parts: [{ type: 'text', text: 'And now?' }] })
  return turns
}

const TOOLS: Tool[] = NAMES.map((name) => ({
  type: 'function',
  name,
  description: `The tool ${name}.`,
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' }, n: { type: 'number' } },
    required: ['city'],
  },
}))

const SCHEMA = {
  type: 'object',
  properties: { answer: { type: 'string' } },
  required: ['answer'],
  additionalProperties: false,
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

const settings = fc.record({
  maxTokens: maybe(fc.integer({ min: 2_000, max: 60_000 })),
  temperature: maybe(fc.constantFrom(0, 0.5, 1, 1.5)),
  topP: maybe(fc.constantFrom(0.1, 0.9)),
  topK: maybe(fc.constantFrom(1, 40)),
  frequencyPenalty: maybe(fc.constantFrom(-1, 0.5)),
  presencePenalty: maybe(fc.constantFrom(-1, 0.5)),
  seed: maybe(fc.nat(1_000)),
  stop: maybe(fc.constantFrom<string[]>(['END'], ['a', 'b'])),
  choices: maybe(fc.constantFrom(1, 2)),
  logprobs: maybe(fc.constant(true)),
  user: maybe(fc.constant('user-1')),
  serviceTier: maybe(fc.constantFrom('auto', 'flex')),
  verbosity: maybe(fc.constantFrom('low', 'high')),
  promptCacheKey: maybe(fc.constant('prefix-1')),
  metadata: maybe(fc.constant({ team: 'a' })),
  parallelToolCalls: maybe(fc.boolean()),
  toolChoice: maybe(
    fc.constantFrom<Generation['toolChoice']>(
      { type: 'auto' },
      { type: 'none' },
      { type: 'required' },
      { type: 'tool', name: 'weather' }
    )
  ),
  format: maybe(
    fc.constantFrom<Generation['format']>(
      { type: 'json' },
      { type: 'schema', name: 'answer', schema: SCHEMA, strict: true }
    )
  ),
  reasoning: maybe(
    fc.constantFrom<Generation['reasoning']>(
      { effort: 'low' },
      { effort: 'high' },
      { enabled: true, budgetTokens: 1_500 },
      { enabled: false }
    )
  ),
})

/** Any conversation with tools, media and settings, in no format yet. */
export const generations: fc.Arbitrary<Generation> = fc
  .record({
    system: fc.option(words, { nil: undefined }),
    rounds: fc.array(round, { maxLength: 3 }),
    settings,
    stream: fc.boolean(),
  })
  .map(({ system, rounds, settings: set, stream }) => {
    const usesTools = rounds.some(({ calls }) => calls.length > 0)
    const generation: Generation = {
      model: 'm',
      stream,
      includesUsage: true,
      messages: toTurns(rounds),
      tools: usesTools ? TOOLS : [],
      extras: {},
      source: { protocol: 'openai-chat', json: null },
    }
    if (system !== undefined)
      generation.messages.unshift({ role: 'system', parts: [{ type: 'text', text: system }] })
    Object.assign(generation, set)
    // A tool can only be chosen where there is one.
    if (!usesTools) {
      generation.toolChoice = undefined
      generation.parallelToolCalls = undefined
    }
    return generation
  })
