import type { CounterRow, StoredCheckpoint } from '../db/checkpoint-store'
import type { HeldEntry } from '../db/deferred-holds'
import type { CountedEntry, LedgerReader } from '../db/ledger-reader'
import { readCheckpointLimits } from '../limits/checkpoint-limit'
import type { Limit } from '../limits/limit'
import type { Dimensions } from '../limits/subject'
import { BUCKETS, stretchAt } from '../limits/window'
import type { Account } from './account'
import type { AccountBook, OwnLimit } from './account-book'
import type { DeferredHold } from './deferred-holds'

/** The time from which entries still count under any of these limits; `undefined` where none does. */
export function oldestThatCounts(
  limits: Iterable<Pick<Limit, 'unit' | 'window'>>,
  nowMs: number
): number | undefined {
  let oldest: number | undefined
  for (const { unit, window } of limits) {
    if (unit === 'in_flight') continue
    const start = startOf(window, nowMs)
    oldest = oldest === undefined ? start : Math.min(oldest, start)
  }
  return oldest
}

function startOf(window: Limit['window'], nowMs: number): number {
  if (window.kind === 'once') return 0
  const { startMs } = stretchAt(window, nowMs)
  return window.kind === 'calendar'
    ? startMs
    : startMs - window.durationMs - window.durationMs / BUCKETS
}

/** Entries of the same caller and target fall on the same accounts: found once, up to a bound. */
const MANY_FOUND = 100_000

/** The counters of a checkpoint. */
export type CounterSource = {
  /** Whether a limit has more of them than should be read at a start. */
  isMany(limitId: string): boolean
  of(limitId: string, nowMs: number): Iterable<CounterRow>
  one(limitId: string, name: string): CounterRow | undefined
}

export type Restoring = {
  readonly book: AccountBook
  readonly entries: Pick<LedgerReader, 'since' | 'behind' | 'corrections'>
  /** The checkpoint that counters begin from, if there is one. */
  readonly checkpoint: StoredCheckpoint | undefined
  readonly counters: CounterSource
  /** Every limit that there is. */
  readonly limits: readonly Pick<Limit, 'id' | 'unit' | 'window'>[]
  /** The limits of a key and of those above it, by its id. */
  ownOf(keyId: string | null): readonly OwnLimit[]
  readonly nowMs: number
}

/**
 * Counts what was spent before this start: what a checkpoint has, the entries written since, and for limits that it does
 * not know all entries that still count. Gives how many entries were read.
 */
export function restoreAccounts(restoring: Restoring): number {
  const { book, entries, checkpoint, limits, nowMs } = restoring
  const known = new Set(checkpoint && readCheckpointLimits(checkpoint.limits).map(({ id }) => id))
  const added = limits.filter(({ id }) => !known.has(id))
  let read = 0
  book.beginStart()
  if (checkpoint !== undefined) {
    storeCounters(restoring, known)
    read += count(restoring, entries.behind(checkpoint.through), (account, entry) => {
      if (!known.has(account.limit.id)) return
      if (entry.sequence > book.countedThrough(account)) restore(account, entry)
    })
  }
  const oldestAddedMs = oldestThatCounts(added, nowMs)
  if (oldestAddedMs !== undefined)
    read += count(restoring, entries.since(oldestAddedMs), (account, entry) => {
      if (!known.has(account.limit.id)) restore(account, entry)
    })
  const oldestMs = oldestThatCounts(limits, nowMs)
  if (oldestMs !== undefined) read += count(restoring, entries.corrections(oldestMs), restore)
  book.endStart()
  return read
}

/** Of limits with many counters each is read when it is asked for. */
function storeCounters({ book, counters, limits, nowMs }: Restoring, known: ReadonlySet<string>) {
  for (const { id } of limits) {
    if (!known.has(id)) continue
    if (counters.isMany(id)) book.markPartial(id)
    else for (const row of counters.of(id, nowMs)) book.store(id, row.name, row)
  }
}

/** Counts an entry in an account that it falls on, whose present is known. */
export function restore(account: Account, entry: CountedEntry): void {
  const amount = amountOf(account.limit, entry)
  if (amount !== 0) account.restore(entry.admittedAtMs, amount, entry.kind === 'correction')
}

