import type { Configuration } from '../config/configuration'
import { openUploads } from '../db/data-directory'
import { createKeyHashReader } from '../db/key-hashes'
import { createKeyQueries } from '../db/key-queries'
import type { LearnedEntry } from '../db/ledger-reader'
import { openSqlite } from '../db/open'
import { Admission } from '../gateway/admission'
import { GatewayError } from '../errors/gateway-error'
import type { HeaderReader } from '../gateway/caller'
import type { GatewayParts } from '../gateway/gateway-parts'
import { createVault } from '../gateway/vault'
import { watchBatches } from '../gateway/watch-batches'
import { ToolCallMemory } from '../gateway/tool-call-memory'
import { type AppParts, createApp, createBusyRoutes } from '../http/app'
import { BodyReads } from '../http/read-body'
import { listen } from '../http/server'
import { authenticate } from '../keys/authenticate'
import { type GivenLimits, startKeyFeed } from '../keys/key-feed'
import { createKeyIndex, type KeyIndex } from '../keys/key-index'
import { explainHeaders } from '../keys/rights'
import { createTokenHasher, TOKEN_PREFIX } from '../keys/token'
import { createTokenEstimator } from '../pricing/token-estimator'
import type { BenchEvent } from '../providers/credential-pool'
import { createSender } from '../providers/send'
import { AffinityBook } from '../routing/affinity'
import { HealthBook } from '../routing/health/health-book'
import { HedgeBudgets } from '../routing/health/hedge-budget'
import { createSignals, type RouteSignals } from '../routing/route-signals'
import { createTicker } from '../std/ticker'
import type { ProgramLog } from '../telemetry/program-log'
import { createRequestLog } from '../telemetry/request-log'
import { createGoverning, type GoverningOptions } from './governing'
import type { LimitedKeys } from './restore-ledger'
import { mayUseTarget, type Serving, startServing } from './serving'

export type OpenGatewayOptions = GoverningOptions & {
  /** The 32 bytes that hash virtual keys. */
  secret: Uint8Array
}

/** What a reload leaves behind is kept for requests that began before it. */
const LONGEST_REQUEST_MS = 30 * 60_000

const UNEXPECTED = 'a request failed in an unexpected way'

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

/**
 * Puts the gateway together and starts to listen. Throws what `Bun.serve` throws when the address is
 * taken, and what SQLite throws when the data directory can't be used.
 */
export function openGateway(options: OpenGatewayOptions): OpenGateway {
  const { programLog } = options
  const ticker = createTicker()
  const sender = openSender(programLog)
  const keys = openKeys(options, (given) => governing.takeLimits(given))
  const health = new HealthBook({ now: () => performance.now(), random: Math.random })
  const signals = signalsOf(health, (subject, own) =>
    governing.parts.governor.budgetRemaining(subject, own)
  )
  const onBench = (event: BenchEvent) => governing.tellBenching(event)
  const tools = { sender, ticker, programLog, signals, health, affinity: createAffinity(), onBench }
  let serving = startServing(options.configuration, tools)
  let isReady = true
  const { governing, log } = openBooks(options, keys)
  const estimator = createTokenEstimator()
  const admission = new Admission(() => serving.configuration.server)

  const gateway: GatewayParts = {
    settings: () => serving.settings,
    ticker,
    sender,
    admission,
    log,
    memory: new ToolCallMemory(),
    vault: createVault(options.secret),
    health,
    ...{ affinity: tools.affinity, hedges: new HedgeBudgets(), estimator },
    ...governing.parts,
    authenticate: (token, header) =>
      keys.authenticate(token, header, serving.configuration.keys.required),
    mayUse: mayUseTarget,
    plan: (request) => serving.planner.plan(request),
    providers: () => serving.providers,
    resolve: (model) => serving.models.resolve(model),
    report: (requestId, error) => programLog.error(UNEXPECTED, { requestId, error }),
  }

  const stopWatching = keepBatchesWatched(
    gateway,
    programLog,
    () => serving.configuration.batches.pollMs
  )
  const parts = toAppParts({ options, gateway, serving: () => serving, isReady: () => isReady })
  const server = listen(options.configuration.server, createApp(parts), createBusyRoutes(parts))

  return {
    url: server.url,
    port: server.port,
    reload(configuration) {
      const old = serving
      serving = startServing(configuration, tools, old)
      log.configure(configuration.log)
      governing.configure(configuration)
      old.stop()
      setTimeout(() => old.close(), LONGEST_REQUEST_MS).unref()
    },
    becomeUnready() {
      isReady = false
    },
    async drain(limitMs) {
      isReady = false
      serving.stop()
      stopWatching()
      const cut = await server.drain(limitMs, () => admission.inFlight)
      serving.close()
      await Promise.all([governing.close(), log.close()])
      keys.close()
      ticker.stop()
      estimator.close()
      return cut
    },
  }
}

