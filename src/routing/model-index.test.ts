import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../errors/gateway-error'
import { providerConfiguration } from '../providers/fixtures/configuration'
import { createProvider } from '../providers/provider'
import { createModelIndex } from './model-index'

const provider = (name: string, models: string[] = []) =>
  createProvider(providerConfiguration({ name, models }))

const index = () =>
  createModelIndex([
    provider('openai', ['gpt-4o', 'shared']),
    provider('groq', ['shared', 'meta/x']),
  ])

/** Where a name leads: provider, the name it is known by there, its own full name. */
function resolve(models: ReturnType<typeof index>, name: string): string[] {
  const target = models.resolve(name)
  return [target.provider.name, target.upstreamModel, target.name]
}

function messageOf(look: () => unknown): string {
  try {
    look()
  } catch (error) {
    const { code, param, message } = GatewayError.from(error)
    expect([code, param]).toEqual(['model_not_found', 'model'])
    return message
  }
  throw new Error('it was found')
}

describe('resolve', () => {
  test.each([
    ['openai/gpt-4o', ['openai', 'gpt-4o', 'openai/gpt-4o']],
    ['openai/unheard-of', ['openai', 'unheard-of', 'openai/unheard-of']],
    ['groq/a/b/c', ['groq', 'a/b/c', 'groq/a/b/c']],
    ['groq/openai/gpt-oss', ['groq', 'openai/gpt-oss', 'groq/openai/gpt-oss']],
    ['gpt-4o', ['openai', 'gpt-4o', 'openai/gpt-4o']],
    ['shared', ['openai', 'shared', 'openai/shared']],
    ['meta/x', ['groq', 'meta/x', 'groq/meta/x']],
  ])('%s', (name, wanted) => {
    const models = index()
    expect(resolve(models, name)).toEqual(wanted)
    expect(resolve(models, name)).toEqual(wanted)
  })

  test.each([
    'gpt-4',
    'GPT-4o',
    'mistral/x',
    'openai/',
    '/gpt-4o',
    '__proto__',
    'constructor',
    'openai',
  ])('knows no %s', (name) => {
    expect(messageOf(() => index().resolve(name))).toContain(`'${name}'`)
  })

  test('names what is near, by the kind of name that was given', () => {
    expect(messageOf(() => index().resolve('gpt-4p'))).toContain("did you mean 'gpt-4o'?")
    expect(messageOf(() => index().resolve('opnai/gpt-4o'))).toContain("'openai/gpt-4o'?")
    expect(messageOf(() => index().resolve('claude'))).toContain('the providers openai, groq')
  })

  test('has a name that a header can carry', () => {
    expect(index().resolve('openai/ü\n"\ud800').headerName).toBe('openai/%C3%BC%0A%22%EF%BF%BD')
  })

  test('goes on finding models after more names than it remembers', () => {
    const models = index()
    for (let count = 0; count < 10_000; count++) models.resolve(`openai/m${count}`)
    expect(resolve(models, 'openai/m1')).toEqual(['openai', 'm1', 'openai/m1'])
  })
})

describe('a host’s own list', () => {
  test('adds its names, and goes with the next one', () => {
    const models = index()
    models.setHostModels('groq', [
      { id: 'llama', created: 7 },
      { id: 'shared', created: 8 },
    ])
    expect(resolve(models, 'llama')).toEqual(['groq', 'llama', 'groq/llama'])
    expect(resolve(models, 'shared')).toEqual(['openai', 'shared', 'openai/shared'])
    expect(models.list()).toEqual([
      { id: 'openai/gpt-4o', provider: 'openai', created: 0 },
      { id: 'openai/shared', provider: 'openai', created: 0 },
      { id: 'groq/shared', provider: 'groq', created: 8 },
      { id: 'groq/meta/x', provider: 'groq', created: 0 },
      { id: 'groq/llama', provider: 'groq', created: 7 },
    ])
    models.setHostModels('groq', [])
    expect(() => models.resolve('llama')).toThrow(/llama/)
    expect(resolve(models, 'meta/x')).toEqual(['groq', 'meta/x', 'groq/meta/x'])
  })

  test('takes a bare name that another provider had given up', () => {
    const models = index()
    models.setHostModels('groq', [{ id: 'new', created: 0 }])
    expect(resolve(models, 'new')[0]).toBe('groq')
    models.setHostModels('openai', [{ id: 'new', created: 0 }])
    expect(resolve(models, 'new')[0]).toBe('openai')
  })
})
