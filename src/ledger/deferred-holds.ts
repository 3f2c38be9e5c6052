import type { CountedEntry } from '../db/ledger-reader'
import type { Account } from './account'
import { type Demand, Hold } from './ledger'

/**
 * What is held for requests whose cost comes later, such as batches, by their ids. It stays held from one process to the
 * next, since their entries in the ledger say so, until a correction says what they came to.
 */
export class DeferredHolds {
  readonly #holds = new Map<string, Hold[]>()

  /** Requests that something is held for. */
  get size(): number {
    return this.#holds.size
  }

  /** Keeps what is held for a request. */
  keep(requestId: string, hold: Hold): void {
    const known = this.#holds.get(requestId)
    if (known) known.push(hold)
    else this.#holds.set(requestId, [hold])
  }

  /** Holds again what an entry says, under one budget that it falls on. */
  restore(account: Account, entry: CountedEntry, nowMs: number): void {
    const { unit, unknownPrice } = account.limit
    if (unit !== 'usd') return
    const worst = entry.heldNanoUsd ?? (typeof unknownPrice === 'number' ? unknownPrice : 0)
    const hold = new Hold(entry.admittedAtMs)
    const demand: Demand = { account, expected: worst, worst, sums: undefined }
    hold.take([demand], nowMs)
    this.keep(entry.requestId, hold)
  }

  /** Gives back what is held for a request: it is known what it came to. */
  release(requestId: string): void {
    for (const hold of this.#holds.get(requestId) ?? []) hold.release()
    this.#holds.delete(requestId)
  }
}
