import type { Database } from 'bun:sqlite'
import { type CountedEntry, createLedgerReader } from '../db/ledger-reader'
import type { CheckpointLimit } from '../limits/checkpoint-limit'
import type { Limit } from '../limits/limit'
import { parseSubject } from '../limits/subject'
import type { CounterState } from '../telemetry/records'
import { AccountBook } from './account-book'
import { restoreAccounts } from './restore'

const NOTHING_STORED = { isMany: () => false, of: () => [], one: () => undefined }

/** What entries up to one say was spent under limits of the configuration, and corrections up to another. */
export function recountLimits(
  database: Database,
  limits: readonly CheckpointLimit[],
  through: number,
  correctedThrough: number,
  nowMs = Date.now()
): CounterState[] {
  const counted = limits.flatMap((limit) => toLimit(limit) ?? [])
  const book = new AccountBook(counted)
  const reader = createLedgerReader(database)
  restoreAccounts({
    ...{ book, checkpoint: undefined, counters: NOTHING_STORED, limits: counted, ownOf: () => [] },
    nowMs,
    entries: {
      behind: reader.behind,
      since: (atMs) => upTo(reader.since(atMs), through),
      corrections: (atMs) => upTo(reader.corrections(atMs), correctedThrough),
    },
  })
  return [...book.accounts()].map((account) => ({
    limitId: account.limit.id,
    name: account.key,
    endsAtMs: account.endsAtMs(),
    stretches: account.spent(),
  }))
}

function* upTo(entries: Iterable<CountedEntry>, through: number): Generator<CountedEntry> {
  for (const entry of entries) if (entry.sequence <= through) yield entry
}

/** Its amount says nothing of what was spent. */
function toLimit(limit: CheckpointLimit): Limit | undefined {
  const subject = limit.subject === undefined ? undefined : parseSubject(limit.subject)
  if (subject === undefined) return undefined
  return { ...limit, subject, amount: 0, overshoot: 0, alertAt: [] }
}
