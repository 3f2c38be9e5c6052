import { describe, expect, test } from 'bun:test'

import { createSeededRandom } from '../std/seeded-random'
import { createPlanning, namesOf } from './fixtures/planning'
import type { Level } from '../keys/virtual-key'
import type { Target } from './target'

const by = (values: Record<string, number>) => (target: Target) => values[target.name]

/** How often each target comes first in so many plans. */
function countFirst(plan: () => string[], times: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (let at = 0; at < times; at++) {
    const [first = ''] = plan()
    counts.set(first, (counts.get(first) ?? 0) + 1)
  }
  return counts
}

describe('fallback', () => {
  test('keeps the order, and says so', async () => {
    const { ask } = await createPlanning({ routes: { smart: { targets: ['b/x', 'a/x', 'c/x'] } } })
    const plan = ask('smart')
    expect(namesOf(plan)).toEqual(['b/x', 'a/x', 'c/x'])
    expect(plan.targets.map(({ reason }) => reason)).toEqual([
      '1st in order',
      '2nd in order',
      '3rd in order',
    ])
    expect(plan.path).toEqual(['smart: fallback'])
  })
})

describe('weighted', () => {
  const routes = {
    smart: {
      strategy: 'weighted',
      targets: [
        { model: 'a/x', weight: 6 },
        { model: 'b/x', weight: 3 },
        'c/x',
        { model: 'd/x', weight: 0 },
      ],
    },
  }

  test('draws each in proportion to its weight', async () => {
    const { ask } = await createPlanning({ routes, signals: { random: createSeededRandom(7) } })
    const counts = countFirst(() => namesOf(ask('smart')), 10_000)
    expect(counts.get('a/x')).toBeWithin(5_800, 6_200)
    expect(counts.get('b/x')).toBeWithin(2_800, 3_200)
    expect(counts.get('c/x')).toBeWithin(850, 1_150)
    expect(counts.get('d/x')).toBeUndefined()
  })

  test('draws by what the key, its team or its organization says of a provider', async () => {
    const { ask } = await createPlanning({ routes, signals: { random: createSeededRandom(5) } })
    const rights = { models: [], deniedModels: [], providers: [], deniedProviders: [] }
    const level = (kind: Level['kind'], weights?: Level['weights']): Level => ({
      ...{ kind, id: kind, name: kind, weights, limits: [] },
      rights: { ...rights, credentials: [], tools: [], deniedTools: [] },
    })
    const levels = [level('key', { a: 0, d: 1 }), level('team', { b: 0, a: 9 })]
    const caller = { name: 'app', organization: 'x', team: 'red', levels, allLimits: [] }
    const counts = countFirst(() => namesOf(ask('smart', { caller })), 10_000)
    expect([...counts.keys()].toSorted()).toEqual(['c/x', 'd/x'])
    expect(counts.get('d/x')).toBeWithin(4_800, 5_200)
  })

  test('draws the second from those that are left', async () => {
    const { ask } = await createPlanning({ routes, signals: { random: createSeededRandom(11) } })
    const seconds = new Map<string, number>()
    for (let at = 0; at < 20_000; at++) {
      const [first, second = ''] = namesOf(ask('smart'))
      if (first === 'a/x') seconds.set(second, (seconds.get(second) ?? 0) + 1)
    }
    const share =
      (seconds.get('b/x') ?? 0) / ((seconds.get('c/x') ?? 0) + (seconds.get('b/x') ?? 0))
    expect(share).toBeGreaterThan(0.73)
    expect(share).toBeLessThan(0.77)
  })

  test('has every target in the plan, those without weight last', async () => {
    const { ask } = await createPlanning({ routes, signals: { random: createSeededRandom(3) } })
    for (let at = 0; at < 100; at++) {
      const names = namesOf(ask('smart'))
      expect(names.toSorted()).toEqual(['a/x', 'b/x', 'c/x', 'd/x'])
      expect(names.at(-1)).toBe('d/x')
    }
    expect(ask('smart').targets[0]?.reason).toMatch(/^drawn by weight \d of 10$/)
  })
})

