import { GatewayError, type GatewayErrorOptions } from '../errors/gateway-error'

/** The error for an answer of 300 to 399 by who is `named`; `undefined` for any other status. */
export function toRedirectError(named: string, status: number): GatewayError | undefined {
  if (status < 300 || status >= 400) return undefined
  return new GatewayError(
    'upstream_redirected',
    `${named} answered with a redirect (${status}), which is never followed; set its base_url to the final address`,
    { shouldRetry: false }
  )
}

/** The error for a credential of ours that was refused. What was said about it is for the log alone. */
export function toCredentialError(named: string, said: string, status?: number): GatewayError {
  const told = status === undefined ? '' : ` (${status})`
  return new GatewayError(
    'upstream_unauthorized',
    `${named} refused the gateway's own credential${told}; its api_key must be mended, the caller's key is fine`,
    { shouldRetry: false, detail: said }
  )
}

/** The error for what an upstream says has failed, with its own status where that is one of an error. */
export function toUpstreamError(
  named: string,
  status: number,
  said: string,
  options: GatewayErrorOptions
): GatewayError {
  if (status === 401 || status === 403) return toCredentialError(named, said, status)
  return new GatewayError('upstream_refused', `${named} answered ${status}: ${said}`, {
    ...options,
    status: status >= 400 && status < 600 ? status : 502,
  })
}
