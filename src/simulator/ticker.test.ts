import { afterEach, expect, test } from 'bun:test'
import { createTicker, type Ticker } from './ticker'

let ticker: Ticker | undefined
afterEach(() => ticker?.stop())

test('runs what is due in order of time, not of asking, and never early', async () => {
  const { at } = (ticker = createTicker())
  const start = performance.now()
  const ran: number[] = []
  const early: number[] = []
  await new Promise<void>((resolve) => {
    for (const delayMs of [150, 5, 80, 30])
      at(start + delayMs, () => {
        ran.push(delayMs)
        if (performance.now() < start + delayMs - 1) early.push(delayMs)
        if (delayMs === 150) resolve()
      })
  })
  expect(ran).toEqual([5, 30, 80, 150])
  expect(early).toEqual([])
})

test('runs what is asked for from within a run, and what was due already', async () => {
  const { at } = (ticker = createTicker())
  const ran: string[] = []
  await new Promise<void>((resolve) => {
    at(performance.now(), () => {
      ran.push('first')
      at(performance.now() - 1000, () => {
        ran.push('second')
        resolve()
      })
    })
  })
  expect(ran).toEqual(['first', 'second'])
})

test('does not run what was cancelled', async () => {
  const { at } = (ticker = createTicker())
  const ran: string[] = []
  const due = performance.now() + 5
  const cancel = at(due, () => ran.push('cancelled'))
  cancel()
  await new Promise<void>((resolve) => void at(due + 1, resolve))
  expect(ran).toEqual([])
})

test('an hour away keeps nothing nearer from running', async () => {
  const { at } = (ticker = createTicker())
  at(performance.now() + 3_600_000, () => {})
  await new Promise<void>((resolve) => void at(performance.now() + 100, resolve))
  expect(await new Promise((resolve) => void at(performance.now() + 2, () => resolve('ran')))).toBe(
    'ran'
  )
})
