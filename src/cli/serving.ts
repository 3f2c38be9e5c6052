import type { Configuration, ProviderConfiguration } from '../config/configuration'
import { GatewayError } from '../errors/gateway-error'
import type { Caller, GatewaySettings } from '../gateway/gateway-parts'
import { credentialRule, explainRights, mayUse } from '../keys/rights'
import type { ModelListOptions } from '../models/load-model-list'
import { createModelBook, listedProviders } from '../models/model-book'
import type { ModelBook } from '../models/model-card'
import type { ModelList } from '../models/model-list'
import { keepModelLists } from '../providers/model-lists'
import type { BenchEvent } from '../providers/credential-pool'
import { closeProvider, createProvider, type Provider } from '../providers/provider'
import type { Sender } from '../providers/send'
import { createModelIndex, type ModelIndex } from '../routing/model-index'
import type { Target } from '../routing/target'
import type { Ticker } from '../std/ticker'
import type { ProgramLog } from '../telemetry/program-log'

const LIST_AFTER_MS = 200

/** What a reload replaces as a whole. */
export type Serving = {
  configuration: Configuration
  settings: GatewaySettings
  providers: readonly Provider[]
  models: ModelIndex
  /** Asks for nothing more; requests under way go on. */
  stop(): void
  /** Lets go of credentials, once no request uses them any more. */
  close(): void
}

/**
 * Makes ready what a configuration says, and begins to ask its providers for their models. Credentials that are still
 * the same as in `previous` fare as they did there.
 */
export function startServing(
  configuration: Configuration,
  sender: Sender,
  ticker: Ticker,
  programLog: ProgramLog,
  previous?: Serving
): Serving {
  const providers = createProviders(configuration.providers, programLog, previous?.providers)
  const book = openModelBook(configuration)
  const models = createModelIndex(
    providers,
    ({ name }, model, upstreamModel) => book.find(name, model) ?? book.find(name, upstreamModel)
  )
  const stop = keepModelLists({
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
    },
    providers,
    models,
    stop,
    close() {
      for (const provider of providers) closeProvider(provider)
    },
  }
}

function createProviders(
  configurations: readonly ProviderConfiguration[],
  programLog: ProgramLog,
  previous: readonly Provider[] = []
): Provider[] {
  const onBench = (event: BenchEvent) => tellBenching(event, programLog)
  return configurations.map((configuration) => {
    const before = previous.find(({ name }) => name === configuration.name)
    return createProvider(configuration, { onBench }, before)
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

/** Where no key is asked for, every model may be used. */
export function mayUseTarget(caller: Caller | undefined, model: string): boolean {
  return caller === undefined || mayUse(caller, model)
}

/** The targets of a request. Throws `model_not_allowed`, in words of the level and the rule that deny it. */
export function planFor(caller: Caller | undefined, target: Target): readonly Target[] {
  const denial = caller && explainRights(caller, target.name)
  if (denial) throw new GatewayError('model_not_allowed', denial.message, { param: 'model' })
  const mayUseCredential = caller && credentialRule(caller, target.provider.name)
  if (mayUseCredential === undefined) return [target]
  if (target.provider.pool === undefined)
    throw new GatewayError(
      'model_not_allowed',
      `the key '${caller?.name}' may only use credentials of '${target.provider.name}' by their names, and it has one without`,
      { param: 'model' }
    )
  return [{ ...target, mayUseCredential }]
}
