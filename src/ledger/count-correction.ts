import type { LearnedEntry } from '../db/ledger-reader'
import type { AccountBook, OwnLimit } from './account-book'
import type { Governor } from './governor'
import { findAccounts, restore, toDimensions } from './restore'

export type CorrectionOptions = {
  book: AccountBook
  governor: Governor
  /** The limits that a key has now, and those above it, by its id. */
  ownOf(keyId: string): readonly OwnLimit[]
  now(): number
}

/**
 * Counts what was learned of a request beside this process, and gives back what is held for one that was settled so.
 * Rejects with `log_unavailable`.
 */
export async function countCorrection(
  entry: LearnedEntry,
  { book, governor, ownOf, now }: CorrectionOptions
): Promise<void> {
  const of = toDimensions(entry)
  const own = of.keyId === undefined ? [] : ownOf(of.keyId)
  const preparing = governor.prepare({ of, own })
  if (preparing) await preparing
  for (const account of findAccounts(book, of, own, now())) restore(account, entry)
  governor.holds.forget(entry.requestId)
}
