import type { RouteGroup, RouteNode, RouteSettings, RouteTarget } from '../config/route-settings'
import type { ConditionalGroup, OrderedGroup, RouteParams } from '../config/route-settings'
import { explainCovered } from '../keys/rights'
import type { Level } from '../keys/virtual-key'
import { countOf } from '../std/record'
import type { Exclusion, Plan } from './plan'
import { explainPinned, pinCredentials } from './pin-credentials'
import { findUnmet, RequestNeeds } from './requirements'
import type { PlanRequest } from './route-caller'
import type { RouteSignals } from './route-signals'
import { createLocalClock, type LocalClock, RuleFacts } from './rule-facts'
import type { CompiledRule } from './rules'
import { type Candidate, type PlanDraft, rank, type StrategyRequest } from './strategies'
import type { Target } from './target'

/** A route made ready once: its rules compiled, and what all of them read. */
export type CompiledRoute = {
  readonly settings: RouteSettings
  readonly conditions: ReadonlyMap<ConditionalGroup, Condition>
  /** Headers that some rule reads, as they are written there. */
  readonly headers: readonly string[]
  /** Some target stands in it twice. */
  readonly hasTwins: boolean
  /** What it comes to for whoever has the same rights; `undefined` where requests have a say in its order. */
  readonly fixed: FixedPlans | undefined
}

type Condition = { readonly rules: readonly CompiledRule[]; readonly clock: LocalClock }

/** What a route is planned with. */
export type RouteTools = {
  readonly signals: RouteSignals
  /** The target of a `provider/model` whose provider is configured. */
  resolve(model: string): Target
  /** Another number as soon as `resolve` may give other targets. */
  targetsVersion(): number
  /** A rule failed for a request, and so was not true: told each time. */
  onRuleFailure(label: string, when: string, failure: string): void
}

/** Makes a route ready. `compile` is asked only where there are rules. */
export function compileRoute(
  settings: RouteSettings,
  compile: (when: string) => CompiledRule
): CompiledRoute {
  const conditions = new Map<ConditionalGroup, Condition>()
  const models: string[] = []
  const visit = (node: RouteNode) => {
    if (node.kind === 'target') models.push(node.model)
    else if (node.kind === 'ordered') for (const member of node.members) visit(member.node)
    else {
      const rules = node.rules.map(({ when }) => compile(when))
      conditions.set(node, { rules, clock: createLocalClock(node.timezone) })
      for (const { use } of node.rules) visit(use)
      visit(node.otherwise)
    }
  }
  visit(settings.root)
  const rules = [...conditions.values()].flatMap((condition) => condition.rules)
  return {
    settings,
    conditions,
    headers: [...new Set(rules.flatMap(({ headers }) => headers))],
    hasTwins: new Set(models).size < models.length,
    fixed: isFixed(settings.root) ? new FixedPlans() : undefined,
  }
}

function isFixed(node: RouteNode): boolean {
  if (node.kind === 'target') return true
  return (
    node.kind === 'ordered' &&
    node.strategy === 'fallback' &&
    node.members.every((member) => isFixed(member.node))
  )
}

/** The plan of a route whose order is written down, for each list of rights that callers have. */
class FixedPlans {
  #plans = new WeakMap<readonly Level[], Plan>()
  #version = -1

  of(levels: readonly Level[], version: number, make: () => Plan): Plan {
    if (version !== this.#version) {
      this.#plans = new WeakMap()
      this.#version = version
    }
    const known = this.#plans.get(levels)
    if (known !== undefined) return known
    const plan = { ...make(), isFixed: true }
    this.#plans.set(levels, plan)
    return plan
  }
}

/**
 * The plan of a request for a route, in microseconds and without waiting. It has no targets where rights leave none:
 * then `excluded` says why.
 */
export function planRoute(route: CompiledRoute, request: PlanRequest, tools: RouteTools): Plan {
  const plan = route.fixed?.of(request.caller?.levels ?? NO_LEVELS, tools.targetsVersion(), () =>
    new Planning(route, request, tools).run(false)
  )
  return plan && meetsNeeds(plan, request) ? plan : planAnew(route, request, tools)
}

function meetsNeeds({ targets }: Plan, request: PlanRequest): boolean {
  let needs: RequestNeeds | undefined
  for (const { target, params } of targets) {
    if (target.card === undefined) continue
    needs ??= new RequestNeeds(request.envelope, request.boundTokens)
    if (findUnmet(needs, target.card, outputLimitOf(params, request)) !== undefined) return false
  }
  return targets.length > 0
}

/** What a target is allowed to write: its own parameters come before what the client said. */
function outputLimitOf(params: RouteParams | undefined, { envelope }: PlanRequest) {
  return (params && countOf(params, 'max_tokens')) ?? envelope.outputLimit
}

function planAnew(route: CompiledRoute, request: PlanRequest, tools: RouteTools): Plan {
  const planning = new Planning(route, request, tools)
  const plan = planning.run(true)
  if (plan.targets.length > 0 || !planning.hasUnmet) return plan
  // Whether a request can be served, the provider knows better than any list.
  const anyway = new Planning(route, request, tools).run(false)
  const notes = [...anyway.notes, 'no target is known to meet what the request needs: all are kept']
  return { ...anyway, notes }
}

