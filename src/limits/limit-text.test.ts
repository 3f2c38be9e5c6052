import { describe, expect, test } from 'bun:test'
import {
  formatStoredLimit,
  parseBudgetText,
  parseLimitText,
  type StoredLimit,
  toLimitTemplates,
  toOwnLimits,
} from './limit-text'

const USD = 1_000_000_000

describe('a budget', () => {
  test.each<[string, StoredLimit]>([
    ['10/30d', { unit: 'usd', amount: 10 * USD, window: '30d' }],
    ['10/1mo', { unit: 'usd', amount: 10 * USD, window: '1mo' }],
    ['0.000000001/1d', { unit: 'usd', amount: 1, window: '1d' }],
    ['0/1d', { unit: 'usd', amount: 0, window: '1d' }],
    ['2.5', { unit: 'usd', amount: 2.5 * USD }],
  ])('%s is read, and written the same', (text, limit) => {
    expect(parseBudgetText(text)).toEqual({ ok: true, limit })
    expect(formatStoredLimit(limit)).toBe(text)
  })

  test.each<[string, RegExp]>([
    ['', /USD per window/],
    ['ten/1d', /USD per window/],
    ['-1/1d', /USD per window/],
    ['1e3/1d', /USD per window/],
    ['10/', /USD per window/],
    ['10/1x', /USD per window/],
    ['10/1d/1d', /USD per window/],
    ['0.0000000001/1d', /nine decimals/],
    ['9000001/1d', /at most 9000000 USD/],
  ])('%p is refused with what is allowed', (text, problem) => {
    expect(parseBudgetText(text)).toEqual({ ok: false, problem: expect.stringMatching(problem) })
  })
})

describe('a limit', () => {
  test.each<[string, StoredLimit]>([
    ['600/1m', { unit: 'requests', amount: 600, window: '1m' }],
    ['100000tokens/1m', { unit: 'tokens', amount: 100_000, window: '1m' }],
    ['5input_tokens/1h', { unit: 'input_tokens', amount: 5, window: '1h' }],
    ['5output_tokens/1d', { unit: 'output_tokens', amount: 5, window: '1d' }],
    ['10in_flight', { unit: 'in_flight', amount: 10 }],
  ])('%s is read, and written the same', (text, limit) => {
    expect(parseLimitText(text)).toEqual({ ok: true, limit })
    expect(formatStoredLimit(limit)).toBe(text)
  })

  test.each<[string, RegExp]>([
    ['', /count per window/],
    ['600', /count per window/],
    ['600/', /count per window/],
    ['600/1x', /count per window/],
    ['600 /1m', /count per window/],
    ['1.5/1m', /count per window/],
    ['10usd/1m', /count per window/],
    ['10apples/1m', /count per window/],
    ['0/1m', /from 1 to/],
    ['9999999999999999/1m', /from 1 to/],
    ['10in_flight/1m', /no window/],
  ])('%p is refused with what is allowed', (text, problem) => {
    expect(parseLimitText(text)).toEqual({ ok: false, problem: expect.stringMatching(problem) })
  })
})

test('limits of a key count by its name; months follow the calendar and days do not', () => {
  const limits = toOwnLimits(
    toLimitTemplates([
      { unit: 'usd', amount: 5, window: '1mo' },
      { unit: 'usd', amount: 4, window: '30d' },
      { unit: 'usd', amount: 3 },
      { unit: 'tokens', amount: 2, window: '1mo' },
      { unit: 'in_flight', amount: 1 },
    ]),
    'key',
    'app'
  )
  expect(limits.map(({ window }) => window.kind)).toEqual([
    'calendar',
    'rolling',
    'once',
    'rolling',
    'once',
  ])
  expect(new Set(limits.map(({ id }) => id)).size).toBe(5)
  for (const { subject } of limits) expect(subject.text).toBe('key/app')
  expect(limits.map(({ unknownPrice }) => unknownPrice)).toEqual([
    'refuse',
    'refuse',
    'refuse',
    'allow',
    'allow',
  ])
})

test('a limit that is raised keeps its counter, and two that count alike have one each', () => {
  const ids = (amounts: number[]) =>
    toLimitTemplates(amounts.map((amount) => ({ unit: 'usd', amount, window: '1d' }))).map(
      ({ id }) => id
    )
  expect(ids([5])).toEqual(ids([6]))
  const [first, second] = ids([1, 2])
  expect(first).not.toBe(second)
})
