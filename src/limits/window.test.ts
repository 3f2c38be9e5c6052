import { describe, expect, test } from 'bun:test'
import { parseWindow, stretchAt, toDurationMs, type Window } from './window'

const at = (text: string) => Date.parse(text)
const calendar = (text: string, timezone = 'UTC', weekStart: 'monday' | 'sunday' = 'monday') => {
  const parsed = parseWindow(text)
  if (parsed === undefined) throw new Error(`${text} is no window`)
  const window: Window = { kind: 'calendar', ...parsed, timezone, weekStart }
  return window
}
const span = (window: Window, moment: string) => {
  const { startMs, endMs } = stretchAt(window, at(moment))
  return [new Date(startMs).toISOString(), new Date(endMs).toISOString()]
}

describe('a calendar window', () => {
  test.each<[Window, string, string, string]>([
    [calendar('1mo'), '2026-02-10T00:00:00Z', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z'],
    [calendar('2mo'), '2026-02-10T00:00:00Z', '2026-01-01T00:00:00Z', '2026-03-01T00:00:00Z'],
    [calendar('1q'), '2026-05-31T23:59:59Z', '2026-04-01T00:00:00Z', '2026-07-01T00:00:00Z'],
    [calendar('1y'), '2026-05-31T23:59:59Z', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    [calendar('1w'), '2026-11-22T12:00:00Z', '2026-11-16T00:00:00Z', '2026-11-23T00:00:00Z'],
    [
      calendar('1w', 'UTC', 'sunday'),
      '2026-11-22T12:00:00Z',
      '2026-11-22T00:00:00Z',
      '2026-11-29T00:00:00Z',
    ],
    [calendar('1h'), '2026-11-22T12:34:56Z', '2026-11-22T12:00:00Z', '2026-11-22T13:00:00Z'],
    // Spring and autumn in Berlin: days of 23 and of 25 hours.
    [
      calendar('1d', 'Europe/Berlin'),
      '2026-03-29T12:00:00Z',
      '2026-03-28T23:00:00Z',
      '2026-03-29T22:00:00Z',
    ],
    [
      calendar('1d', 'Europe/Berlin'),
      '2026-10-25T12:00:00Z',
      '2026-10-24T22:00:00Z',
      '2026-10-25T23:00:00Z',
    ],
    [
      calendar('1mo', 'America/New_York'),
      '2026-11-01T03:59:59Z',
      '2026-10-01T04:00:00Z',
      '2026-11-01T04:00:00Z',
    ],
  ])('%p at %s is from %s to %s', (window, moment, start, end) => {
    expect(span(window, moment)).toEqual([start, end].map((text) => text.replace('Z', '.000Z')))
  })

  test('follows on the one before, through every change of the clocks', () => {
    for (const text of ['6h', '1d', '3d', '1w', '1mo', '1q']) {
      const window = calendar(text, 'America/Sao_Paulo')
      let { endMs } = stretchAt(window, at('2018-01-01T00:00:00Z'))
      while (endMs < at('2019-06-01T00:00:00Z')) {
        const next = stretchAt(window, endMs)
        expect(next.startMs).toBe(endMs)
        expect(next.endMs).toBeGreaterThan(endMs)
        endMs = next.endMs
      }
    }
  })
})

describe('a window in text', () => {
  test.each([
    ['30s', 30_000],
    ['1m', 60_000],
    ['5h', 18_000_000],
    ['30d', 2_592_000_000],
    ['1mo', 2_592_000_000],
    ['1y', 31_536_000_000],
  ])('%p is %p ms when it rolls', (text, durationMs) => {
    const parsed = parseWindow(text)
    expect(parsed && toDurationMs(parsed)).toBe(durationMs)
  })

  test.each(['', '0d', '1', 'd', '1 d', '-1d', '1.5h', '11y', '1mon'])('%p is none', (text) => {
    expect(parseWindow(text)).toBeUndefined()
  })
})