/** Hands each entry to the accounts that it falls on; gives how many entries there were. */
function count(
  restoring: Restoring,
  entries: Iterable<CountedEntry>,
  take: (account: Account, entry: CountedEntry) => void
): number {
  const { book, ownOf, nowMs } = restoring
  const found = new Map<string, readonly Account[]>()
  let read = 0
  for (const entry of entries) {
    const who = nameOf(entry)
    let accounts = found.get(who)
    if (accounts === undefined) {
      const of = toDimensions(entry)
      const own = ownOf(entry.keyId)
      storeMissing(restoring, of, own)
      accounts = findAccounts(book, of, own, nowMs)
      if (found.size >= MANY_FOUND) found.clear()
      found.set(who, accounts)
    }
    for (const account of accounts) take(account, entry)
    read++
  }
  return read
}

function storeMissing(
  { book, counters }: Restoring,
  of: Dimensions,
  own: readonly OwnLimit[]
): void {
  for (const { limitId, name } of book.missing(of, own)) {
    const row = counters.one(limitId, name)
    if (row) book.store(limitId, name, row)
  }
}

/** The holds that earlier processes left, their accounts ready to hold again. Comes after `restoreAccounts`. */
export function restoreHolds(restoring: Restoring, entries: readonly HeldEntry[]): DeferredHold[] {
  return entries.map((entry) => {
    const deferred = toDeferredHold(entry)
    storeMissing(restoring, deferred.of, restoring.ownOf(entry.keyId))
    return deferred
  })
}

/** What is held for a request, by its entry. */
export function toDeferredHold(entry: HeldEntry): DeferredHold {
  const { requestId, reference, admittedAtMs, deferredAtMs } = entry
  return {
    ...{ requestId, reference, admittedAtMs, deferredAtMs, of: toDimensions(entry) },
    worst: {
      costNanoUsd: entry.heldNanoUsd ?? undefined,
      inputTokens: entry.heldInputTokens,
      outputTokens: entry.heldOutputTokens,
    },
  }
}

function nameOf(entry: CountedEntry): string {
  const { organization, team, keyId, user, session, tags, provider, model, credential } = entry
  return `${organization}\n${team}\n${keyId}\n${user}\n${session}\n${tags}\n${provider}\n${model}\n${credential}`
}

/** The accounts that a request of a target falls on, their present known. */
export function findAccounts(
  book: AccountBook,
  of: Dimensions,
  own: readonly OwnLimit[],
  nowMs: number
): readonly Account[] {
  const accounts = [...book.atAdmission(of, own, nowMs), ...book.atAttempt(of, own, nowMs)]
  for (const account of accounts) account.advance(nowMs)
  return accounts
}

const NO_TAGS: readonly string[] = []

/** Whose request an entry is of, and of which target. */
export function toDimensions(entry: CountedEntry): Dimensions {
  const tags: unknown = entry.tags === null ? NO_TAGS : JSON.parse(entry.tags)
  return {
    organization: entry.organization,
    team: entry.team ?? undefined,
    key: entry.keyName ?? undefined,
    keyId: entry.keyId ?? undefined,
    user: entry.user ?? undefined,
    session: entry.session ?? undefined,
    tags: Array.isArray(tags) ? tags.map(String) : NO_TAGS,
    provider: entry.provider ?? undefined,
    model: entry.model ?? undefined,
    credential: entry.credential ?? undefined,
  }
}

/**
 * What an entry counts under a limit: nano-USD, tokens or requests. A correction may count less than nothing, and is
 * never a request.
 */
export function amountOf(
  { unit, unknownPrice, subject }: Pick<Limit, 'unit' | 'unknownPrice' | 'subject'>,
  entry: CountedEntry
): number {
  const { kind, inputTokens, outputTokens, provenance } = entry
  switch (unit) {
    case 'usd':
      if (provenance === 'none' || provenance === 'deferred') return 0
      if (kind === 'correction')
        return (entry.costNanoUsd ?? 0) + (entry.heldNanoUsd ?? -usdOf(unknownPrice))
      return entry.costNanoUsd ?? entry.heldNanoUsd ?? usdOf(unknownPrice)
    case 'requests':
      // Limits of a target count attempts.
      return kind === 'request' || (kind === 'attempt' && subject.isOfTarget) ? 1 : 0
    case 'input_tokens':
      return inputTokens ?? 0
    case 'output_tokens':
      return outputTokens ?? 0
    case 'tokens':
      return (inputTokens ?? 0) + (outputTokens ?? 0)
    case 'in_flight':
      return 0
  }
}

function usdOf(unknownPrice: Limit['unknownPrice']): number {
  return typeof unknownPrice === 'number' ? unknownPrice : 0
}
