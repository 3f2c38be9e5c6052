import type { GatewayError } from '../errors/gateway-error'
import type { Failure } from '../routing/health/classify-failure'

/** Why another credential could do better. */
export type CredentialFault =
  /** Its rate is used up, for a model: `retryAfterMs` is what the host asks for. */
  | { readonly kind: 'throttled'; readonly retryAfterMs: number | undefined }
  /** It may not use a model, or nothing: a 403 doesn't say which. */
  | { readonly kind: 'forbidden' }
  /** Its quota is used up, of a model or of all: a 429 doesn't say which either. */
  | { readonly kind: 'used_up' }
  /** The host doesn't know it. */
  | { readonly kind: 'refused' }
  /** Its account has no credit. */
  | { readonly kind: 'unpaid' }
  /** The token or signature that it stands for can't be had now. */
  | { readonly kind: 'unobtainable' }

/**
 * What a failed attempt says of its credential; `undefined` where it is not the credential's. `status` is the host's,
 * `undefined` where it was not reached.
 */
export function faultOf(
  error: GatewayError,
  { kind, cause, retryAfterMs }: Failure,
  status: number | undefined
): CredentialFault | undefined {
  if (kind === 'throttled')
    return cause === 'overloaded' ? undefined : { kind: 'throttled', retryAfterMs }
  if (kind !== 'credential') return undefined
  if (error.code !== 'upstream_unauthorized') return faultOfAccount(error)
  if (status === undefined) return { kind: 'unobtainable' }
  // An error in a stream, whose status was 200, doesn't say either what it is for.
  return { kind: status === 403 || status < 400 ? 'forbidden' : 'refused' }
}

function faultOfAccount({ status, message }: GatewayError): CredentialFault {
  // OpenRouter says 402 of a request that is larger than what is left: smaller ones go on.
  if (status === 402 && message.includes('max_tokens'))
    return { kind: 'throttled', retryAfterMs: 0 }
  return { kind: status === 429 ? 'used_up' : 'unpaid' }
}
