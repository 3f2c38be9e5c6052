import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../errors/gateway-error'
import type { Level, Rights } from '../keys/virtual-key'
import { createPlanning, namesOf } from './fixtures/planning'
import type { RouteCaller } from './route-caller'

const NONE: Rights = {
  models: [],
  deniedModels: [],
  providers: [],
  deniedProviders: [],
  ...{ credentials: [], tools: [], deniedTools: [] },
}

/** A key named app of the team red. */
function callerOf(
  key: Partial<Rights>,
  more: { team?: Partial<Rights>; fallbacks?: boolean; teamFallbacks?: boolean } = {}
): RouteCaller {
  const level = (kind: Level['kind'], name: string, rights: Partial<Rights> = {}): Level => ({
    ...{ kind, id: name, name, limits: [] },
    rights: { ...NONE, ...rights },
    fallbacks: kind === 'key' ? more.fallbacks : kind === 'team' ? more.teamFallbacks : undefined,
  })
  return {
    ...{ name: 'app', team: 'red', organization: 'default', allLimits: [] },
    levels: [level('key', 'app', key), level('team', 'red', more.team), level('organization', 'x')],
  }
}

function errorOf(act: () => unknown): { code: string; param: string | undefined; message: string } {
  try {
    act()
  } catch (error) {
    const { code, param, message } = GatewayError.from(error)
    return { code, param, message }
  }
  throw new Error('it was allowed')
}

describe('a plain model', () => {
  test('has one plan for all requests', async () => {
    const { ask } = await createPlanning({ routes: { smart: { targets: ['a/x'] } } })
    expect(ask('b/y')).toBe(ask('b/y'))
    expect(ask('b/y')).toMatchObject({ excluded: [], path: [], notes: [] })
    expect(namesOf(ask('b/y'))).toEqual(['b/y'])
  })

  test('is told apart from a route of its name without the provider', async () => {
    const { ask } = await createPlanning({ routes: { x: { targets: ['a/x', 'b/x'] } } })
    expect(namesOf(ask('x'))).toEqual(['a/x', 'b/x'])
    expect(namesOf(ask('b/x'))).toEqual(['b/x'])
  })

  test('that nobody knows brings routes to mind', async () => {
    const { ask } = await createPlanning({ routes: { smart: { targets: ['a/x'] } } })
    expect(errorOf(() => ask('smar'))).toMatchObject({
      code: 'model_not_found',
      message: expect.stringContaining("'smart'?"),
    })
  })
})

const TOOLS = [{ type: 'function', function: { name: 'f', parameters: {} } }]
const IMAGE = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }
const SCHEMA = { type: 'json_schema', json_schema: { name: 's', schema: {} } }
const says = (content: unknown) => ({ messages: [{ role: 'user', content }] })

