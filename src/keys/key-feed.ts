import type { KeyQueries } from '../db/key-queries'
import type { KeyRow, PreviousTokenRow } from '../db/state-schema'
import type { OwnLimit } from '../ledger/account-book'
import type { IndexedKey } from './key-columns'
import type { KeyIndex } from './key-index'

export type KeyFeedOptions = {
  queries: KeyQueries
  index: KeyIndex
  /** Told when changes can't be read, once until they can again; the keys known so far stay. */
  onError(error: unknown): void
  intervalMs?: number
  /** Told at once of limits that keys have been given, beside those of keys that are new. */
  onLimits?(added: readonly GivenLimits[]): void
}

/** Limits of its own that a key did not have before. */
export type GivenLimits = { readonly keyId: string; readonly limits: readonly OwnLimit[] }

export type KeyFeed = { stop(): void }

const LOAD_PAGE_ROWS = 10_000
// Some 3 ms of reading: a flood of changes is spread over several polls rather than stalling requests.
const POLL_ROWS = 1_000

type FeedColumns = Pick<KeyRow, 'groupId' | 'tokenHash'>

const NO_TOKENS: readonly PreviousTokenRow[] = []

/**
 * Fills the index with every key, team and organization, then keeps it current with what any process writes: a look at
 * the numbers of the last changes (3 µs each) each `intervalMs` (250), and a read of what changed alone.
 */
export function startKeyFeed(options: KeyFeedOptions): KeyFeed {
  const { queries, index, onError, intervalMs = 250 } = options
  const { groups } = queries
  // Taken first: what changes during the load is then read twice instead of never.
  let seenSeq = queries.latestSeq()
  let seenGroupSeq = groups.latestSeq()
  let failing = false
  loadAll()

  const timer = setInterval(() => {
    try {
      readGroupChanges()
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
    for (const group of groups.list()) index.putGroup(group)
    const tokens = Map.groupBy(queries.livingPreviousTokens(Date.now()), ({ keyId }) => keyId)
    let afterRow = 0
    while (true) {
      const rows = queries.load(afterRow, LOAD_PAGE_ROWS)
      for (const key of rows)
        put({ ...key, enabled: key.enabled !== 0 }, tokens.get(key.id) ?? NO_TOKENS)
      const last = rows.at(-1)
      if (last === undefined || rows.length < LOAD_PAGE_ROWS) return
      afterRow = last.row
    }
  }

  function readGroupChanges(): void {
    if (groups.latestSeq() === seenGroupSeq) return
    for (const { seq, group } of groups.changesAfter(seenGroupSeq, POLL_ROWS)) {
      index.putGroup(group)
      seenGroupSeq = seq
    }
  }

  function readChanges(): void {
    if (queries.latestSeq() === seenSeq) return
    const given: GivenLimits[] = []
    for (const { seq, key } of queries.changesAfter(seenSeq, POLL_ROWS)) {
      const before = index.at(key.tokenHash)?.limits
      put(key, queries.previousTokensOf(key.id))
      seenSeq = seq
      const limits = before && addedTo(before, index.at(key.tokenHash)?.limits ?? [])
      if (limits && limits.length > 0) given.push({ keyId: key.id, limits })
    }
    if (given.length > 0) options.onLimits?.(given)
  }

  function put(row: IndexedKey & FeedColumns, tokens: readonly PreviousTokenRow[]): void {
    if (row.groupId !== null) putMissingGroups(row.groupId)
    index.put(row.tokenHash, row, tokens)
  }

  /** A key can be read before the change that made its team, and a revoked one belong to a team that is gone. */
  function putMissingGroups(id: string): void {
    if (index.hasGroup(id)) return
    const group = groups.get(id)
    if (group === undefined) return
    if (group.parentId !== null) putMissingGroups(group.parentId)
    index.putGroup(group)
  }
}

function addedTo(before: readonly OwnLimit[], after: readonly OwnLimit[]): OwnLimit[] {
  const known = new Set(before.map(({ limit }) => limit.id))
  return after.filter(({ limit }) => !known.has(limit.id))
}
