import { expect, test } from 'bun:test'
import { parseExpiry } from './expiry'

const NOW_MS = Date.UTC(2030, 0, 1)

test.each([
  ['90s', '2030-01-01T00:01:30.000Z'],
  ['15m', '2030-01-01T00:15:00.000Z'],
  ['12h', '2030-01-01T12:00:00.000Z'],
  ['30d', '2030-01-31T00:00:00.000Z'],
  ['4w', '2030-01-29T00:00:00.000Z'],
  ['2030-02-01', '2030-02-01T00:00:00.000Z'],
  ['2030-02-01T10:00Z', '2030-02-01T10:00:00.000Z'],
  ['2030-02-01T10:00:30.5+02:00', '2030-02-01T08:00:30.500Z'],
])('%s is %s', (text, iso) => {
  expect(parseExpiry(text, NOW_MS)).toEqual({ ok: true, atMs: Date.parse(iso) })
})

test.each([
  '',
  '30',
  'd',
  '30x',
  '-1d',
  '30 d',
  '2030-02-30',
  '2030-13-01',
  '2030-02-01T10:00',
  '2030-02-01T25:00Z',
  'tomorrow',
  '99999999w',
])('%p is refused with what is allowed', (text) => {
  expect(parseExpiry(text, NOW_MS)).toEqual({ ok: false, problem: expect.stringContaining('30d') })
})

test.each(['0d', '2030-01-01', '2029-12-31T23:59:59Z'])('%s is past', (text) => {
  expect(parseExpiry(text, NOW_MS)).toEqual({ ok: false, problem: expect.stringContaining('past') })
})
