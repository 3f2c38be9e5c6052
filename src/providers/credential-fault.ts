import type { GatewayError } from '../errors/gateway-error'
import { recordOf, stringOf } from '../std/record'

/** Why another credential could do better. */
export type CredentialFault =
  /** Its rate is used up, for a model: `retryAfterMs` is what the host asks for. */
  | { readonly kind: 'throttled'; readonly retryAfterMs: number | undefined }
  /** It may not use a model, or nothing: a 403 doesn't say which. */
  | { readonly kind: 'forbidden' }
  /** The host doesn't know it. */
  | { readonly kind: 'refused' }
  /** Its account has no credit. */
  | { readonly kind: 'unpaid' }
  /** The token or signature that it stands for can't be had now. */
  | { readonly kind: 'unobtainable' }

/**
 * Words for an account without credit, as `error.code` or `error.type`: OpenAI's
 * (https://platform.openai.com/docs/guides/error-codes), Anthropic's
 * (https://platform.claude.com/docs/en/api/errors) and Moonshot's.
 */
const UNPAID = new Set([
  'insufficient_quota',
  'billing_not_active',
  'billing_hard_limit_reached',
  'billing_error',
  'exceeded_current_quota_error',
])

/**
 * What a failed attempt says of its credential; `undefined` where it is not the credential's. `status` is the host's,
 * `undefined` where it was not reached.
 */
export function faultOf(
  error: GatewayError,
  status: number | undefined
): CredentialFault | undefined {
  if (error.code === 'upstream_unauthorized') {
    if (status === undefined) return { kind: 'unobtainable' }
    if (isUnpaid(error, status)) return { kind: 'unpaid' }
    // An error in a stream, whose status was 200, doesn't say either what it is for.
    return { kind: status === 403 || status < 400 ? 'forbidden' : 'refused' }
  }
  if (error.code !== 'upstream_refused') return undefined
  if (isUnpaid(error, error.status)) return { kind: 'unpaid' }
  return error.status === 429 ? { kind: 'throttled', retryAfterMs: retryAfterOf(error) } : undefined
}

/**
 * Only what the host itself says counts, in fields of its own: a message can repeat the caller's words, and nobody may
 * take a credential from all others.
 */
function isUnpaid({ answer, message }: GatewayError, status: number): boolean {
  // OpenRouter says 402 of a request that is larger than what is left.
  if (status === 402) return !message.includes('max_tokens')
  if (answer === undefined) return false
  const error = recordOf(parse(answer), 'error')
  const words = [stringOf(error, 'code'), stringOf(error, 'type')]
  if (words.some((word) => word !== undefined && UNPAID.has(word))) return true
  return status === 400 && stringOf(error, 'message')?.startsWith(LOW_CREDIT) === true
}

/** Anthropic says it with a 400. */
const LOW_CREDIT = 'Your credit balance is too low'

/** https://www.rfc-editor.org/rfc/rfc9110#field.retry-after, and the milliseconds that OpenAI and Azure add. */
function retryAfterOf({ headers, retryAfterSeconds }: GatewayError): number | undefined {
  const exact = numberOf(headers?.['retry-after-ms'])
  if (exact !== undefined) return exact
  const written = headers?.['retry-after']
  if (written === undefined)
    return retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1_000
  const seconds = numberOf(written)
  if (seconds !== undefined) return seconds * 1_000
  const atMs = Date.parse(written)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - Date.now())
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
