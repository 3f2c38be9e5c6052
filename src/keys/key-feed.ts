import type { KeyQueries } from '../db/key-queries'
import type { KeyIndex } from './key-index'
import { createKeyReader } from './virtual-key'

export type KeyFeedOptions = {
  queries: KeyQueries
  index: KeyIndex
  /** Told when changes can't be read, once until they can again; the keys known so far stay. */
  onError(error: unknown): void
  intervalMs?: number
}

export type KeyFeed = { stop(): void }

const LOAD_PAGE_ROWS = 10_000
// Some 3 ms of reading: a flood of changes is spread over several polls rather than stalling requests.
const POLL_ROWS = 1_000

/**
 * Fills the index with every key, then keeps it current with what any process writes: a look at the
 * number of the last change (3 µs) each `intervalMs` (250), and a read of the changed keys alone.
 */
export function startKeyFeed(options: KeyFeedOptions): KeyFeed {
  const { queries, index, onError, intervalMs = 250 } = options
  const readKey = createKeyReader()
  // Taken first: what changes during the load is then read twice instead of never.
  let seenSeq = queries.latestSeq()
  let failing = false
  loadAll()

  const timer = setInterval(() => {
    try {
      readChanges()
      failing = false
    } catch (error) {
      if (!failing) onError(error)
      failing = true
    }
  }, intervalMs)
  timer.unref()
  return { stop: () => clearInterval(timer) }

  function loadAll(): void {
    let afterId = ''
    while (true) {
      const rows = queries.page(afterId, LOAD_PAGE_ROWS)
      for (const row of rows) index.put(row.tokenHash, readKey(row))
      const last = rows.at(-1)
      if (last === undefined || rows.length < LOAD_PAGE_ROWS) return
      afterId = last.id
    }
  }

  function readChanges(): void {
    if (queries.latestSeq() === seenSeq) return
    for (const { seq, key } of queries.changesAfter(seenSeq, POLL_ROWS)) {
      index.put(key.tokenHash, readKey(key))
      seenSeq = seq
    }
  }
}
