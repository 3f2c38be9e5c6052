import type { Caller } from '../gateway/caller'
import type { GatewayParts } from '../gateway/gateway-parts'

/** Where SDKs put their key: OpenAI, Anthropic, Azure and Google, after our own header. */
const KEY_HEADERS = ['x-api-key', 'api-key', 'x-goog-api-key']

/**
 * The virtual key a request presents. `x-tg-key` comes first: it is there because another header is taken.
 */
export function presentedToken(request: Request): string | undefined {
  const { headers } = request
  const own = headers.get('x-tg-key')
  if (own !== null) return own.trim()
  const authorization = headers.get('authorization')
  if (authorization !== null && /^bearer /i.test(authorization))
    return authorization.slice(7).trim()
  for (const name of KEY_HEADERS) {
    const value = headers.get(name)
    if (value !== null) return value.trim()
  }
  const query = request.url.indexOf('?')
  if (query < 0) return undefined
  return new URLSearchParams(request.url.slice(query)).get('key') ?? undefined
}

/** The caller of a request that is not for a model. Throws `invalid_api_key`. */
export function authenticateHttp(gateway: GatewayParts, request: Request): Caller | undefined {
  return gateway.authenticate(presentedToken(request), (name) => request.headers.get(name))
}