class Planning implements StrategyRequest {
  readonly signals: RouteSignals
  readonly #route: CompiledRoute
  readonly #request: PlanRequest
  readonly #tools: RouteTools
  readonly #needs: RequestNeeds
  readonly #excluded: Exclusion[] = []
  readonly #path: string[] = []
  readonly #notes: string[] = []
  #mustMeet = true
  #facts: RuleFacts | undefined
  /** Some target was left out for what it can't do. */
  hasUnmet = false

  constructor(route: CompiledRoute, request: PlanRequest, tools: RouteTools) {
    this.signals = tools.signals
    this.#route = route
    this.#request = request
    this.#tools = tools
    this.#needs = new RequestNeeds(request.envelope, request.boundTokens)
  }

  get outputLimit(): number | undefined {
    return this.#request.envelope.outputLimit
  }

  estimatedTokens(): number {
    return this.#needs.estimatedTokens()
  }

  run(mustMeet: boolean): Plan {
    this.#mustMeet = mustMeet
    const { settings, hasTwins } = this.#route
    const ordered = this.#group(settings.root)
    const targets = hasTwins ? withoutTwins(ordered) : ordered
    const plan = { targets, excluded: this.#excluded, path: this.#path, notes: this.#notes }
    return settings.policy === undefined ? plan : { ...plan, policy: settings.policy }
  }

  #node(node: RouteNode): readonly PlanDraft[] {
    return node.kind === 'target' ? this.#target(node) : this.#group(node)
  }

  #group(group: RouteGroup): readonly PlanDraft[] {
    return group.kind === 'ordered' ? this.#ordered(group) : this.#conditional(group)
  }

  #target({ model, params }: RouteTarget): readonly PlanDraft[] {
    const { caller } = this.#request
    const known = this.#tools.resolve(model)
    const denial = caller && explainCovered(caller, known.name)
    if (denial) return this.#exclude(model, denial.message)
    const target = caller ? pinCredentials(caller, known) : known
    if (target === undefined) return this.#exclude(model, explainPinned(known))
    if (this.#mustMeet) {
      const unmet = findUnmet(this.#needs, target.card, outputLimitOf(params, this.#request))
      if (unmet !== undefined) {
        this.hasUnmet = true
        return this.#exclude(model, unmet)
      }
    }
    return [{ target, params, reason: '' }]
  }

  #exclude(name: string, reason: string): readonly PlanDraft[] {
    this.#excluded.push({ name, reason })
    return NO_TARGETS
  }

  #ordered({ label, strategy, members }: OrderedGroup): readonly PlanDraft[] {
    this.#path.push(`${label}: ${strategy}`)
    const candidates: Candidate[] = []
    for (const { node, weight } of members) {
      const targets = this.#node(node)
      const [first] = targets
      if (first !== undefined)
        candidates.push({ first, targets, weight: this.#weightOf(first, weight), reason: '' })
    }
    const planned: PlanDraft[] = []
    rank(strategy, candidates, this)
    for (const { targets, reason } of candidates)
      for (const draft of targets) {
        draft.reason = join(reason, draft.reason)
        planned.push(draft)
      }
    return planned
  }

  /** What a key, its team or its organization says of a provider comes before the route. */
  #weightOf({ target }: PlanDraft, weight: number): number {
    for (const { weights } of this.#request.caller?.levels ?? NO_LEVELS) {
      const { name } = target.provider
      if (weights !== undefined && Object.hasOwn(weights, name)) return weights[name] ?? weight
    }
    return weight
  }

  #conditional(group: ConditionalGroup): readonly PlanDraft[] {
    const condition = this.#route.conditions.get(group)
    const { label, rules, otherwise } = group
    for (const [at, { use }] of rules.entries()) {
      const rule = condition?.rules[at]
      if (condition === undefined || rule === undefined || !this.#test(label, at, rule, condition))
        continue
      this.#path.push(`${label}: rule ${at + 1}`)
      return reasoned(this.#node(use), `rule ${at + 1} is true`)
    }
    this.#path.push(`${label}: else`)
    return reasoned(this.#node(otherwise), 'no rule is true')
  }

  #test(label: string, at: number, rule: CompiledRule, { clock }: Condition): boolean {
    const facts = (this.#facts ??= new RuleFacts({
      request: this.#request,
      needs: this.#needs,
      signals: this.signals,
      headers: this.#route.headers,
    }))
    facts.clock = clock
    const { isTrue, failure } = rule.test(facts)
    if (failure !== undefined) {
      this.#notes.push(`rule ${at + 1} of ${label} failed, and so is not true: ${failure}`)
      this.#tools.onRuleFailure(label, rule.when, failure)
    }
    return isTrue
  }
}

const NO_LEVELS: readonly Level[] = []
const NO_TARGETS: readonly PlanDraft[] = []

function reasoned(targets: readonly PlanDraft[], reason: string): readonly PlanDraft[] {
  for (const draft of targets) draft.reason = join(reason, draft.reason)
  return targets
}

function join(outer: string, inner: string): string {
  return inner === '' ? outer : `${outer}, ${inner}`
}

/** A target that would be sent the same a second time stands in the first of its places. */
function withoutTwins(planned: readonly PlanDraft[]): readonly PlanDraft[] {
  return planned.filter(
    ({ target, params }, at) =>
      planned.findIndex((one) => one.target.name === target.name && one.params === params) === at
  )
}
