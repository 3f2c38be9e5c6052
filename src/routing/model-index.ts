import { GatewayError } from '../errors/gateway-error'
import type { ModelCard } from '../models/model-card'
import type { Provider } from '../providers/provider'
import { matchesGlob } from '../std/glob'
import { nearestName } from '../std/nearest-name'
import type { Target } from './target'

/** A model that clients may ask for, as GET /v1/models lists it. */
export type ModelEntry = {
  /** `provider/model`, or the name of a route. */
  id: string
  /** Of a route the gateway itself. */
  provider: string
  /** Epoch seconds, where the host says; else 0. */
  created: number
  /** It is a route: `id` is its name alone. */
  isRoute?: true
}

/** A model as a host's own list names it. */
export type HostModel = { id: string; created: number }

/** Finds the target behind a model's name. Rebuilt with the configuration, never waited for. */
export type ModelIndex = {
  /** Throws `model_not_found`, with the nearest name that is known. */
  resolve(name: string): Target
  /** Every known model, in the order of the providers; a list made once and kept until it changes. */
  list(): readonly ModelEntry[]
  /**
   * A provider may have a model: it is among those that it lists or the configuration names, or nobody knows which it
   * has. Deployments have names of their own, so of those only what is configured counts.
   */
  mayServe(provider: Provider, model: string): boolean
  /** Counts up whenever names may lead to other targets than before. */
  readonly version: number
  /** Takes what a host lists in the place of what it listed before. */
  setHostModels(provider: string, models: readonly HostModel[]): void
}

/** What is known of a provider's model: by the name clients use, and the one that is sent. */
export type CardFinder = (
  provider: Provider,
  model: string,
  upstreamModel: string
) => ModelCard | undefined

const MAX_TARGETS = 4_096

/** Catalog rows whose models are what somebody has deployed there. */
const DEPLOYMENTS = 'azure'

/**
 * `provider/model` names its provider when the first segment is one that is configured; the rest goes
 * upstream as it is, slashes too. A bare name belongs to the first provider that knows it. `routes` are names that are
 * listed and come to mind beside models.
 */
export function createModelIndex(
  providers: readonly Provider[],
  cardOf: CardFinder = () => undefined,
  routes: readonly string[] = []
): ModelIndex {
  const byName = new Map(providers.map((provider) => [provider.name, provider]))
  const hostModels = new Map<string, readonly HostModel[]>()
  let entries: readonly ModelEntry[] = []
  let bare = new Map<string, Provider>()
  const targets = new Map<string, Target>()
  let version = 0
  rebuild()

  function rebuild(): void {
    const nextEntries = routes.map(toRouteEntry)
    const nextBare = new Map<string, Provider>()
    for (const provider of providers) {
      const models = new Map(provider.configuration.models.map((id) => [id, 0]))
      for (const { id, created } of hostModels.get(provider.name) ?? []) models.set(id, created)
      for (const [id, created] of models) {
        nextEntries.push({ id: `${provider.name}/${id}`, provider: provider.name, created })
        if (!nextBare.has(id)) nextBare.set(id, provider)
      }
    }
    entries = nextEntries
    bare = nextBare
    targets.clear()
    version++
  }

  function keep(name: string, target: Target): Target {
    // Any name may stand behind a provider's, so clients could fill this without end.
    if (targets.size >= MAX_TARGETS) targets.clear()
    targets.set(name, target)
    return target
  }

  return {
    resolve(name) {
      const kept = targets.get(name)
      if (kept) return kept
      const slash = name.indexOf('/')
      const prefixed = slash > 0 ? byName.get(name.slice(0, slash)) : undefined
      if (prefixed && slash < name.length - 1)
        return keep(name, toTarget(prefixed, name.slice(slash + 1), cardOf))
      const provider = bare.get(name)
      if (provider) return keep(name, toTarget(provider, name, cardOf))
      throw notFound(name, byName, [...routes, ...bare.keys()], entries)
    },

    list: () => entries,

    get version() {
      return version
    },

    mayServe({ name, configuration }, model) {
      const { models, aliases, catalogName } = configuration
      if (models.includes(model) || Object.hasOwn(aliases, model)) return true
      if (catalogName?.startsWith(DEPLOYMENTS)) return false
      return hostModels.get(name)?.some(({ id }) => id === model) ?? true
    },

    setHostModels(provider, models) {
      hostModels.set(provider, models)
      rebuild()
    },
  }
}

function toTarget(provider: Provider, model: string, cardOf: CardFinder): Target {
  const { aliases, modelFormats, protocols } = provider.configuration
  const upstreamModel = (Object.hasOwn(aliases, model) ? aliases[model] : undefined) ?? model
  // An alias says nothing of formats, unless it is what the model is called elsewhere.
  const formats = modelFormats.find(
    ({ models }) => matchesGlob(models, upstreamModel) || matchesGlob(models, model)
  )
  const name = `${provider.name}/${model}`
  return {
    provider,
    upstreamModel,
    name,
    protocols: formats?.protocols ?? protocols,
    card: cardOf(provider, model, upstreamModel),
    headerName: encodeURI(name.toWellFormed()),
  }
}

function toRouteEntry(id: string): ModelEntry {
  return { id, provider: 'tollgate', created: 0, isRoute: true }
}

function notFound(
  name: string,
  byName: ReadonlyMap<string, Provider>,
  bare: readonly string[],
  entries: readonly ModelEntry[]
): GatewayError {
  const known = name.includes('/') ? entries.map(({ id }) => id) : bare
  const near = name.length <= 128 ? nearestName(name, known) : undefined
  const hint = near
    ? `did you mean '${near}'?`
    : `write it as provider/model, with one of the providers ${[...byName.keys()].join(', ')}`
  return new GatewayError(
    'model_not_found',
    `no provider is known to serve the model '${name.slice(0, 128)}'; ${hint}`,
    { param: 'model' }
  )
}
