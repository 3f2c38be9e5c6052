import { GatewayError } from '../errors/gateway-error'
import { type ChatProtocol, isChat } from '../protocols/chat-protocol'
import { countProtocol, isChatProtocol, upstreamProtocol } from '../protocols/chat-protocols'
import type { Envelope } from '../protocols/envelope'
import type { Conversion, Protocol } from '../protocols/protocol'
import type { Provider } from '../providers/provider'
import type { Target } from '../routing/target'

/** How a client's format meets an upstream's: the same bytes pass, or what is asked for is told anew. */
export type Wire =
  | { kind: 'same'; upstream: Protocol }
  | { kind: 'translated'; client: ChatProtocol; upstream: ChatProtocol }
  /** What is no chat, and never a stream. */
  | { kind: 'converted'; upstream: Protocol; conversion: Conversion }
  /** The provider can't count tokens: the gateway estimates them, and says so. */
  | { kind: 'estimated'; client: ChatProtocol }

/**
 * The upstream's own format wherever it speaks the client's; else the first that it prefers of those that the request can
 * be told in. Throws `protocol_not_spoken` when there is none.
 */
export function chooseWire(
  client: Protocol,
  { provider, protocols }: Target,
  envelope: Envelope
): Wire {
  for (const name of protocols) {
    const upstream = upstreamOf(client, name, provider)
    if (upstream && speaks(upstream, client)) return { kind: 'same', upstream }
  }
  if (isChat(client))
    for (const name of protocols) {
      const upstream = isChatProtocol(name) ? upstreamOf(client, name, provider) : undefined
      if (upstream && isChat(upstream)) return { kind: 'translated', client, upstream }
    }
  if (client.convert && !envelope.stream)
    for (const name of protocols) {
      const upstream = upstreamProtocol(name)
      const conversion = upstream && client.convert(upstream, envelope)
      if (upstream && conversion) return { kind: 'converted', upstream, conversion }
    }
  if (isChat(client) && client.operation === 'count') return { kind: 'estimated', client }
  throw new GatewayError(
    'protocol_not_spoken',
    `the provider '${provider.name}' can't be asked by ${client.name}: it speaks ${protocols.join(', ')}`,
    { param: 'model' }
  )
}

function upstreamOf(client: Protocol, name: string, { paths }: Provider): Protocol | undefined {
  // Beside a format's own path its hosts may have others.
  if (client.operation !== 'count')
    return client.spokenBy === name ? client : upstreamProtocol(name)
  // Where a host serves a format elsewhere, nobody says that and where it counts.
  return paths.has(name) ? undefined : countProtocol(name)
}

/** A client may frame its stream in another way and still mean the same bodies. */
function speaks(upstream: Protocol, client: Protocol): boolean {
  if (upstream.name === client.name) return true
  return client.client.reframes === upstream.name
}
