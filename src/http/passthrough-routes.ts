import { GatewayError } from '../errors/gateway-error'
import { upstreamProtocol } from '../protocols/chat-protocols'
import type { ObjectCall } from '../protocols/object-call'
import {
  behindBase,
  isInference,
  type PassthroughFamily,
  toPlainPath,
  withoutVersion,
} from '../protocols/passthrough/paths'
import { closedPath, createPassthrough } from '../protocols/passthrough/protocol'
import type { Protocol } from '../protocols/protocol'
import type { Provider } from '../providers/provider'
import { findInference } from './inference-routes'

export type PassthroughCall = { provider: Provider; protocol: Protocol }

const PREFIX = '/passthrough/'

/** What a format's paths are found under. */
const GROUPS: Readonly<Record<PassthroughFamily, string | undefined>> = {
  openai: '/openai/v1',
  anthropic: '/anthropic/v1',
  gemini: '/genai/v1beta',
  bedrock: '/bedrock',
  cohere: undefined,
  ollama: undefined,
}

/** The call of a path under `/passthrough`, by one of the configured providers; `undefined` for any other path. */
export function findPassthrough(
  method: string,
  url: URL,
  providers: readonly Provider[]
): PassthroughCall | GatewayError | undefined {
  if (!url.pathname.startsWith(PREFIX)) return undefined
  const [, name = '', rest = ''] = /^\/passthrough\/([^/]+)(\/.*)?$/.exec(url.pathname) ?? []
  const provider = providers.find((one) => one.name === name)
  if (provider === undefined)
    return new GatewayError(
      'route_not_found',
      `there is no provider '${name.slice(0, 64)}': /passthrough is followed by one of ${providers.map((one) => one.name).join(', ')}`
    )
  const { configuration } = provider
  const { family, passthrough, baseUrl } = configuration
  const plain = toPlainPath(rest)
  const path = plain === undefined ? undefined : behindBase(plain, baseUrl)
  const bare = path === undefined ? '' : withoutVersion(path, baseUrl)
  const isOpen = path !== undefined && passthrough.isEnabled
  if (!isOpen || !isInference(bare, family, passthrough.paths)) return closedPath(name, rest)
  if (method !== 'POST' && method !== 'GET')
    return new GatewayError(
      'method_not_allowed',
      `${method} does not pass through; use POST or GET`,
      {
        headers: { allow: 'POST, GET' },
      }
    )
  const host = upstreamProtocol(configuration.protocols[0] ?? '')
  if (host === undefined) throw new Error(`the provider '${name}' speaks nothing`)
  const query = new URLSearchParams(url.search)
  query.delete('key')
  const asked = query.toString()
  const direct = {
    method: method === 'GET' ? 'GET' : 'POST',
    path: asked === '' ? path : `${path}?${asked}`,
    isCharged: true,
  } as const satisfies Partial<ObjectCall>
  return {
    provider,
    protocol: createPassthrough(knownFormat({ path, bare, family }, url.search), host, direct),
  }
}

/** The format of a path that the gateway serves itself. */
function knownFormat(
  { path, bare, family }: { path: string; bare: string; family: PassthroughFamily },
  search: string
) {
  const group = GROUPS[family]
  const found = findInference(group === undefined ? path : group + bare, search)
  // Its stream is one list, which no reader of streams knows.
  if (found === undefined || found.protocol.name === 'gemini-array') return undefined
  const { protocol, route } = found
  return { protocol, model: route.model, stream: route.stream }
}
