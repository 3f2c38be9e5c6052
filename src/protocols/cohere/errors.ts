import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord, stringOf } from '../../std/record'
import type { UpstreamRefusal } from '../protocol'
import { toRedirectError, toUpstreamError } from '../upstream-error'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The error as a body. An upstream's own, in this very shape, is passed on as it came: https://docs.cohere.com/reference/errors */
export function renderError(error: GatewayError, requestId: string): string {
  if (error.answer !== undefined && isErrorBody(parseJson(error.answer))) return error.answer
  return JSON.stringify({ id: requestId, message: error.message })
}

/** The event that tells of an error: clients end a stream at this reason, and say so. */
export function renderErrorFrame(error: GatewayError, requestId: string): Uint8Array {
  const data = {
    type: 'message-end',
    id: requestId,
    delta: { finish_reason: 'ERROR', error: error.message },
  }
  return encoder.encode(`event: message-end\ndata: ${JSON.stringify(data)}\n\n`)
}

/** Reads an error status and its body. Never shows the caller what was said about our credential. */
export function parseError(provider: string, refusal: UpstreamRefusal): GatewayError {
  const { status, headers } = refusal
  const named = `the provider '${provider}'`
  const text = decoder.decode(refusal.body)
  const redirected = toRedirectError(named, status)
  if (redirected) return redirected
  const value = parseJson(text)
  const message = stringOf(value, 'message') ?? excerpt(text, 300)
  return toUpstreamError(named, status, message, {
    headers,
    ...(isErrorBody(value) && { answer: text }),
  })
}

/** An error that stands in a stream, or in a whole answer of status 200; `undefined` where `value` is none. */
export function toErrorInAnswer(value: unknown): GatewayError | undefined {
  if (!isErrorBody(value)) return undefined
  return new GatewayError(
    'upstream_refused',
    `the provider answered with an error: ${stringOf(value, 'message')}`,
    { status: 502, answer: JSON.stringify(value) }
  )
}

/** `message` and an `id`; other formats have a kind of the error beside it, or put it into an object. */
function isErrorBody(value: unknown): boolean {
  if (!isRecord(value) || typeof value.message !== 'string') return false
  return value.type === undefined && value.error === undefined && value.object === undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
