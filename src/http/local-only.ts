import { GatewayError } from '../errors/gateway-error'

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Without keys, whatever runs in a browser on this machine could spend the owner's money: by another
 * site's script (seen in Origin), or by a name that was made to point here (seen in Host). Throws
 * `origin_not_allowed` for both. `ownHost` is the configured address.
 */
export function assertLocal(request: Request, ownHost: string): void {
  const host = request.headers.get('host') ?? new URL(request.url).host
  if (!isAllowed(host.replace(/:\d+$/, ''), ownHost))
    throw new GatewayError(
      'origin_not_allowed',
      `the Host header '${host.slice(0, 100)}' is not this machine's; use http://127.0.0.1, or set keys.required: true`
    )
  const origin = request.headers.get('origin')
  if (origin !== null && !isAllowed(hostOf(origin), ownHost))
    throw new GatewayError(
      'origin_not_allowed',
      `pages of ${origin.slice(0, 100)} may not use this gateway without a key; set keys.required: true`
    )
}

function isAllowed(host: string, ownHost: string): boolean {
  return LOOPBACK.has(host.toLowerCase()) || host === ownHost || host === `[${ownHost}]`
}

function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname : ''
}
