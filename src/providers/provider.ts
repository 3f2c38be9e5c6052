import type { ProviderConfiguration } from '../config/configuration'
import { upstreamProtocol } from '../protocols/chat-protocols'

/** A provider as the request path needs it: what can be made ready once, is. */
export type Provider = {
  name: string
  configuration: ProviderConfiguration
  origin: string
  host: string
  /**
   * The headers of every request in a wire format, by its name: credential, extras, and an answer that is not
   * compressed.
   */
  headers: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Transport options that Bun's fetch takes beside the standard ones. */
  transport: { proxy: string | false; tls?: { ca: string } }
}

export function createProvider(configuration: ProviderConfiguration): Provider {
  const { protocol, origin, hostname } = new URL(configuration.baseUrl)
  const { proxy, caPem } = configuration
  const formats = configuration.protocols.map((name) => [name, toHeaders(configuration, name)])
  return {
    name: configuration.name,
    configuration,
    origin,
    host: hostname,
    headers: Object.fromEntries(formats),
    transport: {
      // Said either way: else Bun would apply the environment's proxy by rules of its own.
      proxy: proxy ?? false,
      ...(protocol === 'https:' && caPem !== undefined && { tls: { ca: caPem } }),
    },
  }
}

function toHeaders(configuration: ProviderConfiguration, format: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'tollgate',
    ...upstreamProtocol(format)?.upstream.headers(configuration.apiKey),
    ...configuration.headers,
  }
}