type AppSources = {
  options: OpenGatewayOptions
  gateway: GatewayParts
  serving(): Serving
  isReady(): boolean
}

/** What the routes work with; ready while it says so and the log is written. */
function toAppParts({ options, gateway, serving, isReady }: AppSources): AppParts {
  return {
    gateway,
    bodies: new BodyReads(gateway.ticker, () => serving().configuration.server.maxBodyBytes, {
      directory: openUploads(options.directory.uploadsPath),
      maxBytes: () => serving().configuration.server.maxUploadBytes,
    }),
    localHost: () => localHostOf(serving().configuration),
    isReady: () =>
      isReady() &&
      (gateway.log.state() === 'ok' || serving().configuration.log.whenDiskFull === 'serve'),
    models: () => serving().models,
  }
}

function keepBatchesWatched(
  parts: GatewayParts,
  programLog: ProgramLog,
  pauseMs: () => number
): () => void {
  return watchBatches({
    parts,
    pauseMs,
    onFailure: ({ kind, id, provider }, error) =>
      programLog.warn(`a ${kind} can not be looked at`, { [kind]: id, provider, error }),
  })
}

const createAffinity = () => new AffinityBook(() => performance.now())
function openSender(programLog: ProgramLog) {
  return createSender(undefined, (event) =>
    programLog.debug('more connections by HTTP/1.1 are kept', event)
  )
}

/** What routes go by. */
function signalsOf(health: HealthBook, budgetRemaining: RouteSignals['budgetRemaining']) {
  return createSignals({
    latencyMs: ({ name }) => health.of(name).firstTokenMs(),
    throughput: ({ name }) => health.of(name).tokensPerSecond,
    inFlight: ({ name }) => health.of(name).inFlight,
    budgetRemaining,
  })
}

/** The ledger and the log; the former reads the journal before the log's own thread takes it. */
function openBooks(options: OpenGatewayOptions, keys: LimitedKeys) {
  const { configuration, directory, programLog } = options
  const governing = createGoverning(options, keys)
  const { logPath, journalPath } = directory
  const corrections = {
    through: governing.correctedThrough,
    take: (entries: readonly LearnedEntry[]) => governing.correct(entries),
  }
  const settings = configuration.log
  const log = createRequestLog({ logPath, journalPath, settings, programLog, corrections })
  governing.keepCheckpoints(log)
  return { governing, log }
}

/** Who may call without a key: this machine alone. */
function localHostOf({ keys, server }: Configuration): string | undefined {
  return keys.required ? undefined : server.host
}

function openKeys(
  { directory, secret, programLog }: OpenGatewayOptions,
  onLimits: (given: readonly GivenLimits[]) => void
) {
  const database = openSqlite(directory.statePath)
  const hashOf = createKeyHashReader(database)
  const index = createKeyIndex(createTokenHasher(secret))
  const feed = startKeyFeed({
    queries: createKeyQueries(database),
    index,
    onLimits,
    onError: (error) => programLog.error('changes of keys can not be read', { error }),
  })
  return {
    /** A key that is presented is looked at, whether one is required or not. */
    authenticate(token: string | undefined, header: HeaderReader, isRequired: boolean) {
      const nowMs = Date.now()
      if (!isRequired && !isKnown(index, token, nowMs)) return undefined
      const key = authenticate(index, token, nowMs)
      const problem = explainHeaders(key, header)
      if (problem !== undefined) throw new GatewayError('invalid_api_key', problem)
      return key
    },
    limits: () => index.limits(),
    ownOf(keyId: string) {
      const hash = hashOf(keyId)
      return (hash === undefined ? undefined : index.at(hash))?.allLimits ?? []
    },
    close() {
      feed.stop()
      database.close()
    },
  }
}

/** The token can be of nobody but us: it looks like ours, or was imported. */
function isKnown(index: KeyIndex, token: string | undefined, nowMs: number): boolean {
  if (token === undefined) return false
  if (token.startsWith(TOKEN_PREFIX)) return true
  return index.hasImported() && index.find(token, nowMs) !== undefined
}
