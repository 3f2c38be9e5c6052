import { GatewayError } from '../errors/gateway-error'
import type { Deadlines } from './deadlines'

/**
 * Reads an upstream's whole body, at most `maxBytes` of it. Throws `upstream_too_large` beyond, and
 * `upstream_broken`, `upstream_timeout` or `client_closed` when it ends early.
 */
export function readWholeBody(
  response: Response,
  deadlines: Deadlines,
  maxBytes: number
): Promise<Uint8Array> {
  const declared = response.headers.get('content-length')
  // A compressed body says how long it is before it is unpacked.
  const isBounded =
    declared !== null &&
    Number(declared) <= maxBytes &&
    response.headers.get('content-encoding') === null
  const reading = isBounded ? response.bytes() : readCounted(response, deadlines, maxBytes)
  // One reaction costs less than an `await` of its own would.
  return reading.catch((cause: unknown) => {
    throw toBodyError(deadlines, cause)
  })
}

/** What a read that failed means: the deadline or the client that ended it, else a broken upstream. */
export function toBodyError(deadlines: Deadlines, cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause
  const { reason } = deadlines.signal
  if (reason instanceof GatewayError) return reason
  return new GatewayError('upstream_broken', 'the provider broke off in the middle of its answer', {
    cause,
  })
}

const SPACE = 0x20
const JSON_STARTS: ReadonlySet<number | undefined> = new Set([0x7b, 0x5b])

/** Blanks and comments before an answer move no deadline, as in a stream. */
function isAnswer(chunk: Uint8Array): boolean {
  return JSON_STARTS.has(chunk.find((byte) => byte > SPACE))
}

async function readCounted(
  response: Response,
  deadlines: Deadlines,
  maxBytes: number
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  let hasBegun = false
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    hasBegun ||= isAnswer(chunk)
    if (hasBegun) deadlines.awaitBody()
    // Leaving the loop cancels the body, and with it the upstream.
    if (length > maxBytes)
      throw new GatewayError(
        'upstream_too_large',
        `the provider's answer is larger than ${maxBytes} bytes`
      )
    chunks.push(chunk)
  }
  const [first] = chunks
  return chunks.length === 1 && first ? first : Buffer.concat(chunks, length)
}
