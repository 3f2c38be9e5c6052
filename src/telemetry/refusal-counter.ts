import type { RefusalsRecord } from './records'

export type RefusalCounter = {
  /** Whether this refusal gets a row of its own. Those that don't are to be counted. */
  admits(nowMs: number, rowsPerSecond: number): boolean
  count(status: number, errorCode: string, nowMs: number): void
  /** The windows that are over at `nowMs`, or all with `everything`; each is given once. */
  take(nowMs: number, everything?: boolean): RefusalsRecord[]
  isCounting(): boolean
}

const WINDOW_MS = 10_000

/**
 * Keeps a flood of refused requests from becoming a flood of rows: so many each second are logged one
 * by one, the others add up to one record for each kind in 10 s. Times are epoch milliseconds.
 */
export function createRefusalCounter(): RefusalCounter {
  let second = 0
  let rowsInSecond = 0
  // Kinds are few: a status of ours and a code from a closed list.
  let windows = new Map<string, RefusalsRecord>()

  return {
    admits(nowMs, rowsPerSecond) {
      const current = Math.floor(nowMs / 1_000)
      if (current !== second) {
        second = current
        rowsInSecond = 0
      }
      rowsInSecond += 1
      return rowsInSecond <= rowsPerSecond
    },
    count(status, errorCode, nowMs) {
      const kind = `${status} ${errorCode}`
      const window = windows.get(kind)
      if (window === undefined) {
        const id = Bun.randomUUIDv7()
        const times = { startedAtMs: nowMs, endedAtMs: nowMs }
        windows.set(kind, { kind: 'refusals', id, ...times, status, errorCode, count: 1 })
      } else {
        window.endedAtMs = nowMs
        window.count += 1
      }
    },
    take(nowMs, everything = false) {
      const over: RefusalsRecord[] = []
      const running = new Map<string, RefusalsRecord>()
      for (const [kind, window] of windows) {
        if (everything || nowMs - window.startedAtMs >= WINDOW_MS) over.push(window)
        else running.set(kind, window)
      }
      windows = running
      return over
    },
    isCounting: () => windows.size > 0,
  }
}