describe('requirements', () => {
  const models = {
    'a/x': { abilities: [] },
    'b/x': { abilities: ['tools', 'schema'], context: 1_000, max_output: 500 },
    'c/x': { abilities: ['tools', 'vision', 'schema', 'audio-input', 'pdf-input'] },
  }
  const routes = { smart: { targets: ['a/x', 'b/x', 'c/x', 'd/x'] } }

  test.each<[string, Record<string, unknown>, string[], string[]]>([
    ['nothing special', {}, ['a/x', 'b/x', 'c/x', 'd/x'], []],
    ['tools', { tools: TOOLS }, ['b/x', 'c/x', 'd/x'], ['it can call no tools']],
    ['an empty list of tools', { tools: [] }, ['a/x', 'b/x', 'c/x', 'd/x'], []],
    ['an image', says([IMAGE]), ['c/x', 'd/x'], ['it takes no images', 'it takes no images']],
    [
      'words about an image',
      says('{"type":"image_url"} and "tools":["x"]'),
      ['a/x', 'b/x', 'c/x', 'd/x'],
      [],
    ],
    [
      'an answer by a schema',
      { response_format: SCHEMA },
      ['b/x', 'c/x', 'd/x'],
      ['it can answer by no JSON schema'],
    ],
    [
      'sound',
      says([{ type: 'input_audio', input_audio: { data: '', format: 'wav' } }]),
      ['c/x', 'd/x'],
      ['it takes no audio', 'it takes no audio'],
    ],
    [
      'more than the window',
      says('word '.repeat(2_000)),
      ['a/x', 'c/x', 'd/x'],
      [expect.stringContaining('its window is 1000 tokens')],
    ],
    [
      'a longer answer than it gives',
      { max_tokens: 501 },
      ['a/x', 'c/x', 'd/x'],
      ['it answers with at most 500 tokens, and 501 are asked for'],
    ],
  ])('%s', async (_, body, wanted, reasons) => {
    const { ask } = await createPlanning({ routes, models })
    const plan = ask('smart', { body })
    expect(namesOf(plan)).toEqual(wanted)
    expect(plan.excluded.map(({ reason }) => reason)).toEqual(reasons)
  })

  test('keep all targets when none meets them, and say so', async () => {
    const { ask } = await createPlanning({ routes: { smart: { targets: ['a/x', 'b/x'] } }, models })
    const plan = ask('smart', { body: says([IMAGE]) })
    expect(namesOf(plan)).toEqual(['a/x', 'b/x'])
    expect(plan.notes).toEqual(['no target is known to meet what the request needs: all are kept'])
  })

  test("go by the target's own limit of tokens", async () => {
    const target = { model: 'b/x', params: { max_tokens: 400 } }
    const { ask } = await createPlanning({ routes: { smart: { targets: [target] } }, models })
    expect(ask('smart', { body: { max_tokens: 5_000 } }).notes).toEqual([])
  })
})

