import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { RetryBudget } from './retry-budget'

describe('the retry budget', () => {
  test('lets a fifth of the requests be sent again, and a few of a quiet target', () => {
    const budget = new RetryBudget({ share: 0.2, floorPerSecond: 0, windowMs: 10_000 })
    expect(budget.hasRoom(0)).toBe(false)
    for (let at = 0; at < 100; at++) budget.request(at)
    let retries = 0
    while (budget.hasRoom(200)) {
      budget.retry(200)
      retries++
    }
    expect(retries).toBe(20)
    const quiet = new RetryBudget({ floorPerSecond: 1, windowMs: 10_000 })
    expect(quiet.hasRoom(0)).toBe(true)
  })

  test('forgets what is past', () => {
    const budget = new RetryBudget({ floorPerSecond: 0 })
    for (let at = 0; at < 100; at++) budget.request(at)
    expect(budget.hasRoom(8_000)).toBe(true)
    expect(budget.hasRoom(20_000)).toBe(false)
  })

  test('retries stay below a fifth, whatever comes when', () => {
    const events = fc.array(
      fc.record({ afterMs: fc.integer({ min: 0, max: 3_000 }), isRetry: fc.boolean() }),
      { maxLength: 400 }
    )
    fc.assert(
      fc.property(events, (list) => {
        const budget = new RetryBudget({ share: 0.2, floorPerSecond: 0 })
        let nowMs = 0
        let requests = 0
        let retries = 0
        for (const { afterMs, isRetry } of list) {
          nowMs += afterMs
          if (!isRetry) {
            budget.request(nowMs)
            requests++
          } else if (budget.hasRoom(nowMs)) {
            budget.retry(nowMs)
            retries++
          }
          expect(retries).toBeLessThanOrEqual(0.2 * requests)
        }
      })
    )
  })
})
