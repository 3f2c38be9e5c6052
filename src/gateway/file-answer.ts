import { GatewayError } from '../errors/gateway-error'
import type { UpstreamHalf } from '../protocols/protocol'
import type { UpstreamResponse } from '../providers/upstream-response'
import { passHeaders } from './answer'

/** An answer says beforehand how long it is. */
export function isDeclared({ headers }: UpstreamResponse): boolean {
  return headers.has('content-length')
}

/** Throws `upstream_malformed` for a file of nothing. */
export function assertFile(provider: string, body: Uint8Array): void {
  if (body.length > 0) return
  throw new GatewayError(
    'upstream_malformed',
    `the provider '${provider}' answered 200 with an empty file`
  )
}

const RETRY_HEADERS = ['retry-after', 'retry-after-ms', 'x-should-retry']

/**
 * Headers of an upstream's answer that may pass: rate limits of another format than the client's would be taken for its
 * own. What is no JSON alone brings its type.
 */
export function passAnswerHeaders(
  response: UpstreamResponse,
  { answers, answerHeaders }: UpstreamHalf,
  isTold: boolean
): Record<string, string> {
  const passed = passHeaders(response.headers, isTold ? RETRY_HEADERS : answerHeaders)
  if (answers !== undefined && response.ok)
    passed['content-type'] = toHarmless(response.headers.get('content-type') ?? '')
  return passed
}

/** A type that a browser would run on our own page is none. */
function toHarmless(type: string): string {
  const isHarmless =
    /^(audio|image|video)\/(?!svg)|^application\/(json|x-ndjson|jsonl|pdf|octet-stream|ogg|x-subrip)\b|^text\/(plain|csv|vtt|srt)\b/i
  return isHarmless.test(type) ? type : 'application/octet-stream'
}
