import { createGzipFrames } from './gzip-frames'
import type { Pace } from './pace'
import { bytesOf, type Frame, isProtocolFrame } from './protocol'
import type { Exchange } from './recorder'
import type { Ticker } from './ticker'

/** Frames due at the same time leave as one chunk of at most about this size. */
const CHUNK_BYTES = 16 * 1024
/** Long enough for what was written before a reset to reach the client, on a busy machine too. */
const RESET_PAUSE_MS = 100

export type PacedStreamOptions = {
  frames: Iterable<Frame>
  pace: Pace
  ticker: Ticker
  exchange: Exchange
  stamp: boolean
  gzip: boolean
}

/**
 * Frames as a body: each leaves when it is due, or when the client takes it if that is later. A pull
 * that finds nothing due leaves a note with the ticker and returns; the next pull follows the enqueue.
 */
export function createPacedStream(options: PacedStreamOptions): ReadableStream<Uint8Array> {
  const { pace, ticker, exchange } = options
  const iterator = options.frames[Symbol.iterator]()
  const gzip = options.gzip ? createGzipFrames() : undefined
  let next = iterator.next()
  let tokens = 0
  let sentAtMs = performance.now()
  let dueMs = dueOf(next)
  let cancelTimer: (() => void) | undefined

  function dueOf(result: IteratorResult<Frame>): number {
    if (result.done) return 0
    const frame = result.value
    if (frame.kind === 'bytes') return sentAtMs + frame.pauseMs
    if (frame.kind === 'reset') return sentAtMs + RESET_PAUSE_MS
    if (frame.kind === 'hang' || frame.part === 'extra') return 0
    return pace.dueMs(tokens + frame.tokens)
  }

  function takeBytes(frame: Frame): Uint8Array | undefined {
    if (frame.kind === 'bytes') return frame.bytes
    if (!isProtocolFrame(frame)) return undefined
    tokens += frame.tokens
    if (!options.stamp) return bytesOf(frame)
    const now = performance.timeOrigin + performance.now()
    return frame.kind === 'text' ? Buffer.from(stamped(frame.text, now)) : frame.stamped(now)
  }

  /** Everything due now, up to a chunk, and takes it off the frames. */
  function takeDue(): Uint8Array[] {
    const parts: Uint8Array[] = []
    for (let sizeBytes = 0; !next.done && sizeBytes < CHUNK_BYTES;) {
      if (dueMs > performance.now()) break
      const bytes = takeBytes(next.value)
      if (!bytes) break
      parts.push(gzip ? gzip.add(bytes) : bytes)
      sizeBytes += bytes.length
      sentAtMs = performance.now()
      next = iterator.next()
      dueMs = dueOf(next)
    }
    return parts
  }

  function advance(controller: ReadableStreamDefaultController<Uint8Array>) {
    cancelTimer = undefined
    const parts = takeDue()
    const [first] = parts
    if (first) return controller.enqueue(parts.length === 1 ? first : Buffer.concat(parts))
    if (next.done) {
      if (gzip) controller.enqueue(gzip.end())
      exchange.finish()
      return controller.close()
    }
    if (next.value.kind === 'hang') return
    // A frame may have become due since it was looked at: it leaves with the ticker's next turn.
    if (next.value.kind !== 'reset' || dueMs > performance.now()) {
      cancelTimer = ticker.at(dueMs, () => advance(controller))
      return
    }
    exchange.finish()
    resetConnection(controller)
  }

  return new ReadableStream<Uint8Array>({
    pull(controller) {
      // Every read pulls, also one that comes while a frame waits for its time.
      if (!cancelTimer) advance(controller)
    },
    cancel() {
      cancelTimer?.()
      exchange.cancel()
    },
  })
}

/** Bun resets the connection of a body that fails, and prints the reason when there is one. */
export function resetConnection(controller: ReadableStreamDefaultController): void {
  controller.error(undefined)
}

/** A frame of Server-Sent Events, or an element of an array, up to where its JSON object opens. */
const OPENING = /^(?:(?:event: .*\n)?data: |\[|,\r\n)\{/

/** Puts the time of leaving into a frame's JSON: epoch milliseconds with fractions. */
function stamped(text: string, atMs: number): string {
  return text.replace(OPENING, `$&"sim_sent_at_ms":${atMs.toFixed(3)},`)
}
