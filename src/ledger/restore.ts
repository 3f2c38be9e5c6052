import type { CountedEntry } from '../db/ledger-reader'
import type { Limit } from '../limits/limit'
import type { Dimensions } from '../limits/subject'
import { BUCKETS, stretchAt } from '../limits/window'
import type { AccountBook, OwnLimit } from './account-book'

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

/** Counts entries as they were counted when their requests ended. */
export function restoreAccounts(
  book: AccountBook,
  entries: Iterable<CountedEntry>,
  ownOf: (keyId: string | null) => readonly OwnLimit[],
  nowMs: number
): number {
  let restored = 0
  for (const entry of entries) {
    const of = toDimensions(entry)
    const own = ownOf(entry.keyId)
    const accounts = [...book.atAdmission(of, own, nowMs), ...book.atAttempt(of, own, nowMs)]
    for (const account of accounts) {
      const amount = amountOf(account.limit, entry)
      if (amount === 0) continue
      account.advance(nowMs)
      account.restore(stretchAt(account.limit.window, entry.admittedAtMs).number, amount)
    }
    restored++
  }
  return restored
}

const NO_TAGS: readonly string[] = []

function toDimensions(entry: CountedEntry): Dimensions {
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
  }
}

function amountOf({ unit, unknownPrice }: Limit, entry: CountedEntry): number {
  const { inputTokens, outputTokens, provenance } = entry
  switch (unit) {
    case 'usd':
      if (provenance === 'none') return 0
      return (
        entry.costNanoUsd ??
        entry.heldNanoUsd ??
        (typeof unknownPrice === 'number' ? unknownPrice : 0)
      )
    case 'requests':
      return 1
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
