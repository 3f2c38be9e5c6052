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

/**
 * One timer for all deadlines: a timer of its own for each of some thousand requests under way would cost
 * more than what it guards. Deadlines are therefore late by up to `periodMs`.
 */
export function createTicker(periodMs = 250): Ticker {
  const watches = new Set<Watch>()
  const timer = setInterval(() => {
    const nowMs = performance.now()
    for (const watch of watches) watch.tick(nowMs)
  }, periodMs)
  return {
    add: (watch) => void watches.add(watch),
    remove: (watch) => void watches.delete(watch),
    stop: () => clearInterval(timer),
  }
}