describe('rules', () => {
  const conditional = (when: string, more: Record<string, unknown> = {}) => ({
    smart: { strategy: 'conditional', rules: [{ when, use: 'b/x' }], else: 'a/x', ...more },
  })
  const isTrue = async (
    when: string,
    asked: Parameters<Awaited<ReturnType<typeof createPlanning>>['ask']>[1] = {},
    signals: Parameters<typeof createPlanning>[0]['signals'] = {}
  ) => {
    const { ask, failures } = await createPlanning({ routes: conditional(when), signals })
    const [name] = namesOf(ask('smart', asked))
    expect(failures).toEqual([])
    return name === 'b/x'
  }

  test.each<[string, Parameters<typeof isTrue>[1], boolean]>([
    ['model == "smart"', {}, true],
    ['key == "app" && team == "red" && organization == "default"', { caller: callerOf({}) }, true],
    ['key == ""', {}, true],
    ['user == "u1"', { labels: { user: 'u1' } }, true],
    ['user == "u2"', { body: { user: 'u2' } }, true],
    ['session.startsWith("s")', { labels: { session: 's9' } }, true],
    ['"batch" in tags', { labels: { tags: ['x', 'batch'] } }, true],
    ['tags.exists(tag, tag.matches("^b"))', { labels: { tags: ['x'] } }, false],
    ['headers["X-Team"] == "red"', { headers: { 'x-team': 'red' } }, true],
    ['headers["x-team"] == "red"', {}, false],
    ['"x-team" in headers', {}, false],
    ['!("x-team" in headers) || headers["x-team"] == "red"', {}, true],
    ['body_bytes > 100', {}, false],
    ['estimated_tokens > 1000', { body: says('word '.repeat(2_000)) }, true],
    ['estimated_tokens > 1000', {}, false],
    ['has_tools && !has_vision', { body: { tools: TOOLS } }, true],
    ['has_vision', { body: says([IMAGE]) }, true],
    ['wants_json_schema', { body: { response_format: SCHEMA } }, true],
    ['stream', { body: { stream: true } }, true],
    ['max_tokens > 0 && max_tokens <= 64', { body: { max_tokens: 64 } }, true],
    ['max_tokens == 0', {}, true],
  ])('%s of %j: %p', async (when, asked, wanted) => {
    expect(await isTrue(when, asked)).toBe(wanted)
  })

  // A Tuesday, 23:30 in UTC: Wednesday, half past midnight in Berlin.
  const nowMs = () => Date.parse('2026-01-06T23:30:00Z')

  test.each([
    ['hour == 23 && weekday == 2', 'UTC'],
    ['hour == 0 && weekday == 3', 'Europe/Berlin'],
    ['time < timestamp("2026-01-07T00:00:00Z")', 'Europe/Berlin'],
    ['hour >= 18 || hour < 6', 'America/New_York'],
  ])('%s in %s', async (when, timezone) => {
    const { ask } = await createPlanning({
      routes: conditional(when, { timezone }),
      signals: { nowMs },
    })
    expect(namesOf(ask('smart'))).toEqual(['b/x'])
  })

  test('read what is left of a budget', async () => {
    const left: Record<string, number> = { 'team/red': 4.5 }
    const signals = { budgetRemaining: (subject: string) => left[subject] }
    const caller = callerOf({})
    expect(await isTrue('budget_remaining("team/" + team) < 5', { caller }, signals)).toBe(true)
    expect(await isTrue('budget_remaining("team/blue") < 1e9', { caller }, signals)).toBe(false)
  })

  test('the first that is true says where a request goes, and why', async () => {
    const { ask } = await createPlanning({
      routes: {
        smart: {
          strategy: 'conditional',
          rules: [
            { when: 'has_tools', use: 'b/x' },
            { when: 'stream', use: { strategy: 'fallback', targets: ['c/x', 'd/x'] } },
          ],
          else: 'a/x',
        },
      },
    })
    const plan = ask('smart', { body: { stream: true } })
    expect(namesOf(plan)).toEqual(['c/x', 'd/x'])
    expect(plan.targets[1]?.reason).toBe('rule 2 is true, 2nd in order')
    expect(plan.path).toEqual(['smart: rule 2', 'smart.rules.1: fallback'])
    expect(ask('smart').targets[0]?.reason).toBe('no rule is true')
    expect(namesOf(ask('smart', { body: { stream: true, tools: TOOLS } }))).toEqual(['b/x'])
  })

  test('one that fails is not true; it is noted, and told once', async () => {
    const { ask, failures } = await createPlanning({ routes: conditional('10 / max_tokens > 1') })
    const plan = ask('smart')
    expect(namesOf(plan)).toEqual(['a/x'])
    expect(plan.notes[0]).toStartWith('rule 1 of smart failed, and so is not true: ')
    ask('smart')
    expect(failures).toHaveLength(1)
    expect(failures[0]).toStartWith('smart: 10 / max_tokens > 1: ')
    expect(namesOf(ask('smart', { body: { max_tokens: 2 } }))).toEqual(['b/x'])
  })
})

describe('rights', () => {
  const routes = { smart: { targets: ['a/x', 'b/x'] }, other: { targets: ['a/x'] } }

  test.each<[Partial<Rights>, string[]]>([
    [{}, ['a/x', 'b/x']],
    [{ models: ['*'] }, ['a/x', 'b/x']],
    [{ models: ['route/*'] }, ['a/x', 'b/x']],
    [{ models: ['route/smart', 'c/*'] }, ['a/x', 'b/x']],
    [{ models: ['*/smart'] }, ['a/x', 'b/x']],
    [{ deniedModels: ['a/*'] }, ['b/x']],
    [{ models: ['route/smart'], deniedModels: ['b/x'] }, ['a/x']],
    [{ deniedProviders: ['a'] }, ['b/x']],
    [{ providers: ['b'] }, ['b/x']],
  ])('a key of %j: %p', async (rights, wanted) => {
    const { ask } = await createPlanning({ routes })
    expect(namesOf(ask('smart', { caller: callerOf(rights) }))).toEqual(wanted)
    expect(namesOf(ask('smart', { caller: callerOf({}, { team: rights }) }))).toEqual(wanted)
  })

  test('what is left out says who denies it', async () => {
    const { ask } = await createPlanning({ routes })
    const caller = callerOf({}, { team: { deniedModels: ['a/*'] } })
    expect(ask('smart', { caller }).excluded).toEqual([
      {
        name: 'a/x',
        reason: "the team 'red' may not use the model 'a/x': its deny list of models has a/*",
      },
    ])
  })

  test.each<[Partial<Rights>, string]>([
    [
      { models: ['a/*'] },
      "the key 'app' may not use the route 'smart': its allow list of models has only a/*",
    ],
    [
      { models: ['route/other'] },
      "the key 'app' may not use the route 'smart': its allow list of models has only route/other",
    ],
    [
      { deniedModels: ['route/s*'] },
      "the key 'app' may not use the route 'smart': its deny list of models has route/s*",
    ],
    [
      { deniedProviders: ['a', 'b'] },
      "the route 'smart' has no target that may be used: the key 'app' may not use the model 'a/x': its deny list of providers has a",
    ],
  ])('a key of %j is refused', async (rights, message) => {
    const { ask } = await createPlanning({ routes })
    expect(errorOf(() => ask('smart', { caller: callerOf(rights) }))).toEqual({
      ...{ code: 'model_not_allowed', param: 'model' },
      message,
    })
  })

  test('to a route are none to its targets by their own names', async () => {
    const { ask } = await createPlanning({ routes })
    const caller = callerOf({ models: ['route/smart'] })
    expect(errorOf(() => ask('a/x', { caller })).code).toBe('model_not_allowed')
  })
})

