import { GatewayError } from '../errors/gateway-error'
import type { Envelope, Span } from '../protocols/envelope'
import type { Protocol, RequestRoute } from '../protocols/protocol'
import { cutJsonMember } from '../std/json-edit'
import { isRecord, stringOf } from '../std/record'

/** So many targets are tried at most, one after the other, for one request. */
const MOST_FALLBACKS = 16

/**
 * The envelope of a request's body. Models that it names for when its own fails are taken out of the body: that member
 * is the gateway's, `fallbacks: ["provider/model", {"provider": …, "model": …}]`. Throws what the format's reader
 * throws, and `invalid_request` for fallbacks that are none.
 */
export function readEnvelope(protocol: Protocol, body: Uint8Array, route: RequestRoute): Envelope {
  const envelope = protocol.client.parseRequest(body, route)
  if (envelope.fallbacksSpan === undefined) return envelope
  const fallbacks = readFallbacks(body, envelope.fallbacksSpan)
  const rest = cutJsonMember(body, envelope.fallbacksSpan)
  return { ...protocol.client.parseRequest(rest, route), fallbacks }
}

function readFallbacks(body: Uint8Array, { start, end }: Span): string[] {
  const written: unknown = JSON.parse(new TextDecoder().decode(body.subarray(start, end)))
  if (written === null) return []
  if (!Array.isArray(written) || written.length > MOST_FALLBACKS) throw invalid()
  return written.map(toModel)
}

function toModel(written: unknown): string {
  if (typeof written === 'string' && written !== '') return written
  const model = isRecord(written) ? stringOf(written, 'model') : undefined
  if (!model) throw invalid()
  const provider = stringOf(written, 'provider')
  return provider === undefined ? model : `${provider}/${model}`
}

function invalid(): GatewayError {
  return new GatewayError(
    'invalid_request',
    `'fallbacks' must be a list of at most ${MOST_FALLBACKS} models, each "provider/model" or {"provider", "model"}`,
    { param: 'fallbacks' }
  )
}
