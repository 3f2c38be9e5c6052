import type { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord, recordOf, stringOf } from '../../std/record'
import type { UpstreamRefusal } from '../protocol'
import { toRedirectError, toUpstreamError } from '../upstream-error'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * OpenAI's error body: https://platform.openai.com/docs/guides/error-codes. An upstream's own, in this very
 * shape, is passed on as it came.
 */
export function renderError(error: GatewayError): string {
  const own = ownAnswer(error)
  if (own !== undefined) return own
  return JSON.stringify({
    error: {
      message: error.message,
      type: error.type,
      param: error.param ?? null,
      code: error.code,
    },
  })
}

/**
 * The upstream's own error body, where it has OpenAI's shape; `undefined` for none, and for one of another
 * format: Anthropic's and Google's have an `error` with a `message` too, but not the members that clients of
 * this format look for.
 */
export function ownAnswer({ answer }: GatewayError): string | undefined {
  const value = answer === undefined ? undefined : parseJson(answer)
  if (!isErrorBody(value) || stringOf(value, 'type') === 'error') return undefined
  return stringOf(recordOf(value, 'error'), 'status') === undefined ? answer : undefined
}

/** A frame that the official SDKs raise on: they throw at a truthy `error` in a frame's data. */
export function renderErrorFrame(error: GatewayError): Uint8Array {
  return encoder.encode(`data: ${renderError(error).replaceAll(/[\r\n]+/g, ' ')}\n\n`)
}

/** Reads an error status and its body. Never shows the caller what was said about our credential. */
export function parseError(provider: string, refusal: UpstreamRefusal): GatewayError {
  const { status, headers } = refusal
  const named = `the provider '${provider}'`
  const text = decoder.decode(refusal.body)
  const redirected = toRedirectError(named, status)
  if (redirected) return redirected
  const value = parseJson(text)
  const message = describe(value) ?? excerpt(text, 300)
  return toUpstreamError(named, status, message, {
    headers,
    ...(isErrorBody(value) && { answer: text }),
  })
}

/** An error that stood in an answer of status 200: as its only object, or as a frame of its stream. */
export function toErrorInAnswer(value: Record<string, unknown>, text: string): GatewayError {
  const message = describe(value) ?? 'unknown error'
  return toUpstreamError('the provider', statusOf(value.error), message, {
    ...(isErrorBody(value) && { answer: text }),
  })
}

/** What SDKs read as an error: anything else is told of in a body of ours. */
function isErrorBody(value: unknown): boolean {
  return stringOf(recordOf(value, 'error'), 'message') !== undefined
}

function describe(value: unknown): string | undefined {
  const error = recordOf(value, 'error')
  return (
    stringOf(error, 'message') ??
    stringOf(value, 'error') ??
    stringOf(value, 'message') ??
    stringOf(value, 'detail')
  )
}

/** OpenRouter and vLLM give the status as `code`; others only name the kind. */
function statusOf(error: unknown): number {
  if (!isRecord(error)) return 502
  const code = error.code ?? error.status
  if (typeof code === 'number' && code >= 400 && code < 600) return code
  const kind = `${stringOf(error, 'code') ?? ''} ${stringOf(error, 'type') ?? ''}`
  if (/rate_limit|quota|too_many/.test(kind)) return 429
  if (/context_length|invalid_request|content_filter/.test(kind)) return 400
  if (/overload|unavailable/.test(kind)) return 503
  return 502
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
