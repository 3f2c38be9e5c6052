import { GatewayError } from '../errors/gateway-error'
import type { Framer, FrameReader } from '../protocols/protocol'
import type { Deadlines } from '../providers/deadlines'
import { toBodyError } from '../providers/read-body'
import { type BodyReader, readerOf, type UpstreamResponse } from '../providers/upstream-response'
import type { SseFrame } from '../std/sse'

export const MAX_FRAME_BYTES = 1024 * 1024

/** How long an upstream that has said all may take to end its stream, so that its connection is kept. */
const DRAIN_MS = 1_000

/**
 * An upstream's event stream as the bytes that may go on: whole frames, in order, those withheld that
 * only the gateway asked for. Driven by `next`, so that a slow client slows the upstream.
 */
export class UpstreamStream {
  readonly #reader: BodyReader
  readonly #frames: FrameReader
  readonly #deadlines: Deadlines
  readonly #framer: Framer
  #failure: GatewayError | undefined
  /** A frame has come since a frame was last awaited; comments don't count. */
  #hasFrame = false
  #hasContent = false
  #isDone = false

  constructor(
    response: Pick<UpstreamResponse, 'body'>,
    framer: Framer,
    frames: FrameReader,
    deadlines: Deadlines
  ) {
    this.#reader = readerOf(response)
    this.#framer = framer
    this.#frames = frames
    this.#deadlines = deadlines
  }

  /** Content, a tool call, a finish reason or the end has been seen: the answer has begun. */
  get hasContent(): boolean {
    return this.#hasContent
  }

  /** Nothing follows what `next` gave last. */
  get isDone(): boolean {
    return this.#isDone
  }

  get facts() {
    return this.#frames.facts()
  }

  /**
   * The next whole frames; `undefined` at a clean end. Throws what broke the stream, once. Awaits nothing but the
   * read itself: it runs for every frame, and each further `await` would cost as much as reading the frame.
   */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#failure) throw this.#fail(this.#failure)
      if (this.#isDone) return undefined
      if (this.#hasFrame) this.#deadlines.awaitFrame(performance.now())
      this.#hasFrame = false
      let chunk: Uint8Array | undefined
      try {
        chunk = (await this.#reader.read()).value
      } catch (cause) {
        this.#assertComplete(cause)
      }
      const bytes = chunk ? this.#take(chunk) : this.#takeRest()
      if (this.#isDone && chunk) void this.#drain()
      if (bytes) return bytes
    }
  }

  /** Everything up to the first meaningful frame, or as much as one frame may have. */
  async readToContent(): Promise<Uint8Array[]> {
    const read: Uint8Array[] = []
    let readBytes = 0
    while (!this.#hasContent && readBytes <= MAX_FRAME_BYTES) {
      const bytes = await this.next()
      if (bytes === undefined) break
      read.push(bytes)
      readBytes += bytes.length
    }
    return read
  }

  /** Lets go of the upstream. */
  cancel(): void {
    this.#reader.cancel().catch(() => {})
  }

  /** Once all has been said, how the connection ended is no business of the client's. */
  #assertComplete(cause: unknown): void {
    if (this.#frames.isComplete() && !isClientGone(this.#deadlines)) return
    throw toBodyError(this.#deadlines, cause)
  }

  #take(chunk: Uint8Array): Uint8Array | undefined {
    const heldBefore = this.#framer.pendingBytes
    const frames = this.#cut(chunk)
    const kept: Uint8Array[] = []
    for (const frame of frames) {
      if (this.#isDone || this.#failure) break
      if (this.#accept(frame)) kept.push(frame.bytes)
    }
    if (this.#framer.pendingBytes > MAX_FRAME_BYTES) this.#failure ??= tooLarge()
    if (this.#frames.output) return nonEmpty(this.#frames.output())
    const isWhole = heldBefore === 0 && this.#framer.pendingBytes === 0
    if (isWhole && kept.length === frames.length && !this.#failure) return chunk
    if (kept.length <= 1) return kept[0]
    return Buffer.concat(kept)
  }

  /** The stream has ended: what is left may be a last frame without its blank line. */
  #takeRest(): Uint8Array | undefined {
    const rest = this.#framer.rest()
    let bytes: Uint8Array | undefined
    if (rest?.data !== undefined && isWholeFrame(rest.data) && this.#accept(rest))
      bytes = Buffer.concat([rest.bytes, FRAME_END])
    this.#isDone = true
    if (this.#frames.finish) bytes = this.#finish()
    if (!this.#failure && !this.#frames.isComplete())
      this.#failure = new GatewayError(
        'upstream_broken',
        'the provider ended its stream before the answer was finished'
      )
    if (this.#failure) this.#isDone = false
    return bytes
  }

  #finish(): Uint8Array | undefined {
    try {
      if (!this.#failure) return nonEmpty(this.#frames.finish?.())
    } catch (error) {
      this.#failure = GatewayError.from(error)
    }
    return nonEmpty(this.#frames.output?.())
  }

  #cut(chunk: Uint8Array): SseFrame[] {
    try {
      return this.#framer.push(chunk)
    } catch (error) {
      this.#failure = GatewayError.from(error)
      return []
    }
  }

  /** Notes what a frame says; false when it is not to go on. */
  #accept(frame: SseFrame): boolean {
    if (frame.bytes.length > MAX_FRAME_BYTES) {
      this.#failure = tooLarge()
      return false
    }
    try {
      const meaning = this.#frames.read(frame.data, frame.event)
      if (meaning === 'comment') return this.#hasContent
      if (meaning === 'heartbeat') return true
      this.#hasFrame = true
      if (meaning === 'content' || meaning === 'done') this.#hasContent = true
      if (meaning === 'done') this.#isDone = true
      return meaning !== 'withheld'
    } catch (error) {
      this.#failure = GatewayError.from(error)
      return false
    }
  }

  #fail(failure: GatewayError): GatewayError {
    this.cancel()
    return failure
  }

  /** Reads on to the end, so that the connection goes back to its pool; not for long. */
  async #drain(): Promise<void> {
    const timer = setTimeout(() => this.cancel(), DRAIN_MS)
    try {
      while (!(await this.#reader.read()).done);
    } catch {
      // It was of no more use; nothing is lost.
    } finally {
      clearTimeout(timer)
    }
  }
}

function nonEmpty(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && bytes.length > 0 ? bytes : undefined
}

const FRAME_END = new TextEncoder().encode('\n\n')

function isWholeFrame(data: string): boolean {
  if (data === '[DONE]') return true
  try {
    JSON.parse(data)
    return true
  } catch {
    return false
  }
}

function isClientGone(deadlines: Deadlines): boolean {
  return deadlines.reason?.code === 'client_closed'
}

function tooLarge(): GatewayError {
  return new GatewayError(
    'upstream_too_large',
    `the provider sent a frame of more than ${MAX_FRAME_BYTES} bytes`
  )
}