describe('fallbacks of a request', () => {
  const routes = { smart: { targets: ['a/x', 'b/x'] } }
  const allowed = callerOf({}, { fallbacks: true })

  test('come behind its model, each target once', async () => {
    const { ask } = await createPlanning({ routes })
    const fallbacks = ['b/x', 'c/y', 'smart', { provider: 'd', model: 'z' }]
    const plan = ask('c/x', { body: { fallbacks }, caller: allowed })
    expect(namesOf(plan)).toEqual(['c/x', 'b/x', 'c/y', 'a/x', 'd/z'])
    expect(plan.targets[3]?.reason).toBe('a fallback of the request, 1st in order')
  })

  test('need no right of those without a key', async () => {
    const { ask } = await createPlanning({ routes })
    expect(namesOf(ask('smart', { body: { fallbacks: ['d/x'] } }))).toEqual(['a/x', 'b/x', 'd/x'])
  })

  test.each<[string, RouteCaller, string]>([
    [
      'without the right',
      callerOf({}),
      "the key 'app' may not bring fallbacks: it was made without --allow-fallbacks",
    ],
    [
      'whose team forbids them',
      callerOf({}, { fallbacks: true, teamFallbacks: false }),
      "the team 'red' forbids fallbacks in requests",
    ],
    [
      'that may not use one of them',
      callerOf({ models: ['c/*'] }, { fallbacks: true }),
      "the key 'app' may not use the model 'd/x': its allow list of models has only c/*",
    ],
  ])('are refused to a key %s', async (_, caller, message) => {
    const { ask } = await createPlanning({ routes })
    expect(errorOf(() => ask('c/x', { body: { fallbacks: ['d/x'] }, caller }))).toEqual({
      ...{ code: 'model_not_allowed', param: 'fallbacks' },
      message,
    })
    expect(namesOf(ask('c/x', { body: { fallbacks: [] }, caller }))).toEqual(['c/x'])
  })

  test('that nobody knows are told as such', async () => {
    const { ask } = await createPlanning({ routes })
    expect(errorOf(() => ask('c/x', { body: { fallbacks: ['nobody/x'] } }))).toMatchObject({
      ...{ code: 'model_not_found', param: 'fallbacks' },
    })
  })

  test.each([
    ['c/x'],
    [{ a: 'c/x' }],
    [[7]],
    [[{ provider: 'c' }]],
    [['']],
    [Array(17).fill('a/x')],
  ])('%j are none', async (fallbacks) => {
    const { ask } = await createPlanning({ routes })
    expect(errorOf(() => ask('c/x', { body: { fallbacks } }))).toMatchObject({
      ...{ code: 'invalid_request', param: 'fallbacks' },
    })
  })
})
