import type { CounterRow } from '../db/checkpoint-store'
import type { CountedEntry } from '../db/ledger-reader'
import type { CheckpointLimit } from '../limits/checkpoint-limit'
import { parseSubject, type Subject, toCounterKey } from '../limits/subject'
import { type Stretch, stretchAt } from '../limits/window'
import type { Spent } from './account'
import { spentSchema } from './account-book'
import { amountOf, toDimensions } from './restore'

/** A counter of the checkpoint that does not say what the entries say, of one stretch of its window. */
export type CounterDifference = {
  readonly limitId: string
  readonly name: string
  readonly counted: number
  readonly recounted: number
}

export type Recounting = {
  readonly limits: readonly CheckpointLimit[]
  readonly counters: Iterable<CounterRow>
  /** Entries beside corrections. */
  readonly entries: Iterable<CountedEntry>
}

type Counter = { readonly row: CounterRow; readonly recounted: Map<number, number> }

/** A limit on its way through the entries; those of one time are mostly of the last one's stretch. */
type Recounted = CheckpointLimit & {
  readonly parsed: Subject
  readonly counters: Map<string, Counter>
  stretch: Stretch | undefined
}

/** Any subject that is of no target: what is looked at is only that. */
const OWN: Subject = { text: '', parts: [], isOfTarget: false, isEach: false }

/**
 * Counts every counter of a checkpoint again, from the entries that it says it has counted, and gives those that differ.
 * Limits that keys, teams or organizations have of their own count from when they were given, so that they may have
 * counted less.
 */
export function recount({ limits, counters, entries }: Recounting): {
  counters: number
  differences: CounterDifference[]
} {
  const recounted = new Map(limits.map((limit) => [limit.id, toRecounted(limit)]))
  let count = 0
  for (const row of counters) {
    const limit = recounted.get(row.limitId)
    if (limit === undefined) continue
    limit.counters.set(row.name, { row, recounted: new Map() })
    count++
  }
  const used = [...recounted.values()].filter(({ counters: found }) => found.size > 0)
  for (const entry of entries) for (const limit of used) countEntry(limit, entry)
  return { counters: count, differences: used.flatMap(compare) }
}

function toRecounted(limit: CheckpointLimit): Recounted {
  const parsed = (limit.subject === undefined ? undefined : parseSubject(limit.subject)) ?? OWN
  return { ...limit, parsed, counters: new Map(), stretch: undefined }
}

function countEntry(limit: Recounted, entry: CountedEntry): void {
  const { parsed, counters, unit, unknownPrice, window } = limit
  const isOwn = limit.subject === undefined
  const name = isOwn ? `key/${entry.keyId}` : toCounterKey(parsed, toDimensions(entry))
  const counter = name === undefined ? undefined : counters.get(name)
  if (counter === undefined || entry.sequence > counter.row.through) return
  const amount = amountOf({ unit, unknownPrice, subject: parsed }, entry)
  if (amount === 0) return
  const atMs = entry.admittedAtMs
  const known = limit.stretch
  const stretch =
    known && atMs >= known.startMs && atMs < known.endMs ? known : stretchAt(window, atMs)
  limit.stretch = stretch
  counter.recounted.set(stretch.number, (counter.recounted.get(stretch.number) ?? 0) + amount)
}

/**
 * A clock that is set back has a counter move what it had booked ahead into the present, while entries stay where they
 * were: the sum tells.
 */
function isSumRight(stretches: Spent, recounted: ReadonlyMap<number, number>): boolean {
  const oldest = Math.min(...stretches.map(([number]) => number))
  let missing = 0
  for (const [, counted] of stretches) missing += counted
  for (const [number, again] of recounted) if (number >= oldest) missing -= again
  return missing === 0
}

/** What a counter had forgotten when it was written down is not looked for. */
function compare(limit: Recounted): CounterDifference[] {
  const differences: CounterDifference[] = []
  for (const { row, recounted } of limit.counters.values()) {
    const isOwn = limit.subject === undefined
    // Of a team or organization entries have the name alone, which may have changed.
    if (isOwn && !row.name.startsWith('key/')) continue
    const stretches = spentSchema.parse(JSON.parse(row.stretches))
    if (isSumRight(stretches, recounted)) continue
    for (const [number, counted] of stretches) {
      const again = recounted.get(number) ?? 0
      if (counted === again || (isOwn && counted < again)) continue
      const { limitId, name } = row
      differences.push({ limitId, name, counted, recounted: again })
    }
  }
  return differences
}
