import { afterEach, describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { Books, LIMITS } from './fixtures/books'

const MINUTE_MS = 60_000

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

function open(...how: ConstructorParameters<typeof Books>) {
  const books = new Books(...how)
  cleanups.push(() => books.cleanUp())
  return books
}

describe('a start from a checkpoint', () => {
  test('reads no entry before it, and counts the same', async () => {
    const books = open()
    for (let request = 0; request < 50; request++) {
      await books.begin(`u${request % 3}`)
      books.end(1_000 + request)
    }
    books.current.checkpointer.finish()
    const before = books.counted()
    books.restart()
    expect(books.current.read).toBe(0)
    for (const user of ['u0', 'u1', 'u2']) await books.begin(user)
    for (let request = 0; request < 3; request++) books.end(0)
    expect(books.counted().length).toBe(before.length)
    expect(books.counted()).toEqual(books.recounted())
  })

  test('counts corrections whether they came before or after it, and every time anew', async () => {
    const books = open()
    await books.begin('u')
    books.end(50)
    books.current.checkpointer.finish()
    books.correctAll(30)
    books.restart()
    expect(books.counted()).toContain('budget key/* 1h id-u: 30 0')
    await books.begin('u')
    books.end(7)
    books.current.checkpointer.finish()
    expect(books.differences().differences).toEqual([])
    books.restart()
    expect(books.counted()).toContain('budget key/* 1h id-u: 37 0')
    expect(books.counted()).toContain('budget organization for good : 37 0')
    books.correctAll(2)
    books.restart()
    expect(books.counted()).toContain('budget key/* 1h id-u: 4 0')
    expect(books.counted()).toContain('limit key/* requests 1m id-u: 2 0')
    expect(books.counted()).toEqual(books.recounted())
  })

  test('reads all that counts for a limit that is new', async () => {
    const books = open(LIMITS.slice(0, 1))
    await books.begin('u')
    books.end(5)
    books.current.checkpointer.finish()
    books.restart(LIMITS)
    expect(books.current.read).toBe(1)
    expect(books.counted()).toContain('budget key/* 1h id-u: 5 0')
  })

  test('is found out when it does not say what the entries say', async () => {
    const books = open()
    await books.begin('u')
    books.end(5)
    books.current.checkpointer.finish()
    books.restart()
    expect(books.differences()).toEqual({ counters: 7, differences: [] })
    books.falsify()
    expect(books.differences().differences).toContainEqual({
      limitId: 'budget key/* 1h',
      name: 'id-u',
      counted: 6,
      recounted: 5,
    })
  })

  test('is not fooled by a checkpoint of which a piece is missing', async () => {
    const books = open()
    await books.begin('u')
    books.end(5)
    const { journal, checkpointer } = books.current
    const append = journal.append.bind(journal)
    journal.append = (record) => record.kind === 'counters' || append(record)
    checkpointer.finish()
    await books.begin('u')
    books.end(7)
    checkpointer.finish()
    books.restart()
    expect(books.current.read).toBe(2)
    expect(books.counted()).toContain('budget organization for good : 12 0')
  })
})

test.each([
  ['all counters in memory', {}],
  ['those that are idle only in the checkpoint', { isMany: true, manyAccounts: 2 }],
])(
  'whatever happens in whatever order, a start counts what all entries say: %s',
  async (_, more) => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('begin' as const), user: fc.nat(3) }) },
      { weight: 6, arbitrary: fc.record({ do: fc.constant('end' as const), cost: fc.nat(1_000) }) },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(10 * MINUTE_MS) }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('step' as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('fall' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('hedge' as const) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant('decide' as const),
          winner: fc.constantFrom('first' as const, 'second' as const),
          cost: fc.nat(3).map((cost) => cost * 100),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('break' as const), cost: fc.nat(300) }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('finish' as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('import' as const), count: fc.nat(3) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) }
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
        const books = open(LIMITS, more)
        for (const next of steps) {
          if (next.do === 'begin') await books.begin(`u${next.user}`)
          if (next.do === 'end') books.end(next.cost)
          if (next.do === 'wait') books.clock.nowMs += next.ms
          if (next.do === 'fall') books.fall()
          if (next.do === 'abort') books.abort()
          if (next.do === 'hedge') books.hedge()
          if (next.do === 'decide') books.decide(next.winner, next.cost)
          if (next.do === 'break') books.breakOff(next.cost)
          if (next.do === 'step') books.current.checkpointer.step()
          if (next.do === 'finish') books.current.checkpointer.finish()
          if (next.do === 'import') books.importSome(next.count)
          if (next.do === 'restart') books.restart()
        }
        for (const isNew of [false, true]) {
          if (isNew) books.restart()
          // Those that nobody asked for lately are read at the first look.
          for (const user of [0, 1, 2, 3]) await books.begin(`u${user}`)
          while (books.current.underWay.length > 0) books.end(1)
          expect(books.counted()).toEqual(books.recounted())
          expect(books.differences().differences).toEqual([])
          expect(books.unequal()).toEqual([])
        }
        for (const cleanup of cleanups.splice(0)) cleanup()
      }),
      { numRuns: 60 }
    )
  },
  MINUTE_MS
)
