import { parseConfiguration } from '../../src/config/load-configuration'
import { renderProblems } from '../../src/config/problem'
import { boundInput } from '../../src/ledger/input-bound'
import { createModelBook } from '../../src/models/model-book'
import { openaiChat } from '../../src/protocols/openai/openai'
import { createProvider } from '../../src/providers/provider'
import { AffinityBook } from '../../src/routing/affinity'
import { createModelIndex } from '../../src/routing/model-index'
import { createPlanner } from '../../src/routing/planner'
import type { PlanRequest } from '../../src/routing/route-caller'
import { createSignals } from '../../src/routing/route-signals'
import { createPiece, inTurn, type Piece } from './piece'

const TARGETS = ['a', 'b', 'c', 'd'].map((name) => ({ name, model: `${name}/model` }))
const BODY_BYTES = 2_000

const CONFIGURATION = {
  providers: Object.fromEntries(
    TARGETS.map(({ name }) => [
      name,
      { type: 'openai', base_url: 'https://host.example/v1', api_key: 'none' },
    ])
  ),
  models: {
    '*/*': { abilities: ['tools', 'vision'], context: 128_000, price: { input: 1, output: 2 } },
    'd/*': { abilities: ['vision'] },
  },
  routes: {
    fallback: { targets: TARGETS.map(({ model }) => model) },
    weighted: {
      strategy: 'weighted',
      targets: TARGETS.map(({ model }, at) => ({ model, weight: at + 1 })),
    },
    fastest: { strategy: 'least_latency', targets: TARGETS.map(({ model }) => model) },
    ruled: {
      strategy: 'conditional',
      rules: [{ when: 'team == "red" && max_tokens > 4000', use: 'a/model' }],
      else: 'weighted',
    },
  },
}

/** The plan of a request for a plain model, for a route of four targets, and for one behind a rule. */
export async function createRoutingPieces(): Promise<Piece[]> {
  const { configuration } = await load()
  const book = createModelBook({
    list: { version: 'none', taken: '', providers: new Map() },
    overrides: configuration.models,
    providers: configuration.providers,
  })
  const planner = createPlanner({
    models: createModelIndex(
      configuration.providers.map((provider) => createProvider(provider)),
      ({ name }, model) => book.find(name, model)
    ),
    routes: configuration.routes,
    affinity: new AffinityBook(() => performance.now()),
    signals: createSignals({ latencyMs: ({ name }) => name.length * 100 }),
    onRuleFailure() {},
  })
  const piece = (work: string, budgetMicros: number, names: readonly string[]) =>
    createPiece({
      work,
      budgetMicros,
      fresh: inTurn<PlanRequest>(names.map(createRequest)),
      run: (request) => planner.plan(request),
    })
  return [
    piece('plan a plain model', 0.5, ['a/model', 'b/model', 'c/model']),
    piece('plan a route of four targets', 3, ['fallback', 'weighted', 'fastest']),
    piece('plan a route of four targets behind a rule', 5, ['ruled']),
  ]
}

async function load() {
  const loaded = await parseConfiguration(JSON.stringify(CONFIGURATION), {
    ...{ name: 'the bench', directory: '/', env: {}, overrides: {}, rows: [] },
  })
  if (!loaded.ok) throw new Error(renderProblems(loaded.problems))
  return loaded
}

function createRequest(model: string): PlanRequest {
  const content = 'x'.repeat(BODY_BYTES)
  const body = JSON.stringify({ model, messages: [{ role: 'user', content }], max_tokens: 500 })
  const envelope = openaiChat.client.parseRequest(new TextEncoder().encode(body), {})
  return {
    caller: undefined,
    envelope,
    boundTokens: () => boundInput(envelope.body).tokens,
    call: {
      header: () => null,
      labels: () => ({ user: undefined, session: undefined, tags: [] }),
    },
  }
}
