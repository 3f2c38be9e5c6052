import type { ProviderConfiguration, UpstreamPath } from '../config/configuration'
import { upstreamProtocol } from '../protocols/chat-protocols'
import type { Protocol } from '../protocols/protocol'
import { CredentialPool, type PoolOptions } from './credential-pool'
import { createCredential } from './credentials/create-credential'
import type { Credential } from './credentials/credential'

/** A provider as the request path needs it: what can be made ready once, is. */
export type Provider = {
  name: string
  configuration: ProviderConfiguration
  origin: string
  host: string
  /** The path of its base URL, where it is reached over clear text without a proxy; else `undefined`. */
  plainPath: string | undefined
  /** The origin and how it is reached: what it may share connections with. */
  way: string
  /**
   * The headers of every request in a wire format, by its name: credential, extras, and an answer that is not
   * compressed.
   */
  headers: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Paths of formats that are served elsewhere than their documents say, by the format's name. */
  paths: ReadonlyMap<string, UpstreamPath>
  /** The key as a parameter of every address, `key=…`; empty where it stands elsewhere. Never logged. */
  query: string
  /** What signs its requests or gives them a token that ends; `undefined` where a key is all. */
  credential: Credential | undefined
  /** Which of several credentials this is; `undefined` where there is one. */
  credentialName: string | undefined
  /** Where there are several: what chooses the one, with a provider of its own, for an attempt. */
  pool: CredentialPool | undefined
  /** Transport options that Bun's fetch takes beside the standard ones. */
  transport: { proxy: string | false; tls?: { ca: string } }
}

/** Makes ready what a configuration says. Pools keep what they know of credentials from `previous`. */
export function createProvider(
  configuration: ProviderConfiguration,
  options?: PoolOptions,
  previous?: Provider
): Provider {
  const { name, credentials } = configuration
  const reached = credentials.map((credential) => ({
    configuration: credential,
    provider: createReach(credential.provider, credential.name),
  }))
  // What belongs to no attempt, such as its address, is the first one's.
  const { provider } = reached[0] ?? { provider: undefined }
  if (provider === undefined) return createReach(configuration, undefined)
  const pool = new CredentialPool(name, reached, options, previous?.pool)
  return { ...provider, configuration, credentialName: undefined, pool }
}

/** Lets go of its credentials: they ask for nothing any more. */
export function closeProvider({ credential, pool }: Provider): void {
  credential?.close()
  for (const { provider } of pool?.credentials ?? []) provider.credential?.close()
}

function createReach(
  configuration: ProviderConfiguration,
  credentialName: string | undefined
): Provider {
  const { protocol, origin, hostname, pathname } = new URL(configuration.baseUrl)
  const { proxy, caPem, apiKey, apiKeyPlace, identity, modelFormats } = configuration
  const names = new Set([...configuration.protocols, ...modelFormats.flatMap((of) => of.protocols)])
  const formats = [...names].map((name) => [name, toHeaders(configuration, name)])
  const inQuery = apiKeyPlace?.kind === 'query' && apiKey !== undefined
  return {
    name: configuration.name,
    configuration,
    origin,
    host: hostname,
    plainPath: protocol === 'http:' && !proxy ? pathname.replace(/\/$/, '') : undefined,
    way: [origin, proxy, caPem && Bun.hash(caPem)].join(' '),
    headers: Object.fromEntries(formats),
    paths: new Map(Object.entries(configuration.paths)),
    query: inQuery ? `${apiKeyPlace.name}=${encodeURIComponent(apiKey)}` : '',
    credential: identity && createCredential(identity),
    credentialName,
    pool: undefined,
    transport: {
      // Said either way: else Bun would apply the environment's proxy by rules of its own.
      proxy: proxy ?? false,
      ...(protocol === 'https:' && caPem !== undefined && { tls: { ca: caPem } }),
    },
  }
}

/** Behind the base URL, with its leading slash: where the format's document has it, or the host. */
export function toPath(
  { configuration, paths }: Provider,
  upstream: Protocol,
  target: { model: string; stream: boolean; resource?: string | undefined }
): string {
  const elsewhere = paths.get(upstream.name)
  if (elsewhere === undefined)
    return upstream.upstream.path({ ...target, baseUrl: configuration.baseUrl })
  const path = target.stream ? elsewhere.stream : elsewhere.whole
  return path.replaceAll('{model}', encodeURIComponent(target.model))
}

function toHeaders(configuration: ProviderConfiguration, format: string): Record<string, string> {
  const { apiKey, apiKeyPlace, headers } = configuration
  return {
    'content-type': 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'tollgate',
    ...upstreamProtocol(format)?.upstream.headers(apiKeyPlace ? undefined : apiKey),
    ...(apiKey !== undefined && apiKeyPlace?.kind === 'bearer' && bearer(apiKey)),
    ...(apiKey !== undefined && apiKeyPlace?.kind === 'header' && { [apiKeyPlace.name]: apiKey }),
    ...headers,
  }
}

const bearer = (apiKey: string) => ({ authorization: `Bearer ${apiKey}` })
