/** Something with deadlines, looked at four times a second. */
export type Watch = {
  /** `nowMs` is monotonic (`performance.now()`). */
  tick(nowMs: number): void
}

export type Ticker = {
  add(watch: Watch): void
  remove(watch: Watch): void
  stop(): void
}

/** A period's work is done in so many parts, */
const PARTS = 10
/** where it is more than this many watches. */
const AT_ONCE = 100

/**
 * One timer for all deadlines: a timer of its own for each of some thousand requests under way would cost
 * more than what it guards. Deadlines are therefore late by up to `periodMs`. Many watches are looked at a part
 * at a time, spread over the period: all of them at once would hold up every answer for milliseconds.
 */
export function createTicker(periodMs = 250): Ticker {
  const watches = new Set<Watch>()
  let left = 0
  let nextPart: Timer | undefined
  const timer = setInterval(() => {
    // Else those at the end would never be reached while everything is late.
    if (left > 0) return
    left = watches.size
    if (left > 0) tickPart(watches.values(), Math.max(AT_ONCE, Math.ceil(left / PARTS)))
  }, periodMs)

  function tickPart(rest: SetIterator<Watch>, size: number): void {
    const nowMs = performance.now()
    // Those that come meanwhile stand behind the others, and wait for the next period.
    for (let at = Math.min(size, left); at > 0; at--) {
      const { value, done } = rest.next()
      left = done ? 0 : left - 1
      if (done) return
      value.tick(nowMs)
    }
    if (left > 0) nextPart = setTimeout(() => tickPart(rest, size), periodMs / PARTS)
  }

  return {
    add: (watch) => void watches.add(watch),
    remove: (watch) => void watches.delete(watch),
    stop() {
      clearInterval(timer)
      clearTimeout(nextPart)
    },
  }
}
