import { describe, expect, test } from 'bun:test'
import { accumulate } from '../protocols/accumulate'
import type { Generation, Message, Tool } from '../protocols/generation'
import { ObjectStore } from './object-store'
import { scriptAnswer, type ScriptStyle } from './scripted-answer'
import { scriptedSteps, scriptedWhole } from './scripted-events'

const STYLE: ScriptStyle = {
  maker: 'google',
  idPrefix: 'id-',
  callPrefix: 'call-',
  signs: 'what-follows',
}

const user = (text: string): Message => ({ role: 'user', parts: [{ type: 'text', text }] })
const tool = (name: string): Tool => ({ type: 'function', name, parameters: {} })
const TOOLS = [tool('first'), tool('second'), tool('third')]

function generation(changes: Partial<Generation> = {}): Generation {
  return {
    model: 'sim-1',
    stream: false,
    includesUsage: true,
    messages: [user('Hi')],
    tools: [],
    extras: {},
    source: { protocol: 'gemini', json: {} },
    ...changes,
  }
}

function script(changes: Partial<Generation> = {}, tokens?: number) {
  const quirks = { usage: 'given', refusesStreamOptions: false, filler: undefined } as const
  const none = { form: undefined, objects: new ObjectStore(), credential: '' }
  const call = { pathname: '/', body: {}, model: 'sim-1', tokens, quirks, ...none }
  return scriptAnswer(generation(changes), call, STYLE)
}

/** The whole answer to a request that can be answered. */
function answer(changes: Partial<Generation> = {}) {
  const scripted = script(changes)
  if (!scripted) throw new Error('the request was refused')
  return scriptedWhole(scripted)
}

function calledNames(changes: Partial<Generation>): string[] {
  const parts = answer({ tools: TOOLS, ...changes }).choices[0]?.parts ?? []
  return parts.flatMap((part) => (part.type === 'tool_call' ? [part.name] : []))
}

test.each<[string, Partial<Generation>]>([
  ['a text', {}],
  ['thoughts', { reasoning: { effort: 'high' } }],
  ['two calls', { tools: TOOLS, messages: [user('twice')], reasoning: { enabled: true } }],
  ['several choices', { choices: 3 }],
  ['a cut text', { maxTokens: 2 }],
])('%s: the events come to the whole answer', (_, changes) => {
  const scripted = script(changes)
  if (!scripted) throw new Error('the request was refused')
  const events = [...scriptedSteps(scripted)].flatMap((step) => step.events)
  expect(accumulate(events)).toEqual(scriptedWhole(scripted))
  const paced = [...scriptedSteps(scripted)].reduce((sum, { tokens }) => sum + tokens, 0)
  expect(scriptedWhole(scripted).usage?.outputTokens).toBe(paced)
})

describe('tools', () => {
  test.each<[string, Partial<Generation>, string[]]>([
    ['the first', {}, ['first']],
    ['the first two when asked', { messages: [user('in parallel')] }, ['first', 'second']],
    [
      'one where several may not be',
      { messages: [user('in parallel')], parallelToolCalls: false },
      ['first'],
    ],
    ['none', { toolChoice: { type: 'none' } }, []],
    ['the one that must be', { toolChoice: { type: 'tool', name: 'second' } }, ['second']],
    [
      'one of those allowed',
      { toolChoice: { type: 'allowed', names: ['third'], mode: 'auto' } },
      ['third'],
    ],
    [
      'no tool of the provider',
      { tools: [{ type: 'server', name: 'search', source: generation().source }] },
      [],
    ],
  ])('%s', (_, changes, names) => {
    expect(calledNames(changes)).toEqual(names)
  })

  test('a forced one that is not there refuses the request', () => {
    expect(script({ tools: TOOLS, toolChoice: { type: 'tool', name: 'none' } })).toBeUndefined()
  })

  test('only the first call of an answer is signed', () => {
    const { parts } = answer({ tools: TOOLS, messages: [user('twice')] }).choices[0] ?? {}
    expect(parts?.map((part) => 'signature' in part)).toEqual([true, false])
  })

  test('a custom tool is given text', () => {
    const source = { protocol: 'openai-responses', json: {} } as const
    const { choices } = answer({ tools: [{ type: 'custom', name: 'patch', source }] })
    expect(choices[0]?.parts).toMatchObject([{ isCustom: true, arguments: 'simulated input' }])
  })

  test('a result is quoted, also where the user says more behind it', () => {
    const result: Message = {
      role: 'user',
      parts: [
        { type: 'tool_result', callId: 'call-1', parts: [{ type: 'text', text: '21 degrees' }] },
        { type: 'text', text: 'So?' },
      ],
    }
    const { choices } = answer({ tools: TOOLS, messages: [user('Hi'), result] })
    expect(choices[0]?.parts).toMatchObject([
      { type: 'text', text: expect.stringContaining('The tool answered: “21 degrees”.') },
    ])
    expect(choices[0]?.finish.reason).toBe('stop')
  })
})

test('thoughts stay away where they are switched off, and count where not', () => {
  for (const reasoning of [{ enabled: false }, { effort: 'none' }, { summary: 'none' }])
    expect(answer({ reasoning }).usage?.reasoningTokens).toBe(0)
  const { usage, choices } = answer({ reasoning: { budgetTokens: 100 } })
  expect(choices[0]?.parts.map(({ type }) => type)).toEqual(['reasoning', 'text'])
  expect(usage?.reasoningTokens).toBeGreaterThan(10)
  expect(usage?.outputTokens).toBeGreaterThan(usage?.reasoningTokens ?? Infinity)
})

test('a stop sequence that was met is named, one behind the limit is not', () => {
  const stop = ['billed', ' answer']
  const met = answer({ stop }).choices[0]
  expect(met?.finish).toMatchObject({ reason: 'stop_sequence', stopSequence: ' answer' })
  expect(met?.parts).toMatchObject([{ text: expect.stringMatching(/simulator’s$/) }])
  expect(answer({ stop, maxTokens: 1 }).choices[0]?.finish.reason).toBe('length')
  expect(answer({ stop: ['unsaid'] }).choices[0]?.finish.reason).toBe('stop')
})
