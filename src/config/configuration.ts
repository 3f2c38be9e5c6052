import type { AlertSettings } from './alerts'
import type { Identity } from './identity'
import type { ModelSettings } from './model-settings'
import type { RouteSettings } from './route-settings'
import type {
  ApiKeyPlace,
  ModelFormats,
  ModelListPlace,
  ProviderFamily,
  ProviderQuirks,
  WireFormat,
} from './provider-row'

/**
 * Everything the program is told, resolved: defaults filled in, secrets and files read, units in
 * the names. Deeply frozen; a reload makes a new one.
 */
export type Configuration = {
  readonly server: ServerConfiguration
  readonly keys: { readonly required: boolean }
  readonly log: LogConfiguration
  readonly failover: FailoverConfiguration
  /** How long responses are kept whose providers keep none. */
  readonly responses: { readonly keepMs: number }
  /** How often it is looked whether batches are done. */
  readonly batches: { readonly pollMs: number }
  readonly models: readonly ModelSettings[]
  /** A list of models in the place of the bundled one: its file's name and text. */
  readonly modelList: { readonly name: string; readonly text: string } | undefined
  /** In the order of the file. */
  readonly routes: readonly RouteSettings[]
  readonly budgets: readonly BudgetSettings[]
  readonly limits: readonly RateSettings[]
  readonly alerts: AlertSettings
  /** In the order of the file; never empty. */
  readonly providers: readonly ProviderConfiguration[]
}

/** When another target is asked, or the same again. */
export type FailoverConfiguration = {
  readonly retries: number
  readonly capability: boolean
  readonly contextLength: boolean
  readonly contentPolicy: boolean
  /** Models of other providers stand behind one without a route. */
  readonly equivalents: boolean
}

/** What goes to a host as it is. */
export type PassthroughSettings = {
  readonly isEnabled: boolean
  /** Globs of paths that pass beside those of inference. */
  readonly paths: readonly string[]
  /** Of a request whose model has no price. */
  readonly priceNanoUsd: number | undefined
}

export type ServerConfiguration = {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  readonly tls: TlsConfiguration | undefined
  readonly behindProxy: boolean
  readonly maxBodyBytes: number
  /** Of a form with files. */
  readonly maxUploadBytes: number
  readonly maxBodiesBytes: number
  readonly maxInFlight: number
  readonly headHoldMs: number
  readonly heartbeatMs: number
  readonly clientStallMs: number
  /** Fetches pictures for providers that can't. */
  readonly fetchImages: boolean
  /** Connects to TLS origins before a request does. */
  readonly warmConnections: boolean
  readonly drain: { readonly readinessDelayMs: number; readonly limitMs: number }
}

export type TlsConfiguration = { readonly certPem: string; readonly keyPem: string }

export type LogConfiguration = {
  readonly bodies: 'off' | 'full'
  readonly maxBodyBytes: number
  readonly retention: { readonly ageMs: number; readonly sizeBytes: number }
  readonly refusedRowsPerSecond: number
  readonly whenDiskFull: 'refuse' | 'serve'
}

type WindowSettings = {
  /** As written, `30d`; `undefined`: for good. */
  readonly windowText: string | undefined
  readonly reset: 'auto' | 'calendar' | 'rolling'
  readonly timezone: string
  readonly weekStart: 'monday' | 'sunday'
}

export type BudgetSettings = WindowSettings & {
  readonly subject: string
  readonly limitUsd: number
  readonly overshootUsd: number
  readonly unknownPrice: 'refuse' | 'allow' | number
  /** `undefined`: as `alerts` says for all. */
  readonly alertAt: readonly number[] | undefined
  readonly override?: { readonly limitUsd: number; readonly untilMs: number } | undefined
}

export type RateSettings = WindowSettings & {
  readonly subject: string
  /** By unit; those that are not limited are left out. */
  readonly amounts: Readonly<Record<string, number>>
  readonly override?:
    { readonly amounts: Readonly<Record<string, number>>; readonly untilMs: number } | undefined
}

export type ProviderConfiguration = {
  readonly name: string
  /** The catalog's name of the host, by which prices are known; `undefined` for any other compatible one. */
  readonly catalogName: string | undefined
  readonly family: ProviderFamily
  /** `{region}` of its address, by which some prices differ. */
  readonly region: string | undefined
  /** Without a trailing slash, credentials or query. */
  readonly baseUrl: string
  /** `undefined`: nothing is sent. */
  readonly apiKey: string | undefined
  /** Where the key stands; `undefined`: where the wire format has it. */
  readonly apiKeyPlace: ApiKeyPlace | undefined
  /** Whose short-lived credentials go with its requests, in the place of a key. */
  readonly identity: Identity | undefined
  /** Several, to choose from for each attempt; empty where the key or identity above is all there is. */
  readonly credentials: readonly CredentialConfiguration[]
  /** The caller's own credential goes upstream in the place of ours. */
  readonly passesCallerKey: boolean
  /** Names known beside the host's own list: the configuration's, then the catalog's. */
  readonly models: readonly string[]
  /** Names that clients use for models which the host knows by others: deployments, ARNs. */
  readonly aliases: Readonly<Record<string, string>>
  /** Where the host's own list is; `undefined`: it is not asked. */
  readonly modelList: ModelListPlace | undefined
  /** The proxy to use, the environment's included; `undefined`: connect directly. */
  readonly proxy: string | undefined
  /** Certificates to trust instead of the system's. */
  readonly caPem: string | undefined
  /** Extra headers upstream, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly deadlines: {
    readonly connectMs: number
    readonly firstByteMs: number
    readonly betweenFramesMs: number
    readonly totalMs: number
  }
  readonly privateAddresses: boolean
  /** How it is asked from time to time whether it is well; `undefined`: only requests tell. */
  readonly probe: ProbeSettings | undefined
  readonly passthrough: PassthroughSettings
  readonly retryOnReset: boolean
  readonly includeUsage: boolean
  readonly quirks: ProviderQuirks
  /** The formats it speaks, the preferred one first. */
  readonly protocols: readonly WireFormat[]
  /** Models that speak others; the first that matches counts. */
  readonly modelFormats: readonly ModelFormats[]
  /** Where a format is served elsewhere than its document says; `{model}` stands for the model's name. */
  readonly paths: Readonly<Partial<Record<WireFormat, UpstreamPath>>>
  /** Globs of the `anthropic-beta` values that may reach it. */
  readonly anthropicBeta: readonly string[]
  /** How long the provider shall cache the prompts of clients that set no marks; `undefined`: no marks are set. */
  readonly cachePrompts: '5m' | '1h' | undefined
}

export type ProbeSettings = {
  readonly everyMs: number
  /** Behind the base URL, with its leading slash. */
  readonly path: string
  readonly timeoutMs: number
  /** The one status of a host that is well; `undefined`: any 2xx. */
  readonly status: number | undefined
}

/** One of several credentials of a provider. */
export type CredentialConfiguration = {
  /** Unique within its provider; all that is ever told of it. */
  readonly name: string
  /** Its share beside the others'; above 0. */
  readonly weight: number
  /** Globs of the models it is good for, as clients or the host call them; empty for all. */
  readonly models: readonly string[]
  /** The provider as this one reaches it. */
  readonly provider: ProviderConfiguration
}

/** Behind the base URL, with its leading slash. */
export type UpstreamPath = { readonly whole: string; readonly stream: string }

/** Freezes `value` and all that it holds. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}
