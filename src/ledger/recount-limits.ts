import type { Database } from 'bun:sqlite'
import { type CountedEntry, createLedgerReader } from '../db/ledger-reader'
import type { CheckpointLimit } from '../limits/checkpoint-limit'
import type { Limit } from '../limits/limit'
import { parseSubject, type Subject } from '../limits/subject'
import type { OwnRecount } from '../telemetry/log-messages'
import type { CounterState } from '../telemetry/records'
import { AccountBook, type OwnLimit } from './account-book'
import { restoreAccounts } from './restore'

const NOTHING_STORED = { isMany: () => false, of: () => [], one: () => undefined }
const NO_LIMITS: readonly OwnLimit[] = []
const OF_KEY: Subject = { text: 'key', parts: [], isOfTarget: false, isEach: false }

/** What entries up to one say was spent under limits of the configuration and of keys, and corrections up to another. */
export function recountLimits(
  database: Database,
  { limits, own }: { limits: readonly CheckpointLimit[]; own: readonly OwnRecount[] },
  { through, correctedThrough }: { through: number; correctedThrough: number },
  nowMs = Date.now()
): CounterState[] {
  const counted = limits.flatMap((limit) => toLimit(limit) ?? [])
  const ofKeys = Map.groupBy(own, ({ keyId }) => keyId)
  const ownLimits = new Map(
    Array.from(ofKeys, ([keyId, given]) => [keyId, given.map(toOwnLimit)] as const)
  )
  const book = new AccountBook(counted)
  const reader = createLedgerReader(database)
  const isCounted = ({ keyId }: CountedEntry) =>
    counted.length > 0 || (keyId !== null && ofKeys.has(keyId))
  restoreAccounts({
    ...{ book, checkpoint: undefined, counters: NOTHING_STORED, nowMs },
    limits: [...counted, ...own.map(({ limit }) => limit)],
    ownOf: (keyId) => (keyId === null ? NO_LIMITS : (ownLimits.get(keyId) ?? NO_LIMITS)),
    entries: {
      behind: reader.behind,
      since: (atMs) => upTo(reader.since(atMs), through, isCounted),
      corrections: (atMs) => upTo(reader.corrections(atMs), correctedThrough, isCounted),
    },
  })
  return [...book.accounts()].map((account) => ({
    limitId: account.limit.id,
    name: account.key,
    endsAtMs: account.endsAtMs(),
    stretches: account.spent(),
  }))
}

function* upTo(
  entries: Iterable<CountedEntry>,
  through: number,
  isCounted: (entry: CountedEntry) => boolean
): Generator<CountedEntry> {
  for (const entry of entries) if (entry.sequence <= through && isCounted(entry)) yield entry
}

/** Its amount says nothing of what was spent. */
function toLimit(limit: CheckpointLimit): Limit | undefined {
  const subject = limit.subject === undefined ? undefined : parseSubject(limit.subject)
  if (subject === undefined) return undefined
  return { ...limit, subject, amount: 0, overshoot: 0, alertAt: [] }
}

function toOwnLimit({ limit, name }: OwnRecount): OwnLimit {
  return { name, limit: { ...limit, subject: OF_KEY, amount: 0, overshoot: 0, alertAt: [] } }
}
