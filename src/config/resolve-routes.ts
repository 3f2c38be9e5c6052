import { nearestName } from '../std/nearest-name'
import type { FieldPath, Report } from './problem'
import type { OrderedGroup, RouteGroup, RouteMember, RouteNode } from './route-settings'
import type { RouteParams, RoutePolicy, RouteRule, RouteSettings } from './route-settings'
import type { NamedRouteFields, RouteEntryFields } from './routes-fields'
import type { RouteFields, RouteTargetFields } from './routes-fields'

/** Targets of one route, those of the routes that it refers to among them. */
const MOST_LEAVES = 64
const MOST_DEPTH = 16

/** How rights name routes: `route/smart`. */
const RIGHTS_PREFIX = 'route'

/** What decides rights, money or the way of an answer, and who says it. */
const REFUSED_PARAMS: Readonly<Record<string, string>> = {
  model: 'the target says the model',
  messages: 'the client says them',
  input: 'the client says it',
  stream: 'the client says it',
  stream_options: 'the client says them',
  n: 'the client says it',
  max_completion_tokens: 'write max_tokens: it is named as each provider wants it',
  max_output_tokens: 'write max_tokens: it is named as each provider wants it',
  num_predict: 'write max_tokens: it is named as each provider wants it',
  generationConfig: 'write its members: temperature, max_tokens, …',
  inferenceConfig: 'write its members: temperature, max_tokens, …',
  options: 'write its members: temperature, max_tokens, …',
}

type RouteFieldsByName = Readonly<Record<string, NamedRouteFields>>

/**
 * The routes of a checked `routes:` section, references followed. `providers` are the names of those that are
 * configured. Names that collide, targets that nobody serves, cycles and rules that are none are reported.
 */
export async function resolveRoutes(
  routes: RouteFieldsByName,
  providers: readonly string[],
  report: Report
): Promise<readonly RouteSettings[]> {
  if (providers.includes(RIGHTS_PREFIX))
    report(['providers', RIGHTS_PREFIX], {
      message: 'is a name that rights have for routes',
      fix: 'give the provider another name, and its type',
      atKey: true,
    })
  const names = Object.keys(routes)
  if (names.length === 0) return []
  const resolving = new Resolving(routes, new Set(providers), once(report))
  const resolved = names.map((name) => resolving.resolve(name))
  await checkRules(routes, report)
  return resolved.filter((route) => route !== undefined)
}

function toPolicy(
  route: string,
  { continue_streams: continuesStreams, hedge }: NamedRouteFields
): RoutePolicy | undefined {
  if (!continuesStreams && hedge === undefined) return undefined
  const hedging = hedge && { after: hedge.after, share: hedge.max_percent / 100 }
  return { route, continuesStreams, hedge: hedging }
}

/** A route that others refer to is looked at for each of them. */
function once(report: Report): Report {
  const told = new Set<string>()
  return (path, details) => {
    const place = path.join('\n')
    if (!told.has(place)) report(path, details)
    told.add(place)
  }
}

class Resolving {
  readonly #routes: RouteFieldsByName
  readonly #providers: ReadonlySet<string>
  readonly #report: Report
  #leaves = 0

  constructor(routes: RouteFieldsByName, providers: ReadonlySet<string>, report: Report) {
    this.#routes = routes
    this.#providers = providers
    this.#report = report
  }

