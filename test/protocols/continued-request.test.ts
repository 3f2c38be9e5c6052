import { describe, expect, test } from 'bun:test'
import { takesPrefill } from '../../src/protocols/claude-models'
import { continueGeneration, mayBeContinued } from '../../src/protocols/continue-generation'
import type { Generation } from '../../src/protocols/generation'
import { Losses } from '../../src/protocols/losses'
import { CONTEXT, FORMATS } from './formats'

const ASKED: Generation = {
  ...CONTEXT.request,
  maxTokens: 100,
  temperature: 0.5,
  messages: [
    { role: 'system', parts: [{ type: 'text', text: 'Be brief.' }] },
    { role: 'user', parts: [{ type: 'text', text: 'Hi' }] },
  ],
}

describe.each(FORMATS)('a chat of $name with the beginning of its answer', (format) => {
  const target = { model: 'm', stream: true }
  const route = { model: 'm', stream: true }
  /** As a client of the format would have asked it. */
  const asked = format.chat.parseGeneration(
    { ...format.chat.renderGeneration(ASKED, target, new Losses()), unheard_of: 1 },
    route
  )
  const told = (isPrefilled: boolean, text = 'It is ') => {
    const goingOn = { text, saidTokens: 30, isPrefilled }
    const body = format.chat.renderGeneration(
      continueGeneration(asked, goingOn),
      target,
      new Losses()
    )
    const { maxTokens, messages } = format.chat.parseGeneration(body, route)
    const turns = messages.map(({ role, parts: [part] }) => [
      role,
      part?.type === 'text' ? part.text : '',
    ])
    return { maxTokens, turns, body }
  }

  test('asks for the rest, within what is left of its limit', () => {
    const { maxTokens, turns, body } = told(false)
    expect(maxTokens).toBe(70)
    const [, user, said, asking] = turns
    expect([user, said]).toEqual([
      ['user', 'Hi'],
      ['assistant', 'It is '],
    ])
    expect(asking).toEqual(['user', expect.stringContaining('Continue exactly')])
    expect(body.unheard_of).toBe(1)
  })

  test('ends with it for a model that takes a prefill, without white space behind it', () => {
    expect(told(true).turns.slice(1)).toEqual([
      ['user', 'Hi'],
      ['assistant', 'It is'],
    ])
  })

  test('is as it was where nothing was said', () => {
    const { turns, maxTokens } = told(false, '\n')
    expect(turns.at(-1)).toEqual(['user', 'Hi'])
    expect(maxTokens).toBe(100)
  })
})

test('what is more than one text is not gone on with', () => {
  const source = { protocol: 'openai-chat', json: {} } as const
  const not: Partial<Generation>[] = [
    { choices: 2 },
    { logprobs: true },
    { store: true },
    { modalities: ['text', 'audio'] },
    { format: { type: 'json' } },
    { tools: [{ type: 'server', name: 'web_search', source }] },
  ]
  expect(mayBeContinued({ ...ASKED, format: { type: 'text' }, store: false })).toBe(true)
  expect(not.filter((more) => mayBeContinued({ ...ASKED, ...more }))).toEqual([])
})

test.each([
  ['claude-sonnet-4-5-20250929', true],
  ['claude-opus-4-20250514', true],
  ['anthropic.claude-3-5-haiku-20241022-v1:0', true],
  ['claude-opus-4-1', true],
  ['claude-opus-4-6', false],
  ['claude-sonnet-4-6', false],
  ['claude-opus-5-5', false],
  ['gpt-4o', false],
])('whether %s takes a prefill: %p', (model, expected) => {
  expect(takesPrefill(model)).toBe(expected)
})
