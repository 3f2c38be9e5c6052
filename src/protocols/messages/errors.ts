import type { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord, recordOf, stringOf } from '../../std/record'
import type { UpstreamRefusal } from '../protocol'
import { toCredentialError, toRedirectError, toUpstreamError } from '../upstream-error'

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
  const named = `the provider '${provider}'`
  const text = decoder.decode(refusal.body)
  const redirected = toRedirectError(named, status)
  if (redirected) return redirected
  const value = parseJson(text)
  const message = messageOf(value) ?? excerpt(text, 300)
  if (status === 401 || status === 403) return toCredentialError(named, message)
  return toUpstreamError(named, status, message, {
    headers,
    ...(isErrorBody(value) && { answer: text }),
  })
}

/** An error event of a stream. */
export function toStreamError(value: unknown, text: string): GatewayError {
  const status = STATUSES[stringOf(recordOf(value, 'error'), 'type') ?? ''] ?? 502
  const message = messageOf(value) ?? 'unknown error'
  if (status === 401 || status === 403) return toCredentialError('the provider', message)
  return toUpstreamError('the provider', status, message, {
    ...(isErrorBody(value) && { answer: text }),
  })
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
