import { describe, expect, test } from 'bun:test'
import { parseGoDuration, readRetryAfterMs } from './retry-after'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const read = (headers: Record<string, string>, body?: unknown) =>
  readRetryAfterMs(headers, body, { nowEpochMs: NOW })

describe('how long a provider asks to be left alone', () => {
  test.each<[Record<string, string>, number | undefined]>([
    [{}, undefined],
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after-ms': '1234', 'retry-after': '9' }, 1_234],
    [{ 'x-ms-retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'retry-after': 'Sun, 01 Mar 2026 12:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Sunday, 01-Mar-26 12:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Sun Mar  1 12:00:30 2026' }, 30_000],
    [{ 'retry-after': 'Sun, 01 Mar 2026 11:59:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'x-ratelimit-reset-requests': '1s', 'x-ratelimit-reset-tokens': '6m0s' }, 1_000],
    [{ 'x-ratelimit-reset-requests': '20ms' }, 20],
    [{ 'x-ratelimit-reset-tokens': '2m59.56s' }, 179_560],
    [{ 'x-ratelimit-reset-tokens': '12' }, 12_000],
    [
      {
        'x-ratelimit-remaining-requests': '59',
        'x-ratelimit-reset-requests': '1s',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '40s',
      },
      40_000,
    ],
    [{ 'anthropic-ratelimit-requests-reset': '2026-03-01T12:00:09Z' }, 9_000],
    [
      {
        'anthropic-ratelimit-requests-remaining': '12',
        'anthropic-ratelimit-requests-reset': '2026-03-01T12:00:01Z',
        'anthropic-ratelimit-input-tokens-remaining': '0',
        'anthropic-ratelimit-input-tokens-reset': '2026-03-01T12:00:21.5Z',
      },
      21_500,
    ],
    [{ 'x-ratelimit-reset': String(NOW + 4_000) }, 4_000],
    [{ 'x-ratelimit-reset': String((NOW + 4_000) / 1_000) }, 4_000],
    [{ 'ratelimit-reset': '15' }, 15_000],
  ])('%j is %p ms', (headers, waitMs) => {
    expect(read(headers)).toBe(waitMs)
    expect(readRetryAfterMs(new Headers(headers), undefined, { nowEpochMs: NOW })).toBe(waitMs)
  })

  test.each<[string, unknown, number | undefined]>([
    ['Google', { error: { details: [{ reason: 'x' }, { retryDelay: '34.4s' }] } }, 34_400],
    ['Google as a list', [{ error: { details: [{ retryDelay: '30s' }] } }], 30_000],
    ['OpenAI', { error: { message: 'Limit 3. Please try again in 20s. Visit' } }, 20_000],
    ['OpenAI, minutes', { error: { message: 'Please try again in 6m0s.' } }, 360_000],
    ['OpenAI, parts', { error: { message: 'Please try again in 1.242s.' } }, 1_242],
    ['OpenAI, milliseconds', { error: { message: 'Please try again in 86ms.' } }, 86],
    ['Azure', { error: { message: 'Please retry after 6 seconds.' } }, 6_000],
    ['Google, in words', { error: { message: 'Please retry in 20.223932614s.' } }, 20_224],
    ['nobody', { error: { message: 'Please try again later' } }, undefined],
  ])('%s says it in the body', (_, body, waitMs) => {
    expect(read({}, body)).toBe(waitMs)
  })

  test('hours are not believed', () => {
    expect(read({ 'retry-after': '36000' })).toBe(600_000)
    expect(
      readRetryAfterMs({ 'retry-after': '60' }, undefined, { nowEpochMs: NOW, maxMs: 5_000 })
    ).toBe(5_000)
  })
})

test.each([
  ['6m0s', 360_000],
  ['1h2m3.5s', 3_723_500],
  ['1d', 86_400_000],
  ['1s', 1_000],
  ['', undefined],
  ['5', undefined],
  ['5 s', undefined],
  ['s5', undefined],
])('%p is a duration of %p ms', (text, durationMs) => {
  expect(parseGoDuration(text)).toBe(durationMs)
})
