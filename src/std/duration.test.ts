import { expect, test } from 'bun:test'
import { parseDuration } from './duration'

test.each([
  ['0s', 0],
  ['500ms', 500],
  ['90s', 90_000],
  ['1.5m', 90_000],
  ['1h', 3_600_000],
  ['30d', 2_592_000_000],
  ['2w', 1_209_600_000],
])('%s is %d ms', (text, durationMs) => {
  expect(parseDuration(text)).toBe(durationMs)
})

test.each(['', '15', 's', '15 s', '15sec', '-1s', '1h30m', '1S', ' 1s', '1s\n', '.5s', '1e3s'])(
  '%p is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined()
  }
)

test('a number beyond exact integers is no duration', () => {
  expect(parseDuration('99999999999999w')).toBeUndefined()
})