  resolve(name: string): RouteSettings | undefined {
    const path = ['routes', name]
    const [prefix = ''] = name.split('/')
    if (this.#providers.has(prefix))
      this.#report(path, {
        message: `is taken for a model of the provider '${prefix}'`,
        fix: 'give the route another name',
        atKey: true,
      })
    this.#leaves = 0
    const fields = Object.hasOwn(this.#routes, name) ? this.#routes[name] : undefined
    const root = fields && this.#group(fields, path, [name], name)
    if (this.#leaves > MOST_LEAVES)
      this.#report(path, { message: `has more than ${MOST_LEAVES} targets` })
    const policy = fields && toPolicy(name, fields)
    return root && { name, root, affinity: fields?.affinity ?? true, ...(policy && { policy }) }
  }

  /** `chain` are the names of the routes that led here, `label` is where it stands in the last of them. */
  #group(
    fields: RouteFields,
    path: FieldPath,
    chain: readonly string[],
    label: string
  ): RouteGroup | undefined {
    const { strategy = 'fallback' } = fields
    const isConditional = strategy === 'conditional'
    for (const name of isConditional
      ? (['targets'] as const)
      : (['rules', 'else', 'timezone'] as const))
      if (fields[name] !== undefined)
        this.#report([...path, name], {
          message: `means nothing to a route whose strategy is ${strategy}`,
          atKey: true,
        })
    if (isConditional) return this.#conditional(fields, path, chain, label)
    if (fields.targets === undefined) {
      this.#report([...path, 'targets'], { message: 'is missing', allowed: 'a list of targets' })
      return undefined
    }
    return this.#ordered(strategy, fields.targets, path, chain, label)
  }

  #ordered(
    strategy: OrderedGroup['strategy'],
    targets: readonly RouteTargetFields[],
    path: FieldPath,
    chain: readonly string[],
    label: string
  ): OrderedGroup {
    const members: RouteMember[] = []
    for (const [at, fields] of targets.entries()) {
      const place = [...path, 'targets', at]
      const weight = typeof fields === 'string' ? undefined : fields.weight
      if (weight !== undefined && strategy !== 'weighted')
        this.#report([...place, 'weight'], {
          message: `means nothing to a route whose strategy is ${strategy}`,
          atKey: true,
        })
      const node = this.#node(fields, place, chain, `${label}.targets.${at}`)
      if (node) members.push({ node, weight: weight ?? 1 })
    }
    return { kind: 'ordered', label, strategy, members }
  }

  #conditional(
    { rules, else: otherwise, timezone = 'UTC' }: RouteFields,
    path: FieldPath,
    chain: readonly string[],
    label: string
  ): RouteGroup | undefined {
    const allowed = 'rules, and else for the requests that none of them is true for'
    if (rules === undefined) this.#report([...path, 'rules'], { message: 'is missing', allowed })
    if (otherwise === undefined) this.#report([...path, 'else'], { message: 'is missing', allowed })
    const resolved: RouteRule[] = []
    for (const [at, { when, use }] of (rules ?? []).entries()) {
      const place = [...path, 'rules', at, 'use']
      const node = this.#unweighted(use, place, chain, `${label}.rules.${at}`)
      if (node) resolved.push({ when, use: node })
    }
    if (otherwise === undefined) return undefined
    const last = this.#unweighted(otherwise, [...path, 'else'], chain, `${label}.else`)
    if (last === undefined) return undefined
    return { kind: 'conditional', label, timezone, rules: resolved, otherwise: last }
  }

  #unweighted(
    fields: RouteTargetFields,
    path: FieldPath,
    chain: readonly string[],
    label: string
  ): RouteNode | undefined {
    if (typeof fields !== 'string' && fields.weight !== undefined)
      this.#report([...path, 'weight'], { message: 'means nothing here', atKey: true })
    return this.#node(fields, path, chain, label)
  }

  #node(
    fields: RouteTargetFields,
    path: FieldPath,
    chain: readonly string[],
    label: string
  ): RouteNode | undefined {
    if (typeof fields === 'string') return this.#named(fields, undefined, path, chain)
    const { model, params, ...nested } = fields
    if (model === undefined) return this.#nested(fields, path, chain, label)
    for (const name of NESTED)
      if (nested[name] !== undefined)
        this.#report([...path, name], {
          message: 'stands beside model',
          allowed: 'either model with its params, or a nested route',
          atKey: true,
        })
    for (const name of Object.keys(params ?? {}))
      if (Object.hasOwn(REFUSED_PARAMS, name))
        this.#report([...path, 'params', name], {
          message: 'is nothing that a target may change',
          fix: REFUSED_PARAMS[name],
          atKey: true,
        })
    return this.#named(model, params, [...path, 'model'], chain)
  }

  #nested(
    fields: RouteEntryFields,
    path: FieldPath,
    chain: readonly string[],
    label: string
  ): RouteGroup | undefined {
    if (fields.params !== undefined)
      this.#report([...path, 'params'], { message: 'belongs to a model', atKey: true })
    const isRoute = fields.strategy ?? fields.targets ?? fields.rules
    if (isRoute !== undefined) return this.#group(fields, path, chain, label)
    this.#report(path, { message: 'names nothing', allowed: 'model, or strategy and targets' })
    return undefined
  }

  #named(
    name: string,
    params: RouteParams | undefined,
    path: FieldPath,
    chain: readonly string[]
  ): RouteNode | undefined {
    if (++this.#leaves > MOST_LEAVES) return undefined
    const slash = name.indexOf('/')
    if (slash > 0 && slash < name.length - 1 && this.#providers.has(name.slice(0, slash)))
      return { kind: 'target', model: name, params }
    const route = Object.hasOwn(this.#routes, name) ? this.#routes[name] : undefined
    if (route === undefined) return this.#unknown(name, path)
    if (params !== undefined)
      this.#report(path, { message: 'is a route, whose targets have params of their own' })
    if (chain.includes(name) || chain.length > MOST_DEPTH) {
      const cycle = [...chain.slice(chain.indexOf(name)), name].join(' → ')
      this.#report(path, { message: `leads back to where it came from: ${cycle}` })
      return undefined
    }
    this.#leaves--
    return this.#group(route, ['routes', name], [...chain, name], name)
  }

  #unknown(name: string, path: FieldPath): undefined {
    const known = [...Object.keys(this.#routes), ...[...this.#providers].map((one) => `${one}/…`)]
    this.#report(path, {
      message: 'is neither a model of a configured provider nor a route',
      found: JSON.stringify(name),
      allowed: `provider/model with one of the providers ${[...this.#providers].join(', ')}, or a route`,
      nearest: nearestName(name, known),
    })
  }
}

const NESTED = ['strategy', 'targets', 'rules', 'else', 'timezone'] as const

type WrittenRule = { when: string; path: FieldPath }

/** Rules that are none. What reads them is loaded with the first of them. */
async function checkRules(routes: RouteFieldsByName, report: Report): Promise<void> {
  const rules = Object.entries(routes).flatMap(([name, route]) =>
    Array.from(rulesOf(route, ['routes', name]))
  )
  if (rules.length === 0) return
  const { createRuleLanguage, findRuleProblem } = await import('./rule-language')
  const language = createRuleLanguage(() => 0)
  for (const { when, path } of rules) {
    const problem = findRuleProblem(language, when)
    if (problem !== undefined)
      report(path, { message: `is not a rule: ${problem}`, found: JSON.stringify(when) })
  }
}

function* rulesOf(fields: RouteTargetFields, path: FieldPath): Generator<WrittenRule> {
  if (typeof fields === 'string') return
  for (const [at, { when, use }] of (fields.rules ?? []).entries()) {
    yield { when, path: [...path, 'rules', at, 'when'] }
    yield* rulesOf(use, [...path, 'rules', at, 'use'])
  }
  if (fields.else !== undefined) yield* rulesOf(fields.else, [...path, 'else'])
  for (const [at, target] of (fields.targets ?? []).entries())
    yield* rulesOf(target, [...path, 'targets', at])
}
