import { describe, expect, test } from 'bun:test'
import { Latency } from './latency'

describe('the cost of a target', () => {
  test('is its latency for each request in flight and one more', () => {
    const latency = new Latency()
    latency.observe(100, 1_000)
    expect(latency.cost(0, 1_000)).toBe(100)
    expect(latency.cost(4, 1_000)).toBe(500)
  })

  test('goes up with one slow answer, and down with many fast ones', () => {
    const latency = new Latency({ decayMs: 10_000 })
    latency.observe(100, 1_000)
    latency.observe(2_000, 1_100)
    expect(latency.cost(0, 1_100)).toBe(2_000)
    latency.observe(100, 1_200)
    expect(latency.cost(0, 1_200)).toBeGreaterThan(1_900)
    for (let nowMs = 1_300; nowMs < 40_000; nowMs += 100) latency.observe(100, nowMs)
    expect(latency.firstTokenMs).toBeLessThan(200)
  })

  test('fades where nothing renews it, so that a slow target is tried again', () => {
    const latency = new Latency({ decayMs: 10_000 })
    latency.observe(10_000, 1_000)
    expect(latency.cost(0, 51_000)).toBeLessThan(100)
  })

  test('goes up when its clients leave before it answers', () => {
    const latency = new Latency()
    latency.observeAtLeast(5_000, 1_000)
    expect(latency.firstTokenMs).toBeUndefined()
    latency.observe(1_000, 1_000)
    latency.observeAtLeast(10, 1_000)
    expect(latency.cost(0, 1_000)).toBe(1_000)
    latency.observeAtLeast(5_000, 1_000)
    expect(latency.cost(0, 1_000)).toBe(5_000)
  })

  test('of one never measured is nothing for its first request, and most for a second', () => {
    const unknown = new Latency()
    const slow = new Latency()
    slow.observe(60_000, 1_000)
    expect(unknown.cost(0, 1_000)).toBe(0)
    expect(unknown.firstTokenMs).toBeUndefined()
    expect(unknown.cost(1, 1_000)).toBeGreaterThan(slow.cost(1_000, 1_000))
  })

  test('knows how fast answers come', () => {
    const latency = new Latency()
    latency.observePace(1, 0, 1_000)
    expect(latency.tokensPerSecond).toBeUndefined()
    latency.observePace(100, 2_000, 1_000)
    expect(latency.tokensPerSecond).toBe(50)
    latency.observePace(100, 1_000, 5_000)
    expect(latency.tokensPerSecond).toBeGreaterThan(60)
    expect(latency.tokensPerSecond).toBeLessThan(100)
  })
})
