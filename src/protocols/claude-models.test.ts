import { expect, test } from 'bun:test'
import { thinksAdaptivelyOnly, thinksByBudgetOnly } from './claude-models'

test.each([
  ['claude-3-7-sonnet-20250219', true, false],
  ['claude-sonnet-4-20250514', true, false],
  ['claude-sonnet-4-5', true, false],
  ['us.anthropic.claude-haiku-4-5-20251001-v1:0', true, false],
  ['claude-opus-4-6', false, false],
  ['claude-sonnet-4-6', false, false],
  ['claude-opus-4-7', false, true],
  ['claude-opus-5-5', false, true],
  ['claude-fable-5-2', false, true],
  ['some-other-model', false, false],
])('%s thinks by a budget alone: %p, adaptively alone: %p', (model, budget, adaptive) => {
  expect([thinksByBudgetOnly(model), thinksAdaptivelyOnly(model)]).toEqual([budget, adaptive])
})
