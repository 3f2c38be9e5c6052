import { GatewayError } from '../errors/gateway-error'
import type { Deadlines } from './deadlines'
import { type BodyReader, piecesOf, readerOf, type UpstreamResponse } from './upstream-response'

/**
 * Reads an upstream's whole body, at most `maxBytes` of it. Throws `upstream_too_large` beyond, and
 * `upstream_broken`, `upstream_timeout` or `client_closed` when it ends early.
 */
export function readWholeBody(
  response: UpstreamResponse,
  deadlines: Deadlines,
  maxBytes: number
): Promise<Uint8Array> {
  if (isBounded(response, maxBytes)) return readDeclared(response, deadlines)
  return readCounted(response, deadlines, maxBytes).catch((cause: unknown) => {
    throw toBodyError(deadlines, cause)
  })
}

/** A body too large to be held: what was read of it, and the rest to come. */
export class BegunBody {
  readonly begun: Uint8Array
  readonly reader: BodyReader

  constructor(begun: Uint8Array, reader: BodyReader) {
    this.begun = begun
    this.reader = reader
  }
}

/** The whole body where it has at most `heldBytes`; else as much of it, still to be read on. Throws as `readWholeBody`. */
export function readHeldBody(
  response: UpstreamResponse,
  deadlines: Deadlines,
  heldBytes: number
): Promise<Uint8Array | BegunBody> {
  return isBounded(response, heldBytes)
    ? readDeclared(response, deadlines)
    : readBegun(response, deadlines, heldBytes)
}

/** One reaction costs less than an `await` of its own would. */
function readDeclared(response: UpstreamResponse, deadlines: Deadlines): Promise<Uint8Array> {
  return response.bytes().catch((cause: unknown) => {
    throw toBodyError(deadlines, cause)
  })
}

async function readBegun(
  response: UpstreamResponse,
  deadlines: Deadlines,
  heldBytes: number
): Promise<Uint8Array | BegunBody> {
  const reader: BodyReader = readerOf(response)
  const chunks: Uint8Array[] = []
  let length = 0
  let hasBegun = false
  try {
    while (length <= heldBytes) {
      const { value } = await reader.read()
      if (value === undefined) return join(chunks, length)
      length += value.length
      hasBegun ||= isAnswer(value)
      if (hasBegun) deadlines.awaitBody()
      chunks.push(value)
    }
  } catch (cause) {
    throw toBodyError(deadlines, cause)
  }
  return new BegunBody(join(chunks, length), reader)
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = chunks
  return chunks.length === 1 && first ? first : Buffer.concat(chunks, length)
}

/** A compressed body says how long it is before it is unpacked. */
function isBounded({ headers }: UpstreamResponse, maxBytes: number): boolean {
  const declared = headers.get('content-length')
  if (declared === null || Number(declared) > maxBytes) return false
  return headers.get('content-encoding') === null
}

/** What a read that failed means: the deadline or the client that ended it, else a broken upstream. */
export function toBodyError(deadlines: Deadlines, cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause
  if (deadlines.reason) return deadlines.reason
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
  response: UpstreamResponse,
  deadlines: Deadlines,
  maxBytes: number
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  let hasBegun = false
  for await (const chunk of piecesOf(response)) {
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
  return join(chunks, length)
}
