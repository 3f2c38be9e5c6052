import { expect, test } from 'bun:test'
import { RecentTimes } from './recent-times'

const after = (times: readonly number[]) => {
  const recent = new RecentTimes()
  for (const time of times) recent.add(time)
  return recent.p95()
}
const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1)

test('the 95th percentile is known from the twentieth time on', () => {
  expect(after(upTo(19))).toBeUndefined()
  expect(after(upTo(20))).toBe(19)
  expect(after(upTo(100))).toBe(95)
})

test('it follows the last 128 times, whatever came before', () => {
  expect(after([...Array.from({ length: 500 }, () => 60_000), ...upTo(128)])).toBe(122)
})

test('it is looked up anew while times come', () => {
  const recent = new RecentTimes()
  for (const time of upTo(20)) recent.add(time)
  expect(recent.p95()).toBe(19)
  for (let more = 0; more < 8; more++) recent.add(500)
  expect(recent.p95()).toBe(500)
})
