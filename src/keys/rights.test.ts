import { expect, test } from 'bun:test'
import { mayUseModel } from './rights'

test.each<[string[], string, boolean]>([
  [[], 'openai/gpt-4o', true],
  [['openai/*'], 'openai/gpt-4o', true],
  [['openai/*'], 'openrouter/openai/gpt-4o', false],
  [['openai/*', 'local/*'], 'local/meta/llama-3', true],
  [['openai/gpt-4o'], 'openai/gpt-4o-mini', false],
  [['openai/gpt-4o'], 'OPENAI/GPT-4O', false],
  [['*'], 'any/model/at/all', true],
])('a key for %p and %s: %p', (models, model, allowed) => {
  expect(mayUseModel({ models }, model)).toBe(allowed)
})
