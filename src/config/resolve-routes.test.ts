import { describe, expect, test } from 'bun:test'

import { parseConfiguration } from './load-configuration'
import type { Problem } from './problem'

const PROVIDERS = `providers:
  a: { type: openai, base_url: "https://a.example/v1", api_key: none }
  b: { type: openai, base_url: "https://b.example/v1", api_key: none }
`

async function parse(routes: string) {
  const given = { name: 'tollgate.yaml', directory: '/', env: {}, overrides: {}, rows: [] }
  return parseConfiguration(`${PROVIDERS}routes:\n${routes}`, given)
}

async function routesOf(text: string) {
  const result = await parse(text)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.configuration.routes
}

const target = (model: string) => ({ kind: 'target' as const, model, params: undefined })

describe('routes', () => {
  test('are written in one line', async () => {
    expect(await routesOf('  smart: { strategy: fallback, targets: [a/x, b/y] }\n')).toEqual([
      {
        ...{ name: 'smart', affinity: true },
        root: {
          kind: 'ordered',
          label: 'smart',
          strategy: 'fallback',
          members: [
            { node: target('a/x'), weight: 1 },
            { node: target('b/y'), weight: 1 },
          ],
        },
      },
    ])
  })

  test('hold weights, parameters, nested routes and others by name', async () => {
    const [smart, cheap] = await routesOf(`  smart:
    strategy: weighted
    targets:
      - { model: a/x, weight: 3, params: { temperature: 0, stop: [x] } }
      - cheap
      - { strategy: lowest_cost, targets: [b/x, b/y], weight: 0.5 }
  cheap: { targets: [b/z] }
`)
    expect(smart?.root).toMatchObject({
      members: [
        { node: { model: 'a/x', params: { temperature: 0, stop: ['x'] } }, weight: 3 },
        { node: { kind: 'ordered', label: 'cheap', members: [{ node: target('b/z') }] } },
        { node: { label: 'smart.targets.2', strategy: 'lowest_cost' }, weight: 0.5 },
      ],
    })
    expect(cheap?.root).toMatchObject({ strategy: 'fallback' })
  })

  test('say what is done beyond trying one target after the other', async () => {
    const routes = await routesOf(`  plain: { targets: [a/x] }
  steady: { targets: [a/x], continue_streams: true }
  fast: { targets: [a/x, b/x], hedge: {} }
  both: { targets: [a/x, b/x], continue_streams: true, hedge: { after: 800ms, max_percent: 2 } }
`)
    expect(routes.map(({ policy }) => policy)).toEqual([
      undefined,
      { route: 'steady', continuesStreams: true, hedge: undefined },
      { route: 'fast', continuesStreams: false, hedge: { after: 'p95', share: 0.05 } },
      { route: 'both', continuesStreams: true, hedge: { after: 800, share: 0.02 } },
    ])
  })

  test.each([
    ['hedge: { after: p99 }', 'routes.bad.hedge.after'],
    ['hedge: { after: 1ms }', 'routes.bad.hedge.after'],
    ['hedge: { max_percent: 80 }', 'routes.bad.hedge.max_percent'],
    ['continue_streams: twice', 'routes.bad.continue_streams'],
  ])('refuse %s by its place', async (written, place) => {
    const result = await parse(`  bad: { targets: [a/x], ${written} }\n`)
    expect(result.ok ? [] : result.problems.map(({ path }) => path)).toEqual([place])
  })

  test('go by conditions', async () => {
    const [smart] = await routesOf(`  smart:
    strategy: conditional
    timezone: Europe/Berlin
    rules: [{ when: 'has_tools', use: { targets: [a/x, b/x] } }]
    else: b/y
`)
    expect(smart?.root).toMatchObject({
      kind: 'conditional',
      timezone: 'Europe/Berlin',
      rules: [{ when: 'has_tools', use: { label: 'smart.rules.0' } }],
      otherwise: target('b/y'),
    })
  })
})

const rule = (when: string) =>
  `  s:\n    strategy: conditional\n    rules:\n      - when: '${when}'\n        use: a/x\n    else: b/x\n`

const RULE = { line: 8, column: 15, path: 'routes.s.rules.0.when' }

