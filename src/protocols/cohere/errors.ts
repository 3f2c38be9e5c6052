import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord, stringOf } from '../../std/record'
import type { UpstreamRefusal } from '../protocol'

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
  const text = decoder.decode(refusal.body)
  if (status >= 300 && status < 400)
    return new GatewayError(
      'upstream_redirected',
      `the provider '${provider}' answered with a redirect (${status}), which is never followed; set its base_url to the final address`,
      { shouldRetry: false }
    )
  const value = parseJson(text)
  const message = stringOf(value, 'message') ?? excerpt(text, 300)
  if (status === 401 || status === 403)
    return new GatewayError(
      'upstream_unauthorized',
      `the provider '${provider}' refused the gateway's own credential (${status}); its api_key must be mended, the caller's key is fine`,
      { shouldRetry: false, detail: message }
    )
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
