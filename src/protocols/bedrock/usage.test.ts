import { expect, test } from 'bun:test'
import { Losses } from '../losses'
import { NO_USAGE } from '../usage'
import { renderUsage, toUsage } from './usage'

test.each([
  [
    { inputTokens: 10, outputTokens: 5, totalTokens: 15 },
    { inputTokens: 10, outputTokens: 5, cacheReadTokens: undefined },
  ],
  [
    { inputTokens: 10, outputTokens: 5, cacheReadInputTokens: 100, cacheWriteInputTokens: 20 },
    { inputTokens: 130, outputTokens: 5, cacheReadTokens: 100, cacheWriteTokens: 20 },
  ],
  [
    { inputTokens: 0, outputTokens: 5, cacheReadInputTokenCount: 7, cacheWriteInputTokenCount: 1 },
    { inputTokens: 8, outputTokens: 5, cacheReadTokens: 7, cacheWriteTokens: 1 },
  ],
  [
    {
      inputTokens: 1,
      outputTokens: 1,
      cacheWriteInputTokens: 30,
      cacheDetails: [
        { ttl: '1h', inputTokens: 12 },
        { ttl: '5m', inputTokens: 18 },
      ],
    },
    { inputTokens: 31, cacheWriteTokens: 30, cacheWrite1hTokens: 12 },
  ],
])('%j counts what came from caches as input', (told, usage) => {
  expect(toUsage(told)).toMatchObject(usage)
})

test.each([undefined, null, {}, { inputTokens: '3' }, { inputTokens: -1 }])(
  '%j says nothing',
  (told) => expect(toUsage(told)).toBeUndefined()
)

test('what is rendered reads the same', () => {
  const usage = {
    ...NO_USAGE,
    inputTokens: 131,
    outputTokens: 9,
    cacheReadTokens: 100,
    cacheWriteTokens: 30,
    cacheWrite1hTokens: 12,
  }
  const rendered = renderUsage(usage, new Losses())
  expect(rendered).toEqual({
    inputTokens: 1,
    outputTokens: 9,
    totalTokens: 140,
    cacheReadInputTokens: 100,
    cacheWriteInputTokens: 30,
    cacheDetails: [
      { ttl: '1h', inputTokens: 12 },
      { ttl: '5m', inputTokens: 18 },
    ],
  })
  expect(toUsage(rendered)).toEqual(usage)
})

test('what nobody counted is left out, and kinds without a member are reported', () => {
  const losses = new Losses()
  const usage = { ...NO_USAGE, outputTokens: 9, reasoningTokens: 4 }
  expect(renderUsage(usage, losses)).toEqual({ outputTokens: 9 })
  expect(losses.list).toEqual([{ field: 'usage.reasoning_tokens', kind: 'dropped' }])
})
