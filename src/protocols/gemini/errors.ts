import type { GatewayError, GatewayErrorOptions } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord, recordOf, stringOf } from '../../std/record'
import type { UpstreamRefusal } from '../protocol'
import { toCredentialError, toRedirectError, toUpstreamError } from '../upstream-error'

/**
 * Google's error body, `google.rpc.Status` as JSON: https://google.aip.dev/193 and
 * https://ai.google.dev/gemini-api/docs/troubleshooting
 */

const decoder = new TextDecoder()

/** Google's names of statuses: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'FAILED_PRECONDITION',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  408: 'DEADLINE_EXCEEDED',
  409: 'ABORTED',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

const TYPE = 'type.googleapis.com/google.rpc.'

/** The error as a whole answer's body. An upstream's own that has Google's shape is passed on as it came. */
export function renderError(error: GatewayError, requestId: string): string {
  if (error.answer !== undefined && isErrorBody(parseJson(error.answer))) return error.answer
  const { status, message, code, retryAfterSeconds } = error
  const details: object[] = [
    {
      '@type': `${TYPE}ErrorInfo`,
      reason: code.toUpperCase(),
      domain: 'tollgate',
      ...(error.param !== undefined && { metadata: { param: error.param } }),
    },
    { '@type': `${TYPE}RequestInfo`, requestId },
  ]
  if (retryAfterSeconds !== undefined)
    details.push({ '@type': `${TYPE}RetryInfo`, retryDelay: `${retryAfterSeconds}s` })
  return JSON.stringify({ error: { code: status, message, status: statusName(status), details } })
}

function statusName(status: number): string {
  return STATUS_NAMES[status] ?? (status >= 500 ? 'INTERNAL' : 'INVALID_ARGUMENT')
}

/** The error on one line, for a frame. */
export function renderErrorLine(error: GatewayError, requestId: string): string {
  return renderError(error, requestId).replaceAll(/[\r\n]+/g, ' ')
}

/** Reads an error status and its body. Never shows the caller what was said about our credential. */
export function parseError(provider: string, refusal: UpstreamRefusal): GatewayError {
  const { status, headers } = refusal
  const named = `the provider '${provider}'`
  const text = decoder.decode(refusal.body)
  const redirected = toRedirectError(named, status)
  if (redirected) return redirected
  const value = parseJson(text)
  return readError(named, status, value, text, { headers })
}

/** An error that stood in an answer of status 200: as its only object, or as a frame of its stream. */
export function toErrorInAnswer(value: unknown, text: string): GatewayError {
  const code = recordOf(value, 'error')?.code
  const status = typeof code === 'number' && code >= 400 && code < 600 ? code : 502
  return readError('the provider', status, value, text, {})
}

function readError(
  named: string,
  status: number,
  answer: unknown,
  text: string,
  options: GatewayErrorOptions
): GatewayError {
  // Without `alt=sse` even an error comes in a list.
  const value: unknown = Array.isArray(answer) ? answer[0] : answer
  const error = recordOf(value, 'error')
  const message = stringOf(error, 'message') ?? stringOf(value, 'error') ?? excerpt(text, 300)
  if (status === 401 || status === 403 || (status === 400 && isAboutKey(error)))
    return toCredentialError(named, message, status)
  const isDelayed = options.headers?.['retry-after'] !== undefined
  const retryAfterSeconds = isDelayed ? undefined : readRetryDelay(error)
  return toUpstreamError(named, status, message, {
    ...options,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(isErrorBody(answer) && { answer: text }),
  })
}

/** What Google's SDKs read as an error: they raise on a `code` of this range alone. */
function isErrorBody(value: unknown): boolean {
  const error = recordOf(value, 'error')
  const code = error?.code
  return (
    typeof code === 'number' &&
    code >= 400 &&
    code < 600 &&
    stringOf(error, 'message') !== undefined &&
    (error?.status === undefined || typeof error.status === 'string')
  )
}

/** Google says 400 of a key that it doesn't know. */
function isAboutKey(error: Record<string, unknown> | undefined): boolean {
  const isNamed = detailsOf(error).some((detail) =>
    stringOf(detail, 'reason')?.startsWith('API_KEY_')
  )
  return (
    isNamed ||
    /\bAPI key\b.*\b(not valid|invalid|expired|not found)\b/i.test(stringOf(error, 'message') ?? '')
  )
}

/** `retryDelay` of a `RetryInfo`, e.g. `34.4s`, in whole seconds. */
function readRetryDelay(error: Record<string, unknown> | undefined): number | undefined {
  for (const detail of detailsOf(error)) {
    const seconds = /^(\d+(?:\.\d+)?)s$/.exec(stringOf(detail, 'retryDelay') ?? '')?.[1]
    if (seconds !== undefined) return Math.ceil(Number(seconds))
  }
  return undefined
}

function detailsOf(error: Record<string, unknown> | undefined): Record<string, unknown>[] {
  const details = error?.details
  return Array.isArray(details) ? details.filter(isRecord) : []
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
