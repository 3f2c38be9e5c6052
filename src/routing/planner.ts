import { type AffinityBook, keepPlace } from './affinity'
import type { RouteSettings } from '../config/route-settings'
import { GatewayError } from '../errors/gateway-error'
import {
  explainFallbacks,
  explainRights,
  explainTool,
  hasToolRights,
  mayUseEquivalents,
  toRouteName,
} from '../keys/rights'
import type { Envelope } from '../protocols/envelope'
import { listServerTools } from '../protocols/server-tools'
import type { Equivalents } from './equivalents/equivalents'
import type { ModelIndex } from './model-index'
import { changePlan, type Plan, type PlannedTarget, toPlainPlan } from './plan'
import { type CompiledRoute, compileRoute, planRoute, type RouteTools } from './plan-route'
import type { PlanRequest, RouteCaller } from './route-caller'
import type { RouteSignals } from './route-signals'
import { explainPinned, pinCredentials } from './pin-credentials'
import type { CompiledRule } from './rules'

/** Finds the targets of requests. Rebuilt with the configuration, never waited for. */
export type Planner = {
  /**
   * Which targets a request may go to, in order. Throws `model_not_found`, and `model_not_allowed` in words of the
   * level and the rule that deny it; so too `tool_not_allowed`.
   */
  plan(request: PlanRequest): Plan
}

export type PlannerOptions = {
  models: ModelIndex
  routes: readonly RouteSettings[]
  signals: RouteSignals
  /** Where conversations were served; left out, each turn is placed anew. */
  affinity?: AffinityBook
  /** What may be asked in the place of a model without a route; left out, nothing is. */
  equivalents?: Equivalents | undefined
  /** A rule failed for a request: told once for each rule. */
  onRuleFailure(label: string, when: string, failure: string): void
}

/** Makes routes ready; their rules were found to be some. */
export function createPlanner(options: PlannerOptions): Planner {
  const { models, signals, affinity, equivalents } = options
  const routes = compileRoutes(options.routes)
  const told = new Set<string>()
  const tools: RouteTools = {
    signals,
    resolve: (model) => models.resolve(model),
    targetsVersion: () => models.version,
    onRuleFailure(label, when, failure) {
      const rule = `${label}\n${when}`
      if (told.has(rule)) return
      told.add(rule)
      options.onRuleFailure(label, when, failure)
    },
  }

  /** `asked` is the field of the request that names the model, for errors. */
  function planName(name: string, request: PlanRequest, asked: string): Plan {
    const { caller } = request
    const route = routes.size === 0 ? undefined : routes.get(name)
    if (route === undefined) {
      const target = models.resolve(name)
      const denial = caller && explainRights(caller, target.name)
      if (denial) throw notAllowed(denial.message, asked)
      const pinned = caller ? pinCredentials(caller, target) : target
      if (pinned === undefined) throw notAllowed(explainPinned(target), asked)
      return toPlainPlan(pinned)
    }
    const denial = caller && explainRights(caller, toRouteName(name))
    if (denial) throw notAllowed(denial.message, asked)
    const plan = planRoute(route, request, tools)
    if (plan.targets.length > 0) return plan
    const reasons = plan.excluded.map(({ reason }) => reason)
    throw notAllowed(`the route '${name}' has no target that may be used: ${reasons[0]}`, asked)
  }

  return {
    plan(request) {
      const { envelope, caller } = request
      if (caller && hasToolRights(caller)) assertTools(caller, envelope)
      const placed = place(planName(envelope.model, request, 'model'), request)
      const { fallbacks } = envelope
      if (fallbacks === undefined || fallbacks.length === 0) return withEquivalents(placed, request)
      const problem = caller && explainFallbacks(caller)
      if (problem !== undefined) throw notAllowed(problem, 'fallbacks')
      return withFallbacks(
        placed,
        fallbacks.map((name) => planFallback(name, request))
      )
    },
  }

  /** What the table knows, behind a model that no route is named after. */
  function withEquivalents(plan: Plan, request: PlanRequest): Plan {
    if (equivalents === undefined || plan.path.length > 0) return plan
    if (request.caller && !mayUseEquivalents(request.caller)) return plan
    return equivalents.add(plan, request)
  }

  /** Turns of one conversation stay where its prompt is cached. */
  function place(plan: Plan, request: PlanRequest): Plan {
    if (affinity === undefined) return plan
    const { model } = request.envelope
    const route = routes.get(model)
    if (route?.settings.affinity === false) return plan
    return keepPlace({ plan, model, mayMove: route !== undefined }, request, affinity, signals)
  }

  function planFallback(name: string, request: PlanRequest): Plan {
    try {
      return planName(name, request, 'fallbacks')
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'model_not_found') throw error
      throw new GatewayError(error.code, error.message, { param: 'fallbacks' })
    }
  }
}

/** The plan, and what the request names for when all of it fails; each target stands in it once. */
function withFallbacks(plan: Plan, fallbacks: readonly Plan[]): Plan {
  const targets: PlannedTarget[] = [...plan.targets]
  for (const fallback of fallbacks)
    for (const planned of fallback.targets) {
      if (targets.some(({ target }) => target.name === planned.target.name)) continue
      const inner = planned.reason === '' ? '' : `, ${planned.reason}`
      targets.push({ ...planned, reason: `a fallback of the request${inner}` })
    }
  return changePlan(plan, {
    targets,
    excluded: [plan, ...fallbacks].flatMap(({ excluded }) => excluded),
    path: [plan, ...fallbacks].flatMap(({ path }) => path),
    notes: [plan, ...fallbacks].flatMap(({ notes }) => notes),
  })
}

/** Tools that its client runs are the client's own business. */
function assertTools(caller: RouteCaller, { operation, body }: Envelope): void {
  if (operation !== 'generate') return
  for (const { name, param } of listServerTools(body)) {
    const denial = explainTool(caller, name)
    if (denial) throw new GatewayError('tool_not_allowed', denial.message, { param })
  }
}

function notAllowed(message: string, param: string): GatewayError {
  return new GatewayError('model_not_allowed', message, { param })
}

function compileRoutes(settings: readonly RouteSettings[]): ReadonlyMap<string, CompiledRoute> {
  let compiler: ((when: string) => CompiledRule) | undefined
  // What reads rules is loaded with the first of them.
  const compile = (when: string) => {
    const rules: typeof import('./rules') = require('./rules')
    return (compiler ??= rules.createRuleCompiler())(when)
  }
  return new Map(settings.map((route) => [route.name, compileRoute(route, compile)]))
}
