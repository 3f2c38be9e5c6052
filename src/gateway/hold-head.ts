import type { Ticker } from '../std/ticker'
import { MAX_FRAME_BYTES, type UpstreamStream } from './upstream-stream'

export type HeldHead = {
  held: Uint8Array[]
  /** The read that was under way when the time was up. */
  pending: Promise<Uint8Array | undefined> | undefined
}

const EXPIRED = Symbol('expired')

/**
 * Reads a stream up to its first meaningful frame, so that a failure before it can still be a status. After
 * `holdMs` the head leaves all the same, and only the status is settled. Throws what breaks the stream.
 */
export async function holdHead(
  stream: UpstreamStream,
  ticker: Ticker,
  holdMs: number
): Promise<HeldHead> {
  const held: Uint8Array[] = []
  let heldBytes = 0
  const { promise: expired, resolve: expire } = Promise.withResolvers<typeof EXPIRED>()
  const dueAtMs = performance.now() + holdMs
  const watch = {
    tick(nowMs: number) {
      if (nowMs >= dueAtMs) expire(EXPIRED)
    },
  }
  ticker.add(watch)
  try {
    for (;;) {
      const next = stream.next()
      const bytes = await Promise.race([next, expired])
      if (bytes === EXPIRED) {
        // The relay awaits it; a failure until then is not unhandled.
        next.catch(() => {})
        return { held, pending: next }
      }
      if (bytes === undefined) return { held, pending: undefined }
      held.push(bytes)
      heldBytes += bytes.length
      if (stream.hasContent || heldBytes > MAX_FRAME_BYTES) return { held, pending: undefined }
    }
  } finally {
    ticker.remove(watch)
  }
}
