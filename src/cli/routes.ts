import type { Command } from 'commander'
import { readFileSync } from 'node:fs'
import type { Configuration } from '../config/configuration'
import type { RouteNode, RouteSettings } from '../config/route-settings'
import { layOutColumns } from './columns'
import { CommandError, EXIT, type CommandOutput } from './command-line'
import type { Finish } from './finish'
import { configOption, jsonOption } from './options'
import type { RouteCase, RouteCaseResult } from './route-cases'

type RoutesOptions = { config?: string; json?: boolean }

/** Adds `routes list|test`: what a configuration does with requests, without a gateway or a network. */
export function addRoutesCommands(program: Command, output: CommandOutput, finish: Finish): void {
  const routes = program.command('routes').description('routes, and what they do with requests')

  routes
    .command('list')
    .description('list the routes of a configuration')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async ({ config, json }: RoutesOptions) => {
      const configuration = await load(config)
      const views = configuration.routes.map(viewRoute)
      if (json === true) return output.out(JSON.stringify(views))
      if (views.length === 0) return output.out('There is no route here.')
      const rows = views.map((view) => {
        const { name, strategy, targets } = view
        return [name, strategy, targets.join(', '), sayPolicy(view)]
      })
      const head = ['NAME', 'STRATEGY', 'TARGETS', 'BEYOND']
      for (const line of layOutColumns([head, ...rows])) output.out(line)
    })

  routes
    .command('test')
    .description('plan the requests of a file, and compare with what is expected of each')
    .argument('<file>', 'cases, YAML or JSON')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, { config, json }: RoutesOptions) => {
      const results = await runCases(await load(config), await readCases(file))
      const failed = results.filter(({ ok }) => !ok)
      if (failed.length > 0) finish(EXIT.failed)
      if (json === true) return output.out(JSON.stringify(results))
      for (const result of failed) for (const line of describe(result)) output.out(line)
      output.out(`${results.length} cases, ${failed.length} failed.`)
    })
}

function viewRoute({ name, root, affinity, policy }: RouteSettings) {
  const hedge = policy?.hedge
  return {
    name,
    strategy: root.kind === 'ordered' ? root.strategy : root.kind,
    targets: [...new Set(modelsOf(root))],
    affinity,
    continue_streams: policy?.continuesStreams ?? false,
    hedge: hedge === undefined ? null : { after: hedge.after, max_percent: hedge.share * 100 },
  }
}

/** What a route does beyond trying one target after the other. */
function sayPolicy(view: ReturnType<typeof viewRoute>): string {
  const { affinity, continue_streams, hedge } = view
  const said: string[] = []
  if (hedge !== null) {
    const after = hedge.after === 'p95' ? 'p95' : `${hedge.after} ms`
    said.push(`hedges after ${after}, ${hedge.max_percent} % at most`)
  }
  if (continue_streams) said.push('continues streams')
  if (!affinity) said.push('no affinity')
  return said.join('; ') || '-'
}

async function load(file: string | undefined): Promise<Configuration> {
  const [{ loadConfiguration }, { renderProblems }, { CATALOG }, { checkModelList }] =
    await Promise.all([
      import('../config/load-configuration'),
      import('../config/problem'),
      import('../providers/catalog'),
      import('./check-model-list'),
    ])
  const options = { file, env: process.env, overrides: {}, rows: CATALOG, checkModelList }
  const loaded = await loadConfiguration(options)
  if (loaded.ok) return loaded.configuration
  throw new CommandError(EXIT.configuration, renderProblems(loaded.problems).trimEnd())
}

async function readCases(file: string): Promise<readonly RouteCase[]> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new CommandError(EXIT.notFound, `${file} can't be read`)
  }
  const [{ parseSourceText }, { renderProblems }, { routeCasesSchema }] = await Promise.all([
    import('../config/source-text'),
    import('../config/problem'),
    import('./route-cases'),
  ])
  const { value, problems } = await parseSourceText(text, file)
  if (problems.length > 0) throw new CommandError(EXIT.usage, renderProblems(problems).trimEnd())
  const parsed = routeCasesSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = issue?.path.join('.') ?? ''
  throw new CommandError(EXIT.usage, `${file}: ${path}: ${issue?.message ?? 'not understood'}`)
}

/** Each case has its own planner: what it draws is its own affair. */
async function runCases(
  configuration: Configuration,
  cases: readonly RouteCase[]
): Promise<readonly RouteCaseResult[]> {
  const [
    { createEquivalents, createServedModels },
    { createPlanner },
    { createSignals },
    { runRouteCase, toSignals },
  ] = await Promise.all([
    import('./serving'),
    import('../routing/planner'),
    import('../routing/route-signals'),
    import('./route-cases'),
  ])
  const { models, providers } = createServedModels(configuration)
  const equivalents = createEquivalents(configuration, models, providers)
  const results = cases.map((facts) => {
    const signals = createSignals(toSignals(facts))
    const { routes } = configuration
    const planner = createPlanner({ models, routes, signals, equivalents, onRuleFailure() {} })
    return runRouteCase(planner, facts)
  })
  for (const { credential } of providers) credential?.close()
  return results
}

function modelsOf(node: RouteNode): string[] {
  if (node.kind === 'target') return [node.model]
  const nodes =
    node.kind === 'ordered'
      ? node.members.map((member) => member.node)
      : [...node.rules.map(({ use }) => use), node.otherwise]
  return nodes.flatMap(modelsOf)
}

/** What was expected, and what there is instead with its reasons. */
function describe(result: RouteCaseResult): string[] {
  const { name, expected, targets, excluded, path, notes, problem } = result
  const lines = [`FAIL ${name}`, `  expected  ${expected.targets.join(', ')}`]
  if (expected.excluded !== null)
    lines.push(`  without   ${expected.excluded.join(', ') || 'none'}`)
  if (problem !== null) return [...lines, `  refused   ${problem}`]
  const told = targets.map((target) =>
    target.reason === '' ? target.name : `${target.name} (${target.reason})`
  )
  lines.push(`  found     ${told.join(', ')}`)
  for (const { name: left, reason } of excluded) lines.push(`  left out  ${left}: ${reason}`)
  for (const note of notes) lines.push(`  note      ${note}`)
  if (path.length > 0) lines.push(`  by        ${path.join(' > ')}`)
  return lines
}

const EXAMPLES = `
A case names a model and the targets that are expected, in order. All else is optional: body (members of a chat
request), input_tokens, key, team, organization, user, session, tags, headers, time, seed (of what is drawn),
latency_ms, throughput and in_flight by target, budget_remaining by subject, excluded (what is left out).

  - { name: tools, model: smart, body: { tools: [{ type: function }] }, targets: [openai/gpt-4o] }
  - { model: smart, tags: [batch], time: 2030-01-05T12:00:00Z, targets: [local/a, openai/b], excluded: [] }

Exit codes: 0 as expected, 1 not so.`
