import type { ProviderConfiguration } from '../config/configuration'

/** A provider as the request path needs it: what can be made ready once, is. */
export type Provider = {
  name: string
  configuration: ProviderConfiguration
  origin: string
  host: string
  /** Every request's headers: credential, extras, and an answer that is not compressed. */
  headers: Readonly<Record<string, string>>
  /** Transport options that Bun's fetch takes beside the standard ones. */
  transport: { proxy: string | false; tls?: { ca: string } }
}

export function createProvider(configuration: ProviderConfiguration): Provider {
  const { protocol, origin, hostname } = new URL(configuration.baseUrl)
  const { apiKey, proxy, caPem } = configuration
  return {
    name: configuration.name,
    configuration,
    origin,
    host: hostname,
    headers: {
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'tollgate',
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
      ...configuration.headers,
    },
    transport: {
      // Said either way: else Bun would apply the environment's proxy by rules of its own.
      proxy: proxy ?? false,
      ...(protocol === 'https:' && caPem !== undefined && { tls: { ca: caPem } }),
    },
  }
}
