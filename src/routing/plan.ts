import type { Conversation } from './affinity'
import type { RouteParams, RoutePolicy } from '../config/route-settings'
import type { Target } from './target'

/** One target of a plan. */
export type PlannedTarget = {
  readonly target: Target
  /** What it is sent in the place of what the client said; `undefined` for nothing. */
  readonly params: RouteParams | undefined
  /** Why it stands where it does, to be read by people; '' for a model that was asked for by its own name. */
  readonly reason: string
  /** Of several credentials the one to ask first, by name; left out for any. */
  readonly preferredCredential?: string | undefined
}

/** A target that was left out of a plan. */
export type Exclusion = { readonly name: string; readonly reason: string }

/** Which targets a request may go to, in order, and why. */
export type Plan = {
  /** Never empty. */
  readonly targets: readonly PlannedTarget[]
  readonly excluded: readonly Exclusion[]
  /** The routes and strategies that led to it, the outermost first: `smart: fallback`. Empty without a route. */
  readonly path: readonly string[]
  /** What else is worth knowing: a rule that failed, requirements that nobody meets. */
  readonly notes: readonly string[]
  /** Nothing of the request has a say in its order: the targets are the same list for each one. */
  readonly isFixed?: boolean
  /** Which conversation it is a turn of; left out where nothing follows from it. */
  readonly conversation?: Conversation
  /** What the route does beyond trying one target after the other; left out for nothing. */
  readonly policy?: RoutePolicy | undefined
}

/** The plan with some of it changed, which makes it this request's own. */
export function changePlan(plan: Plan, changes: Partial<Plan>): Plan {
  return { ...plan, isFixed: false, ...changes }
}

const NOTHING: readonly never[] = Object.freeze([])

const plainPlans = new WeakMap<Target, Plan>()

/** The plan of a model that was asked for by its own name: one for each target, shared by all requests. */
export function toPlainPlan(target: Target): Plan {
  const known = plainPlans.get(target)
  if (known !== undefined) return known
  const planned = { target, params: undefined, reason: '' }
  const plan = { targets: [planned], excluded: NOTHING, path: NOTHING, notes: NOTHING }
  plainPlans.set(target, plan)
  return plan
}
