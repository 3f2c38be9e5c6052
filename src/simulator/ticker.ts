/** How far the ticker looks ahead for its next wake-up; idle waits cost 16 wake-ups a second. */
const LOOK_AHEAD_MS = 64

export type Ticker = {
  /** Runs once at a time of `performance.now()`, at most a millisecond late; gives what cancels it. */
  at(dueMs: number, run: () => void): () => void
  stop(): void
}

type Entry = { run: (() => void) | undefined }

/**
 * One timer for all streams: what is due in the same millisecond shares a slot and a wake-up, so
 * 15,000 frames a second cost a thousand timers a second instead of 15,000.
 */
export function createTicker(): Ticker {
  const slots = new Map<number, Entry[]>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let wakeAtMs = Infinity
  /** Every slot before this one has run. */
  let nextSlot = Math.floor(performance.now())

  function wake(atMs: number) {
    if (atMs >= wakeAtMs) return
    clearTimeout(timer)
    wakeAtMs = atMs
    timer = setTimeout(turn, Math.max(0, atMs - performance.now()))
  }

  function turn() {
    wakeAtMs = Infinity
    const now = Math.floor(performance.now())
    while (nextSlot <= now && slots.size > 0) {
      const entries = slots.get(nextSlot)
      slots.delete(nextSlot)
      // First, so that what the entries ask for finds its place behind this slot.
      nextSlot++
      for (const entry of entries ?? []) entry.run?.()
    }
    if (slots.size === 0) return
    let next = nextSlot
    while (next < nextSlot + LOOK_AHEAD_MS && !slots.has(next)) next++
    wake(next)
  }

  return {
    at(dueMs, run) {
      if (slots.size === 0) nextSlot = Math.max(nextSlot, Math.floor(performance.now()))
      const slot = Math.max(Math.ceil(dueMs), nextSlot)
      const entry: Entry = { run }
      const entries = slots.get(slot)
      if (entries) entries.push(entry)
      else slots.set(slot, [entry])
      wake(Math.min(slot, nextSlot + LOOK_AHEAD_MS))
      return () => {
        entry.run = undefined
      }
    },

    stop() {
      clearTimeout(timer)
      wakeAtMs = Infinity
      slots.clear()
    },
  }
}
