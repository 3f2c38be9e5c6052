import type { Configuration, ProviderConfiguration } from '../config/configuration'
import type { DataDirectory } from '../db/data-directory'
import { createKeyQueries } from '../db/key-queries'
import { openSqlite } from '../db/open'
import { GatewayError } from '../errors/gateway-error'
import { Admission } from '../gateway/admission'
import type { Caller, GatewayParts, GatewaySettings } from '../gateway/gateway'
import { ToolCallMemory } from '../gateway/tool-call-memory'
import { createApp } from '../http/app'
import { BodyReads } from '../http/read-body'
import { listen } from '../http/server'
import { authenticate } from '../keys/authenticate'
import { startKeyFeed } from '../keys/key-feed'
import { createKeyIndex } from '../keys/key-index'
import { mayUseModel } from '../keys/rights'
import { createTokenHasher, TOKEN_PREFIX } from '../keys/token'
import { keepModelLists } from '../providers/model-lists'
import { createProvider } from '../providers/provider'
import { createSender, type Sender } from '../providers/send'
import { createModelIndex, type ModelIndex } from '../routing/model-index'
import type { Target } from '../routing/target'
import { createTicker, type Ticker } from '../std/ticker'
import type { ProgramLog } from '../telemetry/program-log'
import { createRequestLog } from '../telemetry/request-log'

export type OpenGatewayOptions = {
  configuration: Configuration
  directory: DataDirectory
  /** The 32 bytes that hash virtual keys. */
  secret: Uint8Array
  programLog: ProgramLog
}

/** A gateway that listens. */
export type OpenGateway = {
  url: string
  port: number
  /** Serves by a new configuration from the next request on; those under way keep theirs. */
  reload(configuration: Configuration): void
  /**
   * Stops taking requests, lets those under way finish for at most `limitMs`, writes the log down and
   * closes everything. Gives how many were cut.
   */
  drain(limitMs: number): Promise<number>
  /** Turns /health/ready to 503, so that balancers look elsewhere before requests are refused. */
  becomeUnready(): void
}

/** What a reload replaces as a whole. */
type Serving = {
  configuration: Configuration
  settings: GatewaySettings
  models: ModelIndex
  stop(): void
}

/**
 * Puts the gateway together and starts to listen. Throws what `Bun.serve` throws when the address is
 * taken, and what SQLite throws when the data directory can't be used.
 */
export function openGateway(options: OpenGatewayOptions): OpenGateway {
  const { directory, programLog } = options
  const ticker = createTicker()
  const sender = createSender()
  const keys = openKeys(options)
  let serving = startServing(options.configuration, sender, ticker, programLog)
  let isReady = true
  const log = createRequestLog({
    logPath: directory.logPath,
    journalPath: directory.journalPath,
    settings: options.configuration.log,
    programLog,
  })
  const admission = new Admission(() => ({
    maxInFlight: serving.configuration.server.maxInFlight,
    maxBodiesBytes: serving.configuration.server.maxBodiesBytes,
  }))

  const gateway: GatewayParts = {
    settings: () => serving.settings,
    ticker,
    sender,
    admission,
    log,
    memory: new ToolCallMemory(),
    authenticate: (token) =>
      serving.configuration.keys.required || token?.startsWith(TOKEN_PREFIX)
        ? authenticate(keys.index, token, Date.now())
        : undefined,
    mayUse: (caller, model) => caller === undefined || mayUseModel(caller, model),
    plan: (caller, envelope) => planFor(caller, serving.models.resolve(envelope.model)),
    report: (requestId, error) =>
      programLog.error('a request failed in an unexpected way', { requestId, error }),
  }

  const server = listen(
    options.configuration.server,
    createApp({
      gateway,
      bodies: new BodyReads(ticker, () => serving.configuration.server.maxBodyBytes),
      localHost: () =>
        serving.configuration.keys.required ? undefined : serving.configuration.server.host,
      isReady: () =>
        isReady && (log.state() === 'ok' || serving.configuration.log.whenDiskFull === 'serve'),
      models: () => serving.models,
    })
  )

  return {
    url: server.url,
    port: server.port,
    reload(configuration) {
      const old = serving
      serving = startServing(configuration, sender, ticker, programLog)
      log.configure(configuration.log)
      old.stop()
    },
    becomeUnready() {
      isReady = false
    },
    async drain(limitMs) {
      isReady = false
      serving.stop()
      const cut = await server.drain(limitMs, () => admission.inFlight)
      await log.close()
      keys.close()
      ticker.stop()
      return cut
    },
  }
}

function startServing(
  configuration: Configuration,
  sender: Sender,
  ticker: Ticker,
  programLog: ProgramLog
): Serving {
  const providers = configuration.providers.map((provider: ProviderConfiguration) =>
    createProvider(provider)
  )
  const models = createModelIndex(providers)
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
    },
    models,
    stop,
  }
}

function openKeys({ directory, secret, programLog }: OpenGatewayOptions) {
  const database = openSqlite(directory.statePath)
  const index = createKeyIndex(createTokenHasher(secret))
  const feed = startKeyFeed({
    queries: createKeyQueries(database),
    index,
    onError: (error) => programLog.error('changes of keys can not be read', { error }),
  })
  return {
    index,
    close() {
      feed.stop()
      database.close()
    },
  }
}

function planFor(caller: Caller | undefined, target: Target): readonly Target[] {
  if (caller && !mayUseModel(caller, target.name)) throw notAllowed(caller, target.name)
  return [target]
}

function notAllowed(caller: Caller, model: string): GatewayError {
  return new GatewayError(
    'model_not_allowed',
    `the key '${caller.name}' may not use the model '${model}'; it may use ${caller.models.join(', ')}`,
    { param: 'model' }
  )
}
