import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord, recordOf, stringOf } from '../../std/record'
import type { UpstreamRefusal } from '../protocol'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** https://platform.claude.com/docs/en/api/errors */
const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

const STATUSES: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
}

/** The error as a body. An upstream's own, in this very shape, is passed on as it came. */
export function renderError(error: GatewayError, requestId: string): string {
  if (error.answer !== undefined && isErrorBody(parseJson(error.answer))) return error.answer
  const type = TYPES[error.status] ?? (error.status < 500 ? 'invalid_request_error' : 'api_error')
  const message = error.param === undefined ? error.message : `${error.param}: ${error.message}`
  return JSON.stringify({ type: 'error', error: { type, message }, request_id: requestId })
}

/** The event that the SDKs raise on. */
export function renderErrorFrame(error: GatewayError, requestId: string): Uint8Array {
  const data = renderError(error, requestId).replaceAll(/[\r\n]+/g, ' ')
  return encoder.encode(`event: error\ndata: ${data}\n\n`)
}

/** Reads an error status and its body. Never shows the caller what was said about our credential. */
export function parseError(provider: string, refusal: UpstreamRefusal): GatewayError {
  const { status, headers } = refusal
  const text = decoder.decode(refusal.body)
  if (status >= 300 && status < 400)
    return new GatewayError(
      'upstream_redirected',
      `the provider '${provider}' answered with a redirect (${status}), which is never followed; set its base_url to the final address`,
      { shouldRetry: false }
    )
  const value = parseJson(text)
  const message = messageOf(value) ?? excerpt(text, 300)
  if (status === 401 || status === 403) return unauthorized(`the provider '${provider}'`, message)
  return new GatewayError(
    'upstream_refused',
    `the provider '${provider}' answered ${status}: ${message}`,
    {
      status: status >= 400 && status < 600 ? status : 502,
      headers,
      ...(isErrorBody(value) && { answer: text }),
    }
  )
}

/** An error event of a stream. */
export function toStreamError(value: unknown, text: string): GatewayError {
  const status = STATUSES[stringOf(recordOf(value, 'error'), 'type') ?? ''] ?? 502
  const message = messageOf(value) ?? 'unknown error'
  if (status === 401 || status === 403) return unauthorized('the provider', message)
  return new GatewayError('upstream_refused', `the provider answered ${status}: ${message}`, {
    status,
    ...(isErrorBody(value) && { answer: text }),
  })
}

function unauthorized(named: string, detail: string): GatewayError {
  return new GatewayError(
    'upstream_unauthorized',
    `${named} refused the gateway's own credential; its api_key must be mended, the caller's key is fine`,
    { shouldRetry: false, detail }
  )
}

function isErrorBody(value: unknown): boolean {
  return isRecord(value) && value.type === 'error' && messageOf(value) !== undefined
}

function messageOf(value: unknown): string | undefined {
  return stringOf(recordOf(value, 'error'), 'message') ?? stringOf(value, 'message')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
