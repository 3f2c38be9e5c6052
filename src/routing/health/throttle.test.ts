import { describe, expect, test } from 'bun:test'
import { Throttle } from './throttle'

/** What the target takes is known: about `perSecond`, since it refused one more. */
function learned(perSecond: number): Throttle {
  const throttle = new Throttle()
  for (let nowMs = 0; nowMs < 10_000; nowMs += 1_000 / perSecond) throttle.accepted(nowMs, nowMs)
  throttle.refused(10_000, 0, 10_000)
  return throttle
}

describe('the rate of a throttling target', () => {
  test('is unlimited until it refuses, then a little below what it took', () => {
    expect(new Throttle().waitMs(0)).toBe(0)
    expect(new Throttle().perSecond).toBeUndefined()
    const { perSecond = 0 } = learned(100)
    expect(perSecond).toBeGreaterThan(75)
    expect(perSecond).toBeLessThan(100)
  })

  test('lets as many go as it says, evenly, and tells when the next may', () => {
    const throttle = learned(10)
    const { perSecond = 0 } = throttle
    let sent = 0
    for (let nowMs = 10_000; nowMs < 20_000; nowMs++)
      if (throttle.waitMs(nowMs) === 0) {
        throttle.take(nowMs)
        sent++
      }
    expect(Math.abs(sent - perSecond * 10)).toBeLessThanOrEqual(3)
    throttle.waitMs(20_000)
    const waitMs = throttle.waitMs(20_000)
    expect(throttle.waitMs(20_000 + waitMs)).toBe(0)
  })

  test('is lowered once by refusals of requests that were under way together', () => {
    const throttle = learned(100)
    const before = throttle.perSecond ?? 0
    for (let at = 0; at < 50; at++) throttle.refused(9_990, 0, 10_100)
    expect(throttle.perSecond).toBe(before)
    throttle.refused(10_050, 0, 10_200)
    expect(throttle.perSecond).toBeLessThan(before)
  })

  test('is asked with single probes further and further apart when nothing at all is taken', () => {
    const throttle = learned(100)
    const before = throttle.perSecond ?? 0
    const together = learned(100)
    together.refused(10_010, 0, 10_020)
    expect(together.waitMs(10_120)).toBe(0)
    together.refused(10_030, 0, 10_120)
    expect(together.waitMs(10_120)).toBe(250)
    const probes: number[] = []
    for (let nowMs = 10_001; nowMs < 70_000; nowMs++)
      if (throttle.waitMs(nowMs) === 0) {
        throttle.take(nowMs)
        throttle.refused(nowMs, 0, nowMs)
        probes.push(nowMs)
      }
    expect(probes.length).toBeLessThan(20)
    const gaps = probes.slice(1).map((atMs, at) => atMs - (probes[at] ?? 0))
    expect(gaps.at(-1)).toBeLessThanOrEqual(8_000)
    expect(gaps.slice(3).every((gapMs, at) => gapMs >= (gaps[at + 2] ?? 0))).toBe(true)
    // The first that is taken ends that, at a rate that is not far below what it was.
    throttle.take(80_000)
    throttle.accepted(80_000, 80_100)
    expect(throttle.waitMs(80_200)).toBe(0)
    expect(throttle.perSecond).toBeGreaterThan(before / 10)
  })

  test('grows only while it holds requests back, and not soon after a long pause was asked for', () => {
    const idle = learned(100)
    const before = idle.perSecond
    for (let nowMs = 10_001; nowMs < 12_000; nowMs++) idle.accepted(nowMs, nowMs)
    expect(idle.perSecond).toBe(before)
    const paused = learned(100)
    paused.refused(10_000, 5_000, 10_000)
    const held = paused.perSecond
    const press = (fromMs: number, toMs: number) => {
      for (let nowMs = fromMs; nowMs < toMs; nowMs++)
        if (paused.waitMs(nowMs) === 0) {
          paused.take(nowMs)
          paused.accepted(nowMs, nowMs)
        }
    }
    press(15_000, 20_000)
    expect(paused.perSecond).toBe(held)
    press(20_000, 22_000)
    expect(paused.perSecond).toBeGreaterThan(held ?? 0)
  })

  test('is forgotten after five minutes without a refusal', () => {
    const throttle = learned(10)
    expect(throttle.waitMs(310_001)).toBe(0)
    expect(throttle.perSecond).toBeUndefined()
  })
})
