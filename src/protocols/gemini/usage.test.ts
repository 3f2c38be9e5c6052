import { expect, test } from 'bun:test'
import { Losses } from '../losses'
import { NO_USAGE, type Usage } from '../usage'
import { renderUsage, toUsage } from './usage'

const METADATA = {
  promptTokenCount: 1_000,
  candidatesTokenCount: 1_151,
  totalTokenCount: 2_151,
  cachedContentTokenCount: 400,
  promptTokensDetails: [
    { modality: 'TEXT', tokenCount: 140 },
    { modality: 'IMAGE', tokenCount: 560 },
    { modality: 'AUDIO', tokenCount: 300 },
  ],
  candidatesTokensDetails: [
    { modality: 'TEXT', tokenCount: 31 },
    { modality: 'IMAGE', tokenCount: 1_120 },
  ],
  cacheTokensDetails: [
    { modality: 'TEXT', tokenCount: 150 },
    { modality: 'AUDIO', tokenCount: 250 },
  ],
  trafficType: 'ON_DEMAND_PRIORITY',
}

test('sound, images and the tier are read, and written as they came', () => {
  const usage: Usage = {
    ...NO_USAGE,
    ...{ inputTokens: 1_000, outputTokens: 1_151, cacheReadTokens: 400 },
    ...{ audioInputTokens: 300, audioCacheReadTokens: 250 },
    ...{ imageInputTokens: 560, imageOutputTokens: 1_120, serviceTier: 'ON_DEMAND_PRIORITY' },
  }
  expect(toUsage(METADATA)).toEqual(usage)
  expect(renderUsage(usage, new Losses())).toEqual(METADATA)
})

test.each([
  ['flex', { serviceTier: 'flex' }],
  ['PROVISIONED_THROUGHPUT', { trafficType: 'PROVISIONED_THROUGHPUT' }],
  ['default', {}],
])('the tier %p is written where its host has it', (serviceTier, written) => {
  expect(renderUsage({ ...NO_USAGE, serviceTier }, new Losses())).toEqual(written)
})

test('a tier is nothing without counts', () => {
  expect(toUsage({ trafficType: 'ON_DEMAND' })).toBeUndefined()
})
