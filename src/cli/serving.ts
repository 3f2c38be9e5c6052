import type { Configuration, ProviderConfiguration } from '../config/configuration'
import type { Caller } from '../gateway/caller'
import type { GatewaySettings } from '../gateway/gateway-parts'
import { mayUse } from '../keys/rights'
import type { ModelListOptions } from '../models/load-model-list'
import { createModelBook, listedProviders } from '../models/model-book'
import type { ModelBook } from '../models/model-card'
import type { ModelList } from '../models/model-list'
import { createMediaFetcher } from '../providers/fetch-media'
import { keepModelLists } from '../providers/model-lists'
import { keepProbing } from '../providers/keep-probing'
import type { BenchEvent } from '../providers/credential-pool'
import { closeProvider, createProvider, type Provider } from '../providers/provider'
import type { AffinityBook } from '../routing/affinity'
import type { Equivalents } from '../routing/equivalents/equivalents'
import type { ConnectionWarmer, Sender } from '../providers/send'
import { warmConnections } from '../providers/warm-connections'
import type { HealthBook } from '../routing/health/health-book'
import { createModelIndex, type ModelIndex } from '../routing/model-index'
import { createPlanner, type Planner } from '../routing/planner'
import type { RouteSignals } from '../routing/route-signals'
import type { Ticker } from '../std/ticker'
import type { ProgramLog } from '../telemetry/program-log'

const LIST_AFTER_MS = 200
const fetchMedia = createMediaFetcher()

/** What a reload replaces as a whole. */
export type Serving = {
  configuration: Configuration
  settings: GatewaySettings
  providers: readonly Provider[]
  models: ModelIndex
  planner: Planner
  /** Asks for nothing more; requests under way go on. */
  stop(): void
  /** Lets go of credentials, once no request uses them any more. */
  close(): void
}

/** What lasts longer than a configuration. */
export type ServingTools = {
  sender: Sender & ConnectionWarmer
  ticker: Ticker
  programLog: ProgramLog
  signals: RouteSignals
  affinity: AffinityBook
  /** A credential was put on the bench. */
  onBench?(event: BenchEvent): void
  health: HealthBook
}

/**
 * Makes ready what a configuration says, and begins to ask its providers for their models. Credentials that are still
 * the same as in `previous` fare as they did there.
 */
export function startServing(
  configuration: Configuration,
  tools: ServingTools,
  previous?: Serving
): Serving {
  const { sender, ticker, programLog, signals, affinity, onBench } = tools
  const { providers, models } = createServedModels(
    configuration,
    (event) => {
      tellBenching(event, programLog)
      onBench?.(event)
    },
    previous?.providers
  )
  const equivalents = createEquivalents(configuration, models, providers)
  const planner = createPlanner({
    ...{ models, equivalents },
    routes: configuration.routes,
    ...{ signals, affinity },
    onRuleFailure: (route, when, problem) =>
      programLog.warn('a rule of a route failed, and so was not true', { route, when, problem }),
  })
  const stopLooking = lookAfter(configuration, providers, tools)
  const stopLists = keepModelLists({
    providers,
    sender,
    ticker,
    onList: (provider, list) => models.setHostModels(provider, list),
    onFailure: (provider, error) =>
      programLog.warn('the list of models can not be had', { provider, problem: error.message }),
  })
  return {
    configuration,
    settings: {
      headHoldMs: configuration.server.headHoldMs,
      heartbeatMs: configuration.server.heartbeatMs,
      clientStallMs: configuration.server.clientStallMs,
      logBodies: configuration.log.bodies,
      maxLoggedBodyBytes: configuration.log.maxBodyBytes,
      failover: configuration.failover,
      fetchMedia: configuration.server.fetchImages ? fetchMedia : undefined,
      keepResponsesMs: configuration.responses.keepMs,
    },
    providers,
    models,
    planner,
    stop() {
      stopLooking()
      stopLists()
    },
    close() {
      for (const provider of providers) closeProvider(provider)
    },
  }
}

