import { describe, expect, test } from 'bun:test'
import { AffinityBook } from './affinity'
import { type AskOptions, createPlanning, namesOf } from './fixtures/planning'
import type { Plan } from './plan'

const FIRST: AskOptions = { body: { messages: [{ role: 'user', content: 'One' }] } }
const LATER: AskOptions = {
  body: {
    messages: [
      { role: 'user', content: 'One' },
      { role: 'assistant', content: 'Two' },
      { role: 'user', content: 'Three' },
    ],
  },
}

/** A gateway whose weighted route draws by `draw`, which tests move. */
async function create(route: Record<string, unknown> = {}) {
  const state = { nowMs: 0, draw: 0, latenciesMs: new Map<string, number>() }
  const affinity = new AffinityBook(() => state.nowMs, { maxConversations: 3, idleMs: 1_000 })
  const targets = ['a/x', 'b/x', 'c/x']
  const { ask } = await createPlanning({
    routes: { smart: { strategy: 'weighted', targets, ...route }, other: { targets } },
    affinity,
    signals: {
      random: () => state.draw,
      latencyMs: ({ name }) => state.latenciesMs.get(name),
    },
  })
  /** The target at a place of the plan answers. */
  const serve = (plan: Plan, at = 0) => {
    const target = plan.targets[at]?.target
    if (target && plan.conversation !== undefined) affinity.record(plan.conversation, target)
    return target?.name
  }
  return { ask, serve, state, affinity }
}

describe('a conversation with a route in fixed order', () => {
  const create = async () => {
    const affinity = new AffinityBook(() => 0)
    const routes = { smart: { targets: ['a/x', 'b/x'] } }
    const { ask } = await createPlanning({ routes, affinity })
    const serve = (request: AskOptions, by: string) => {
      const { targets, conversation } = ask('smart', request)
      const served = targets.find(({ target }) => target.name === by)
      if (served && conversation) affinity.record(conversation, served.target)
      return namesOf({ targets, excluded: [], path: [], notes: [] })
    }
    return { serve, affinity }
  }

  test('is remembered only where another than the first target served it', async () => {
    const { serve, affinity } = await create()
    expect(serve(FIRST, 'a/x')).toEqual(['a/x', 'b/x'])
    expect(affinity.size).toBe(0)
    serve(LATER, 'b/x')
    expect(affinity.size).toBe(1)
    expect(serve(LATER, 'a/x')).toEqual(['b/x', 'a/x'])
    expect(affinity.size).toBe(0)
    expect(serve(LATER, 'a/x')).toEqual(['a/x', 'b/x'])
  })

  test('that begins like an older one starts at the first target again', async () => {
    const { serve } = await create()
    serve(LATER, 'b/x')
    serve(FIRST, 'a/x')
    expect(serve(LATER, 'a/x')).toEqual(['a/x', 'b/x'])
  })
})

describe('a conversation', () => {
  test('stays where its last turn was served', async () => {
    const { ask, serve, state } = await create()
    state.draw = 0.5
    expect(serve(ask('smart', FIRST))).toBe('b/x')
    state.draw = 0
    const later = ask('smart', LATER)
    expect(namesOf(later)).toEqual(['b/x', 'a/x', 'c/x'])
    expect(later.targets[0]?.reason).toStartWith('it served this conversation before, drawn next')
  })

  test('moves with the target that answered in its place', async () => {
    const { ask, serve } = await create()
    serve(ask('smart', FIRST), 2)
    expect(serve(ask('smart', LATER), 1)).toBe('a/x')
    expect(namesOf(ask('smart', LATER))[0]).toBe('a/x')
  })

  test('is placed by the strategy at its first turn, however often others began so', async () => {
    const { ask, serve, state } = await create()
    state.draw = 0.9
    expect(serve(ask('smart', FIRST))).toBe('c/x')
    state.draw = 0
    expect(namesOf(ask('smart', FIRST))[0]).toBe('a/x')
  })

  test('of another key, or another route, is another one', async () => {
    const { ask, serve, state } = await create()
    state.draw = 0.9
    serve(ask('smart', FIRST))
    state.draw = 0
    expect(namesOf(ask('other', LATER))[0]).toBe('a/x')
    const caller = {
      ...{ name: 'app', team: undefined, organization: 'default', allLimits: [], levels: [] },
    }
    expect(namesOf(ask('smart', { ...LATER, caller }))[0]).toBe('a/x')
  })

  test('leaves a target that is four times as slow as another', async () => {
    const { ask, serve, state } = await create()
    state.draw = 0.9
    serve(ask('smart', FIRST))
    state.draw = 0
    state.latenciesMs.set('c/x', 390).set('a/x', 100)
    expect(namesOf(ask('smart', LATER))[0]).toBe('c/x')
    state.latenciesMs.set('c/x', 400)
    expect(namesOf(ask('smart', LATER))[0]).toBe('a/x')
  })

  test('that rests too long, or too many others ago, is forgotten', async () => {
    const { ask, serve, state, affinity } = await create()
    state.draw = 0.9
    serve(ask('smart', FIRST))
    state.draw = 0
    state.nowMs = 1_001
    expect(namesOf(ask('smart', LATER))[0]).toBe('a/x')
    for (const content of ['p', 'q', 'r', 's'])
      serve(ask('smart', { body: { messages: [{ role: 'user', content }] } }))
    expect(affinity.size).toBe(3)
  })

  test('is told by its session or its key for caches, from the first turn on', async () => {
    const { ask, serve, state } = await create()
    const byLabel: AskOptions = { ...FIRST, headers: { 'x-tg-session': 's' } }
    const byHeader: AskOptions = { ...FIRST, headers: { session_id: 't' } }
    const byKey: AskOptions = { body: { prompt_cache_key: 'k' } }
    state.draw = 0.9
    for (const one of [byLabel, byHeader, byKey]) serve(ask('smart', one))
    state.draw = 0
    for (const one of [byLabel, byHeader, byKey]) expect(namesOf(ask('smart', one))[0]).toBe('c/x')
    expect(namesOf(ask('smart', { ...FIRST, headers: { session_id: 'u' } }))[0]).toBe('a/x')
  })
})

test('a route may say that it does not matter', async () => {
  const { ask, serve, state } = await create({ affinity: false })
  state.draw = 0.9
  serve(ask('smart', FIRST))
  state.draw = 0
  expect(namesOf(ask('smart', LATER))[0]).toBe('a/x')
})

test('who asks for a model by its name is not sent to another', async () => {
  const { ask, serve } = await create()
  const asked: AskOptions = { body: { ...FIRST.body, fallbacks: ['b/x'] } }
  serve(ask('a/x', asked), 1)
  expect(namesOf(ask('a/x', { body: { ...LATER.body, fallbacks: ['b/x'] } }))).toEqual([
    'a/x',
    'b/x',
  ])
})
