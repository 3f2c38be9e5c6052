import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord } from '../../std/record'
import type { UpstreamRefusal } from '../protocol'
import { toCredentialError, toRedirectError, toUpstreamError } from '../upstream-error'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** `{"error": "…"}`, as every failure is: https://docs.ollama.com/api/errors */
export function renderError(error: GatewayError): string {
  if (error.answer !== undefined && messageIn(parse(error.answer)) !== undefined)
    return error.answer
  return JSON.stringify({ error: error.message })
}

/** A line that the SDKs raise on. */
export function renderErrorFrame(error: GatewayError): Uint8Array {
  return encoder.encode(`${renderError(error).replaceAll(/[\r\n]+/g, ' ')}\n`)
}

/** Reads an error status and its body. Never shows the caller what was said about our credential. */
export function parseError(provider: string, refusal: UpstreamRefusal): GatewayError {
  const { status, headers } = refusal
  const named = `the provider '${provider}'`
  const text = decoder.decode(refusal.body)
  const redirected = toRedirectError(named, status)
  if (redirected) return redirected
  const message = messageIn(parse(text))
  const said = message ?? excerpt(text, 300)
  if (status === 401 || status === 403) return toCredentialError(named, said)
  return toUpstreamError(named, status, said, {
    headers,
    ...(message !== undefined && { answer: text }),
  })
}

/** An error in an answer whose status was 200: a line of a stream, or the whole. */
export function toAnswerError(value: unknown, text: string): GatewayError | undefined {
  const message = messageIn(value)
  if (message === undefined) return undefined
  return new GatewayError('upstream_refused', `the provider answered with an error: ${message}`, {
    answer: text,
  })
}

function messageIn(value: unknown): string | undefined {
  if (!isRecord(value)) return undefined
  if (typeof value.error === 'string') return value.error
  return isRecord(value.error) && typeof value.error.message === 'string'
    ? value.error.message
    : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
