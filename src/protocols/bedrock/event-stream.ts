import type { EventStreamCodec } from '@smithy/eventstream-codec'
import { GatewayError } from '../../errors/gateway-error'
import type { SseFrame } from '../../std/sse'
import type { JsonValue } from '../json'
import type { Framer } from '../protocol'

/**
 * Amazon's binary event stream: messages of headers and a payload, with a checksum over the first eight bytes and one
 * over all: https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html
 */

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Two lengths and their checksum, and the message's checksum behind it. */
const OVERHEAD_BYTES = 16
/** Enough to know the message's length and that it was not damaged on the way. */
const PRELUDE_BYTES = 12
const MAX_HEADER_BYTES = 128 * 1024
/** Of a whole message; more than any length that is meant. */
const MAX_MESSAGE_BYTES = 24 * 1024 * 1024

type Headers = ReturnType<EventStreamCodec['decode']>['headers']

/** A codec that decodes: headers out of UTF-8, and none of its stateful parts. */
function createCodec(): EventStreamCodec {
  // Loading it takes as long as a third of the program's start, which those who never meet Bedrock are spared.
  const library: typeof import('@smithy/eventstream-codec') = require('@smithy/eventstream-codec')
  return new library.EventStreamCodec(
    (bytes) => (typeof bytes === 'string' ? bytes : decoder.decode(bytes)),
    (text) => encoder.encode(text)
  )
}

/**
 * Cuts a binary event stream into its messages. A frame's `bytes` are the message as it came, its `data` is the
 * payload's text; its `event` is the event's type, `exception:NAME` for an exception and `error:CODE` for an error.
 */
export class EventStreamFramer implements Framer {
  readonly #codec = createCodec()
  /** What has come of the message that is not whole yet, in the pieces that it came in. */
  #pieces: Uint8Array[] = []
  #pending = 0
  /** The whole length of that message, once its prelude is there. */
  #expected: number | undefined

  /** Bytes held back because their message is not whole. */
  get pendingBytes(): number {
    return this.#pending
  }

  /** Takes the next bytes and gives the messages that they complete. Throws `upstream_malformed`. */
  push(chunk: Uint8Array): SseFrame[] {
    const frames: SseFrame[] = []
    let rest = chunk
    while (rest.length > 0) {
      const bytes = this.#pending === 0 ? this.#begin(rest) : this.#continue(rest)
      rest = rest.subarray(bytes.taken)
      if (bytes.message) frames.push(decodeMessage(this.#codec, bytes.message))
    }
    return frames
  }

  /** The stream has ended. A message that is not whole says nothing that could be trusted. */
  rest(): undefined {
    return undefined
  }

  /** At the start of a message. One that is whole is not copied. */
  #begin(rest: Uint8Array): Taken {
    const length = rest.length < PRELUDE_BYTES ? undefined : readLength(rest)
    if (length !== undefined && length <= rest.length)
      return { taken: length, message: rest.subarray(0, length) }
    this.#pieces = [rest]
    this.#pending = rest.length
    this.#expected = length
    return { taken: rest.length }
  }

  #continue(rest: Uint8Array): Taken {
    const piece = rest.subarray(0, (this.#expected ?? PRELUDE_BYTES) - this.#pending)
    this.#pieces.push(piece)
    this.#pending += piece.length
    if (this.#pending < (this.#expected ?? PRELUDE_BYTES)) return { taken: piece.length }
    if (this.#expected === undefined) {
      this.#expected = readLength(this.#gather())
      return { taken: piece.length }
    }
    const message = this.#gather()
    this.#pieces = []
    this.#pending = 0
    this.#expected = undefined
    return { taken: piece.length, message }
  }

  /** The pieces as one; they are joined twice for a message at most: for its prelude, and whole. */
  #gather(): Uint8Array {
    const [first] = this.#pieces
    if (first !== undefined && this.#pieces.length === 1) return first
    const joined = new Uint8Array(this.#pending)
    let at = 0
    for (const piece of this.#pieces) {
      joined.set(piece, at)
      at += piece.length
    }
    this.#pieces = [joined]
    return joined
  }
}

/** How many of the bytes were taken, and the message that they complete. */
type Taken = { taken: number; message?: Uint8Array }

/** The length that a prelude tells. It is checked here, so that a damaged one is not waited for. */
function readLength(prelude: Uint8Array): number {
  const view = new DataView(prelude.buffer, prelude.byteOffset, prelude.byteLength)
  const length = view.getUint32(0)
  const headerBytes = view.getUint32(4)
  if (Bun.hash.crc32(prelude.subarray(0, 8)) !== view.getUint32(8))
    throw malformed('the checksum of its lengths is wrong')
  if (length > MAX_MESSAGE_BYTES || headerBytes > MAX_HEADER_BYTES)
    throw malformed(`it claims to be ${length} bytes long`)
  if (length < OVERHEAD_BYTES + headerBytes) throw malformed('its lengths contradict each other')
  return length
}

function decodeMessage(codec: EventStreamCodec, bytes: Uint8Array): SseFrame {
  let message: ReturnType<EventStreamCodec['decode']>
  try {
    message = codec.decode(bytes)
  } catch (cause) {
    throw malformed(cause instanceof Error ? cause.message : 'it cannot be read', cause)
  }
  const { headers, body } = message
  const text = decoder.decode(body)
  const type = textOf(headers, ':message-type')
  if (type === 'exception')
    return { bytes, data: text, event: `exception:${textOf(headers, ':exception-type') ?? ''}` }
  if (type === 'error') {
    const said = JSON.stringify({ message: textOf(headers, ':error-message') ?? text })
    return { bytes, data: said, event: `error:${textOf(headers, ':error-code') ?? ''}` }
  }
  return { bytes, data: text, event: textOf(headers, ':event-type') }
}

function textOf(headers: Headers, name: string): string | undefined {
  const header = Object.hasOwn(headers, name) ? headers[name] : undefined
  return header?.type === 'string' ? header.value : undefined
}

function malformed(what: string, cause?: unknown): GatewayError {
  const message = `the provider sent a message of its event stream that is damaged: ${what}`
  return new GatewayError('upstream_malformed', message, { cause })
}

/** Writes messages of the binary event stream. */
export class EventStreamEncoder {
  readonly #codec = createCodec()

  /** An event of this type with JSON as its payload. */
  event(type: string, payload: JsonValue): Uint8Array {
    return this.#encode({ ':event-type': type, ':message-type': 'event' }, payload)
  }

  /** An exception, which SDKs throw and which ends the stream. */
  exception(type: string, payload: JsonValue): Uint8Array {
    return this.#encode({ ':exception-type': type, ':message-type': 'exception' }, payload)
  }

  #encode(names: Record<string, string>, payload: JsonValue): Uint8Array {
    const headers: Headers = {}
    for (const name in names) headers[name] = { type: 'string', value: names[name] ?? '' }
    headers[':content-type'] = { type: 'string', value: 'application/json' }
    return this.#codec.encode({ headers, body: encoder.encode(JSON.stringify(payload)) })
  }
}