const TABLE: [string, string, Partial<Problem>][] = [
  [
    'a target that is neither',
    '  s: { targets: [a/x, openai/x] }\n',
    {
      ...{ line: 5, column: 23, path: 'routes.s.targets.1' },
      message: 'is neither a model of a configured provider nor a route',
      found: '"openai/x"',
    },
  ],
  [
    'a bare name that is close to a route',
    '  smart: { targets: [a/x] }\n  s: { targets: [smrt] }\n',
    { line: 6, path: 'routes.s.targets.0', nearest: 'smart' },
  ],
  [
    'a route that leads to itself',
    '  s: { targets: [a/x, s] }\n',
    { path: 'routes.s.targets.1', message: 'leads back to where it came from: s → s' },
  ],
  [
    'a circle of routes',
    '  s: { targets: [t] }\n  t: { targets: [{ targets: [u] }] }\n  u: { targets: [a/x, s] }\n',
    {
      ...{ line: 7, path: 'routes.u.targets.1' },
      message: 'leads back to where it came from: s → t → u → s',
    },
  ],
  [
    'the name of a provider',
    '  a: { targets: [b/x] }\n',
    { line: 5, column: 3, path: 'routes.a', message: "is taken for a model of the provider 'a'" },
  ],
  [
    "a name behind a provider's prefix",
    '  a/smart: { targets: [b/x] }\n',
    { path: 'routes.a/smart', message: "is taken for a model of the provider 'a'" },
  ],
  ['no targets', '  s: { strategy: weighted }\n', { path: 'routes.s.targets' }],
  ['an empty list', '  s: { targets: [] }\n', { allowed: 'at least one target' }],
  [
    'a strategy that is none',
    '  s: { strategy: fastest, targets: [a/x] }\n',
    { path: 'routes.s.strategy', allowed: expect.stringContaining('least_latency') },
  ],
  [
    'a misspelled field of a target',
    '  s: { targets: [{ model: a/x, wieght: 2 }] }\n',
    { path: 'routes.s.targets.0.wieght', nearest: 'weight', message: 'is not a known field' },
  ],
  [
    'a wrong value deep inside',
    '  s: { targets: [{ targets: [{ model: a/x, weight: -1 }] }] }\n',
    { path: 'routes.s.targets.0.targets.0.weight', found: '-1' },
  ],
  [
    'a weight that counts for nothing',
    '  s: { targets: [{ model: a/x, weight: 2 }] }\n',
    {
      path: 'routes.s.targets.0.weight',
      message: 'means nothing to a route whose strategy is fallback',
    },
  ],
  [
    'rules that count for nothing',
    "  s: { targets: [a/x], rules: [{ when: 'stream', use: b/x }] }\n",
    { path: 'routes.s.rules' },
  ],
  [
    'a condition without else',
    "  s: { strategy: conditional, rules: [{ when: 'stream', use: b/x }] }\n",
    { path: 'routes.s.else', message: 'is missing' },
  ],
  [
    'a model and a route in one',
    '  s: { targets: [{ model: a/x, targets: [b/x] }] }\n',
    { path: 'routes.s.targets.0.targets', message: 'stands beside model' },
  ],
  [
    'a target that names nothing',
    '  s: { targets: [{ weight: 1 }] }\n',
    { message: 'names nothing' },
  ],
  [
    'a parameter that money hangs on',
    '  s: { targets: [{ model: a/x, params: { n: 4 } }] }\n',
    { path: 'routes.s.targets.0.params.n', message: 'is nothing that a target may change' },
  ],
  [
    'a time zone that is none',
    "  s: { strategy: conditional, timezone: Mars, rules: [{ when: 'stream', use: a/x }], else: b/x }\n",
    { path: 'routes.s.timezone' },
  ],
  [
    'a rule with an unknown name',
    rule('modl == "x"'),
    { ...RULE, message: 'is not a rule: Unknown variable: modl at character 1' },
  ],
  [
    'a rule that does not parse',
    rule('stream &&'),
    { ...RULE, message: expect.stringContaining('Unexpected token: EOF') },
  ],
  [
    'a rule that compares what can not be',
    rule('has_tools > 1'),
    { ...RULE, message: 'is not a rule: no such overload: bool > int at character 1' },
  ],
  [
    'a rule that is no condition',
    rule('estimated_tokens'),
    { ...RULE, message: 'is not a rule: it is no condition: it gives int' },
  ],
  [
    'a rule that reads any header',
    rule('headers.exists(name, name == "x")'),
    { ...RULE, message: expect.stringContaining('headers are read by a name in quotes') },
  ],
]

test.each(TABLE)('%s', async (_, text, wanted) => {
  const result = await parse(text)
  if (result.ok) throw new Error('it was taken')
  expect(result.problems).toContainEqual(expect.objectContaining(wanted))
})

test('routes that multiply are refused before they take long', async () => {
  const levels = Array.from(
    { length: 12 },
    (_, at) =>
      `  r${at}: { targets: [${Array(20)
        .fill(`r${at + 1}`)
        .join(', ')}] }\n`
  )
  const result = await parse(`${levels.join('')}  r12: { targets: [a/x] }\n`)
  if (result.ok) throw new Error('it was taken')
  expect(result.problems).toContainEqual(
    expect.objectContaining({ path: 'routes.r0', message: 'has more than 64 targets' })
  )
})

test('no provider is called as rights call routes', async () => {
  const given = { name: 'tollgate.yaml', directory: '/', env: {}, overrides: {}, rows: [] }
  const provider = '{ type: openai, base_url: "https://a.example/v1", api_key: none }'
  const result = await parseConfiguration(`providers:\n  route: ${provider}\n`, given)
  if (result.ok) throw new Error('it was taken')
  expect(result.problems).toMatchObject([{ line: 2, column: 3, path: 'providers.route' }])
})
