import { explainRights } from '../../keys/rights'
import type { Provider } from '../../providers/provider'
import type { ModelIndex } from '../model-index'
import { pinCredentials } from '../pin-credentials'
import { changePlan, type Exclusion, type Plan, type PlannedTarget } from '../plan'
import { findUnmet, RequestNeeds } from '../requirements'
import type { PlanRequest } from '../route-caller'
import type { Target } from '../target'
import { proposeEquivalents } from './propose'

/** So many stand behind the model that was asked for. */
const MOST_EQUIVALENTS = 3

type Equivalent = { readonly target: Target; readonly reason: string }

/** Models of other configured providers that may be asked in the place of one, by the table that comes with this version. */
export class Equivalents {
  readonly #models: ModelIndex
  readonly #providers: readonly Provider[]
  readonly #found = new WeakMap<Target, readonly Equivalent[]>()

  constructor(models: ModelIndex, providers: readonly Provider[]) {
    this.#models = models
    this.#providers = providers
  }

  /** The plan of a chat, with those behind it that its caller may use and that can do what it needs. */
  add(plan: Plan, request: PlanRequest): Plan {
    const [asked] = plan.targets
    if (asked === undefined || request.envelope.operation !== 'generate') return plan
    const candidates = this.of(asked.target)
    if (candidates.length === 0) return plan
    const needs = new RequestNeeds(request.envelope, request.boundTokens)
    const targets: PlannedTarget[] = [...plan.targets]
    const excluded: Exclusion[] = [...plan.excluded]
    for (const { target, reason } of candidates) {
      if (targets.length > MOST_EQUIVALENTS) break
      const problem = this.#findProblem(target, request, needs)
      const pinned = request.caller ? pinCredentials(request.caller, target) : target
      if (problem !== undefined || pinned === undefined)
        excluded.push({
          name: target.name,
          reason: problem ?? 'the key may use none of its credentials',
        })
      else targets.push({ target: pinned, params: undefined, reason })
    }
    return changePlan(plan, { targets, excluded })
  }

  /** For a model, the nearest first: one of each other provider. */
  of(asked: Target): readonly Equivalent[] {
    const known = this.#found.get(asked)
    if (known !== undefined) return known
    const found = this.#find(asked)
    this.#found.set(asked, found)
    return found
  }

  #find(asked: Target): readonly Equivalent[] {
    const { catalogName } = asked.provider.configuration
    if (catalogName === undefined) return []
    const found: Equivalent[] = []
    const used = new Set([asked.provider])
    for (const { host, names, reason } of proposeEquivalents(catalogName, asked.upstreamModel))
      for (const provider of this.#providers) {
        if (provider.configuration.catalogName !== host || used.has(provider)) continue
        const target = this.#choose(provider, names)
        if (target === undefined) continue
        used.add(provider)
        found.push({ target, reason: `in the place of ${asked.name}: ${reason}` })
      }
    return found
  }

  #choose(provider: Provider, names: readonly string[]): Target | undefined {
    const targets = names
      .filter((name) => this.#models.mayServe(provider, name))
      .map((name) => this.#models.resolve(`${provider.name}/${name}`))
    return targets.find(({ card }) => card !== undefined) ?? targets[0]
  }

  #findProblem(
    target: Target,
    { caller, envelope }: PlanRequest,
    needs: RequestNeeds
  ): string | undefined {
    const denial = caller && explainRights(caller, target.name)
    return denial?.message ?? findUnmet(needs, target.card, envelope.outputLimit)
  }
}
