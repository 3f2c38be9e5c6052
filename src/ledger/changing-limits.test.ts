import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { toLimits } from '../limits/from-configuration'
import type { Limit } from '../limits/limit'
import { ChangingBooks } from './fixtures/changing-books'

const MINUTE_MS = 60_000
const style = { reset: 'rolling', timezone: 'UTC', weekStart: 'monday' } as const

/** Limits as a configuration may come to have them: each of so many requests, or not there. */
function limitsOf(amounts: readonly (number | undefined)[]): readonly Limit[] {
  const [all, key, rates, provider] = amounts
  const budget = (subject: string, windowText: string | undefined, requests?: number) =>
    requests === undefined
      ? []
      : [
          {
            ...{ subject, windowText, limitUsd: requests * 3e-4, overshootUsd: 0, alertAt: [] },
            ...{ ...style, unknownPrice: 'refuse' as const },
          },
        ]
  const rate = (subject: string, windowText: string, requests?: number) =>
    requests === undefined
      ? []
      : [{ ...style, subject, windowText, amounts: { requests, tokens: requests * 200 } }]
  return toLimits(
    [...budget('organization', undefined, all), ...budget('key/*', '1h', key)],
    [...rate('key/*', '1m', rates), ...rate('provider/sim', '2m', provider)]
  )
}

const amount = fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined, freq: 3 })
const of = <K extends string>(kind: K) => fc.record({ do: fc.constant(kind) })
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('ask' as const), user: fc.nat(2) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('end' as const), cost: fc.nat(300_000) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('reload' as const),
      amounts: fc.tuple(amount, amount, amount, amount),
      isDrained: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(3 * MINUTE_MS) }),
  },
  { weight: 2, arbitrary: of('step' as const) },
  { weight: 1, arbitrary: of('finish' as const) },
  { weight: 1, arbitrary: of('restart' as const) }
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** Takes the steps; whether the running process knows all, since nothing was under way at a reload. */
function take(books: ChangingBooks, steps: readonly Step[]): boolean {
  let isExact = true
  for (const next of steps) {
    switch (next.do) {
      case 'ask':
        books.ask(`u${next.user}`)
        break
      case 'end':
        books.end(next.cost)
        break
      case 'wait':
        books.clock.nowMs += next.ms
        break
      case 'step':
        books.checkpointer.step()
        break
      case 'finish':
        books.checkpointer.finish()
        break
      case 'restart':
        books.restart()
        isExact = true
        break
      case 'reload':
        if (next.isDrained) books.drain()
        isExact = isExact && books.underWay.length === 0
        books.reload(limitsOf(next.amounts))
    }
  }
  return isExact
}

/** What nobody asked for lately is read of the checkpoint at the first look. */
function lookAtAll(books: ChangingBooks): void {
  for (const user of [0, 1, 2]) {
    books.look(`u${user}`)
    books.ask(`u${user}`)
  }
  books.drain()
}

const NONE = [undefined, undefined, undefined, undefined] as const

/** A limit is taken away between two pieces of a checkpoint, with a request under way that ends then. */
const TAKEN_IN_A_ROUND: Step[] = [
  { do: 'ask', user: 0 },
  { do: 'end', cost: 0 },
  { do: 'finish' },
  { do: 'ask', user: 0 },
  { do: 'reload', amounts: [...NONE], isDrained: false },
  { do: 'reload', amounts: [undefined, undefined, undefined, 1], isDrained: false },
  { do: 'ask', user: 0 },
  { do: 'wait', ms: 10_000 },
  { do: 'step' },
  { do: 'reload', amounts: [...NONE], isDrained: true },
  { do: 'step' },
  { do: 'ask', user: 0 },
  { do: 'end', cost: 0 },
  { do: 'reload', amounts: [...NONE], isDrained: false },
  { do: 'ask', user: 0 },
]

test(
  'limits that are raised, lowered, added and removed let nothing in beyond them, and count what all entries say',
  () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
        const books = new ChangingBooks(limitsOf([20, 10, 10, 10]))
        try {
          const isExact = take(books, steps)
          lookAtAll(books)
          if (isExact) expect(books.counted()).toEqual(books.recounted())
          books.restart()
          lookAtAll(books)
          expect(books.counted()).toEqual(books.recounted())
          books.checkpointer.finish()
          books.importAll()
          expect(books.differences()).toEqual([])
        } finally {
          books.cleanUp()
        }
      }),
      { numRuns: 50, examples: [[TAKEN_IN_A_ROUND]] }
    )
  },
  MINUTE_MS
)