describe('least latency', () => {
  const routes = { smart: { strategy: 'least_latency', targets: ['a/x', 'b/x', 'c/x', 'd/x'] } }

  test('never has the slowest first, and all others now and then', async () => {
    const { ask } = await createPlanning({
      routes,
      signals: {
        random: createSeededRandom(5),
        latencyMs: by({ 'a/x': 100, 'b/x': 200, 'c/x': 300, 'd/x': 900 }),
      },
    })
    const counts = countFirst(() => namesOf(ask('smart')), 6_000)
    // Of the six pairs a wins three, b two, c one.
    expect(counts.get('a/x')).toBeWithin(2_850, 3_150)
    expect(counts.get('b/x')).toBeWithin(1_850, 2_150)
    expect(counts.get('c/x')).toBeWithin(850, 1_150)
    expect(counts.get('d/x')).toBeUndefined()
  })

  test('takes a slower one that has less to do', async () => {
    const { ask } = await createPlanning({
      routes: { smart: { strategy: 'least_latency', targets: ['a/x', 'b/x'] } },
      signals: {
        latencyMs: by({ 'a/x': 100, 'b/x': 300 }),
        inFlight: (target) => (target.name === 'a/x' ? 3 : 0),
      },
    })
    const plan = ask('smart')
    expect(namesOf(plan)).toEqual(['b/x', 'a/x'])
    expect(plan.targets[0]?.reason).toBe('better of two: 300 ms to the first token, 0 under way')
  })

  test('spreads over all while nothing is measured', async () => {
    const { ask } = await createPlanning({ routes, signals: { random: createSeededRandom(9) } })
    const counts = countFirst(() => namesOf(ask('smart')), 4_000)
    for (const name of ['a/x', 'b/x', 'c/x', 'd/x']) expect(counts.get(name)).toBeGreaterThan(850)
  })
})

describe('lowest cost', () => {
  const price = (input: number, output: number) => ({ price: { input, output } })
  const models = { 'a/x': price(1, 40), 'b/x': price(5, 10), 'c/x': price(2, 200) }
  const routes = { smart: { strategy: 'lowest_cost', targets: ['d/x', 'c/x', 'a/x', 'b/x'] } }

  test('goes by the request: a long answer, or a long question', async () => {
    const { ask } = await createPlanning({ routes, models })
    expect(namesOf(ask('smart', { body: { max_tokens: 4_000 } }))).toEqual([
      'b/x',
      'a/x',
      'c/x',
      'd/x',
    ])
    const messages = [{ role: 'user', content: 'x'.repeat(40_000) }]
    const long = ask('smart', { body: { messages, max_tokens: 10 } })
    expect(namesOf(long)).toEqual(['a/x', 'c/x', 'b/x', 'd/x'])
  })

  test('says what a request would cost, and that a price is not known', async () => {
    const { ask } = await createPlanning({ routes, models })
    const { targets } = ask('smart', { body: { max_tokens: 1_000 } })
    expect(targets[0]?.reason).toMatch(/^about 0\.01\d+ USD$/)
    expect(targets[3]?.reason).toBe('of unknown price')
  })
})

test('highest throughput goes by tokens a second, what was not measured first', async () => {
  const routes = { smart: { strategy: 'highest_throughput', targets: ['a/x', 'b/x', 'c/x'] } }
  const throughput = by({ 'a/x': 20, 'b/x': 90.4 })
  const { ask } = await createPlanning({ routes, signals: { throughput } })
  const plan = ask('smart')
  expect(namesOf(plan)).toEqual(['c/x', 'b/x', 'a/x'])
  expect(plan.targets.map(({ reason }) => reason)).toEqual([
    'not measured yet',
    '90 tokens a second',
    '20 tokens a second',
  ])
})

describe('nesting', () => {
  test('orders groups by their first targets, and keeps the order within', async () => {
    const { ask } = await createPlanning({
      routes: {
        fast: { strategy: 'highest_throughput', targets: ['a/x', 'b/x'] },
        smart: {
          strategy: 'weighted',
          targets: [{ strategy: 'fallback', targets: ['c/x', 'fast'], weight: 1 }, 'd/x'],
        },
      },
      signals: { throughput: by({ 'a/x': 1, 'b/x': 2 }), random: () => 0.2 },
    })
    const plan = ask('smart')
    expect(namesOf(plan)).toEqual(['c/x', 'b/x', 'a/x', 'd/x'])
    expect(plan.path).toEqual([
      'smart: weighted',
      'smart.targets.0: fallback',
      'fast: highest_throughput',
    ])
    expect(plan.targets[1]?.reason).toBe('drawn by weight 1 of 2, 2nd in order, 2 tokens a second')
  })

  test('has a target once that stands in several of its routes', async () => {
    const { ask } = await createPlanning({
      routes: { all: { targets: ['a/x', 'b/x'] }, smart: { targets: ['b/x', 'all'] } },
    })
    expect(namesOf(ask('smart'))).toEqual(['b/x', 'a/x'])
  })

  test('has it twice where it is sent something else', async () => {
    const { ask } = await createPlanning({
      routes: { smart: { targets: ['a/x', { model: 'a/x', params: { temperature: 0 } }] } },
    })
    expect(ask('smart').targets.map(({ params }) => params)).toEqual([
      undefined,
      { temperature: 0 },
    ])
  })
})
