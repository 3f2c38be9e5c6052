import { expect, test } from 'bun:test'
import { mergeUsage, type Usage } from '../usage'
import { parseUsage } from './usage'

test.each<[string, Record<string, unknown>, Partial<Usage>]>([
  [
    'searches',
    { server_tool_use: { web_search_requests: 3, web_fetch_requests: 1 } },
    { searches: 3 },
  ],
  ['the tier', { service_tier: 'batch' }, { serviceTier: 'batch' }],
  [
    'fast mode before the tier',
    { service_tier: 'standard', speed: 'fast' },
    { serviceTier: 'fast' },
  ],
  ['the usual speed', { service_tier: 'standard', speed: 'standard' }, { serviceTier: 'standard' }],
  ['inference within the US', { inference_geo: 'us' }, { ratePercent: 110 }],
])('%s is read', (_, more, read) => {
  expect(parseUsage({ input_tokens: 1, output_tokens: 2, ...more })).toMatchObject(read)
})

test.each([
  { server_tool_use: { web_search_requests: 0 } },
  { inference_geo: 'global' },
  { inference_geo: 'not_available' },
  { service_tier: null },
])('%p says nothing', (more) => {
  const plain = { input_tokens: 1, output_tokens: 2 }
  expect(parseUsage({ ...plain, ...more })).toStrictEqual(parseUsage(plain))
})

test('the end of a stream leaves the tier that its start said', () => {
  const start = parseUsage({
    ...{ input_tokens: 5, cache_creation_input_tokens: 9, output_tokens: 1 },
    ...{ cache_creation: { ephemeral_1h_input_tokens: 4 }, service_tier: 'priority' },
  })
  const end = parseUsage({ output_tokens: 40, server_tool_use: { web_search_requests: 2 } })
  expect(end && mergeUsage(start, end)).toMatchObject({
    ...{ inputTokens: 14, outputTokens: 40, cacheWriteTokens: 9, cacheWrite1hTokens: 4 },
    ...{ serviceTier: 'priority', searches: 2 },
  })
})