/** The table is loaded where it is wanted. */
export function createEquivalents(
  { failover }: Configuration,
  models: ModelIndex,
  providers: readonly Provider[]
): Equivalents | undefined {
  if (!failover.equivalents) return undefined
  const loaded: typeof import('../routing/equivalents/equivalents') = require('../routing/equivalents/equivalents')
  return new loaded.Equivalents(models, providers)
}

/** Connects ahead of requests, and probes who is to be probed. Gives the function that stops it. */
function lookAfter(
  { server }: Configuration,
  providers: readonly Provider[],
  { sender, ticker, programLog, health }: ServingTools
): () => void {
  const shared = { providers, sender, ticker }
  const stopWarming = server.warmConnections
    ? warmConnections({
        ...shared,
        onEnd: (provider, error) =>
          programLog.debug('connected ahead of requests', { provider, problem: error?.message }),
      })
    : undefined
  health.keepProbed(
    providers.filter(({ configuration }) => configuration.probe).map(({ name }) => name)
  )
  const stopProbing = keepProbing({
    ...shared,
    onWell(provider) {
      if (health.probed(provider, { isWell: true }))
        programLog.info('a provider answers its probe again', { provider })
    },
    onUnwell(provider, { message }) {
      if (health.probed(provider, { isWell: false }))
        programLog.warn('a provider fails its probe, and is passed by where another may answer', {
          provider,
          problem: message,
        })
    },
  })
  return () => {
    stopWarming?.()
    stopProbing()
  }
}

/** The providers of a configuration, and the models, routes among them, that are known by name. */
export function createServedModels(
  configuration: Configuration,
  onBench?: (event: BenchEvent) => void,
  previous?: readonly Provider[]
) {
  const providers = createProviders(configuration.providers, onBench, previous)
  const book = openModelBook(configuration)
  const models = createModelIndex(
    providers,
    ({ name }, model, upstreamModel) => book.find(name, model) ?? book.find(name, upstreamModel),
    configuration.routes.map(({ name }) => name)
  )
  return { providers, models }
}

function createProviders(
  configurations: readonly ProviderConfiguration[],
  onBench: ((event: BenchEvent) => void) | undefined,
  previous: readonly Provider[] = []
): Provider[] {
  return configurations.map((configuration) => {
    const before = previous.find(({ name }) => name === configuration.name)
    return createProvider(configuration, { ...(onBench && { onBench }) }, before)
  })
}

function tellBenching(event: BenchEvent, programLog: ProgramLog): void {
  const { provider, credential, model, fault, forMs } = event
  const facts = { provider, credential, model, reason: fault, seconds: forMs / 1_000 }
  programLog.warn('a credential is not used for now', facts)
}

/** The list is read at the first look, which is made soon after the start and not by the first request. */
function openModelBook({ providers, models, modelList }: Configuration): ModelBook {
  const known = providers.map(({ name, catalogName, region }) => ({ name, catalogName, region }))
  const options = { providers: listedProviders(known) }
  const book = createModelBook({
    list: () => readModelList(modelList, options),
    overrides: models,
    providers: known,
  })
  setTimeout(() => book.find(known[0]?.name ?? '', 'any'), LIST_AFTER_MS).unref()
  return book
}

/** What reads lists is loaded with the first of them: the start is spared it. */
function readModelList(given: Configuration['modelList'], options: ModelListOptions): ModelList {
  if (given) {
    const files: typeof import('../models/load-model-list') = require('../models/load-model-list')
    return files.loadModelListFile(given.text, given.name, options)
  }
  const bundled: typeof import('../models/bundled-list') = require('../models/bundled-list')
  return bundled.readBundledModelList(options)
}

/** Where no key is asked for, every model and route may be used. */
export function mayUseTarget(caller: Caller | undefined, model: string): boolean {
  return caller === undefined || mayUse(caller, model)
}
