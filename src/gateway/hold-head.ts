import type { Ticker } from '../std/ticker'

/**
 * Waits for an answer's first meaningful frame, so that a failure before it can still be a status, and another
 * target still be tried. After `holdMs` it gives `undefined`: the head leaves all the same, and only the
 * status is settled. Throws what `answer` rejects with.
 */
export async function holdHead<T>(
  answer: Promise<T>,
  ticker: Ticker,
  holdMs: number
): Promise<T | undefined> {
  const { promise: expired, resolve: expire } = Promise.withResolvers<undefined>()
  const dueAtMs = performance.now() + holdMs
  const watch = {
    tick(nowMs: number) {
      if (nowMs >= dueAtMs) expire(undefined)
    },
  }
  ticker.add(watch)
  try {
    const first = await Promise.race([answer, expired])
    // The relay awaits it; a failure until then is not unhandled.
    if (first === undefined) answer.catch(() => {})
    return first
  } finally {
    ticker.remove(watch)
  }
}
