import type { Limit } from '../limits/limit'
import type { Dimensions } from '../limits/subject'
import type { DeferRecord, Settlement, SettlementRecord } from '../telemetry/records'
import type { Account } from './account'
import type { AccountBook, OwnLimit } from './account-book'
import { amountOf, worstAmount } from './amounts'
import { type Demand, Hold, type OnBooked } from './ledger'
import type { WorstCase } from './worst-case'

/**
 * What is held for a request that has its answer while the work goes on at the provider: a batch. It stays held in
 * every limit of money and tokens that applied, in this process and the next ones, until it is settled or released.
 */
export type DeferredHold = {
  readonly requestId: string
  /** What the provider calls the work. */
  readonly reference: string
  /** Whose request it was, and of which target. */
  readonly of: Dimensions
  /** Its costs belong to the windows of this time, in epoch milliseconds. */
  readonly admittedAtMs: number
  readonly deferredAtMs: number
  /** What is held; without any limit, and of a model without a price, no cost. */
  readonly worst: WorstCase
}

/** `unknown`: nothing is held for such a request, or no longer. */
export type DeferredOutcome = 'settled' | 'unknown'

export type DeferredOptions = {
  book: AccountBook
  /** The limits that a key has now, and those above it, by its id. */
  ownOf(keyId: string): readonly OwnLimit[]
  /** Has the accounts ready that a request may fall on. */
  prepare(of: Dimensions, own: readonly OwnLimit[]): Promise<void> | undefined
  /** Writes down what a hold came to, at once. */
  append(record: SettlementRecord): void
  /** Those that an earlier process left, where a start did not look for them. Rejects with `log_unavailable`. */
  load(): Promise<readonly DeferredHold[]>
  onBooked: OnBooked
  now(): number
}

type Kept = { readonly deferred: DeferredHold; readonly hold: Hold }

const NO_LIMITS: readonly OwnLimit[] = []

/** The holds that outlast their requests, each known until it is settled or released. */
export class DeferredHolds {
  readonly #options: DeferredOptions
  readonly #kept = new Map<string, Kept>()
  /** Settled before those of earlier processes were known, which may still be said to be among them. */
  readonly #gone = new Set<string>()
  #loading: Promise<void> | undefined
  #isLoaded = false

  constructor(options: DeferredOptions) {
    this.#options = options
  }

  /** Keeps what a request holds. Gives the record that is to be written with the request's end. */
  defer(deferred: DeferredHold, hold: Hold): DeferRecord {
    hold.expectWorst()
    this.#kept.set(deferred.requestId, { deferred, hold })
    const { requestId, deferredAtMs, reference, worst } = deferred
    const { inputTokens, outputTokens } = worst
    return { kind: 'defer', requestId, deferredAtMs, reference, inputTokens, outputTokens }
  }

  /** Holds again what earlier processes left: all of it. */
  restore(left: readonly DeferredHold[]): void {
    for (const deferred of left) {
      const { requestId, admittedAtMs } = deferred
      if (this.#kept.has(requestId) || this.#gone.has(requestId)) continue
      const kept = { deferred, hold: new Hold(admittedAtMs) }
      this.#kept.set(requestId, kept)
      this.#join(kept)
    }
    this.#isLoaded = true
    this.#gone.clear()
  }

  /** Holds in limits too that are new. */
  review(): void {
    for (const kept of this.#kept.values()) this.#join(kept)
  }

  /** Those that are held, the oldest first. Rejects with `log_unavailable`. */
  async list(): Promise<DeferredHold[]> {
    if (!this.#isLoaded) await this.#load()
    return [...this.#kept.values()].map(({ deferred }) => deferred)
  }

  /** Those that have been held since before a time, as far as they are known in memory. */
  *before(deferredAtMs: number): Generator<{ deferred: DeferredHold; budget: Demand | undefined }> {
    for (const { deferred, hold } of this.#kept.values()) {
      if (deferred.deferredAtMs > deferredAtMs) continue
      const budget = hold.partOf('usd')
      yield { deferred, budget }
    }
  }

  /** Books what a request came to, in the window in which it was admitted, and writes it down. */
  async settle(requestId: string, settlement: Settlement): Promise<DeferredOutcome> {
    if (!this.#isLoaded && !this.#kept.has(requestId)) await this.#load()
    const kept = this.#kept.get(requestId)
    if (kept === undefined) return 'unknown'
    const { of } = kept.deferred
    const preparing = this.#options.prepare(of, this.#ownOf(of))
    if (preparing) await preparing
    // Somebody else may have been faster.
    if (this.#kept.get(requestId) !== kept) return 'unknown'
    this.#book(kept, settlement)
    return 'settled'
  }

  /** Gives back what is held for a request that was settled beside this process. */
  forget(requestId: string): void {
    this.#kept.get(requestId)?.hold.release()
    this.#remove(requestId)
  }

  /** In one go, so that the journal tells what is counted. */
  #book(kept: Kept, settlement: Settlement): void {
    const { now, append, onBooked } = this.#options
    const nowMs = now()
    // Limits count what is written down while they are there.
    this.#join(kept)
    const used = {
      costNanoUsd: settlement.costNanoUsd,
      inputTokens: settlement.inputTokens ?? 0,
      outputTokens: settlement.outputTokens ?? 0,
    }
    kept.hold.settle((unit, held) => amountOf(unit, used, held), nowMs, onBooked)
    const { requestId } = kept.deferred
    this.#remove(requestId)
    append({ kind: 'settlement', requestId, settledAtMs: nowMs, ...settlement })
  }

  #remove(requestId: string): void {
    this.#kept.delete(requestId)
    if (!this.#isLoaded) this.#gone.add(requestId)
  }

  #join({ deferred, hold }: Kept): void {
    const { book, now } = this.#options
    const { of, worst } = deferred
    const own = this.#ownOf(of)
    // What stands only in the checkpoint is joined when the hold is settled.
    if (book.missing(of, own).length > 0) return
    const nowMs = now()
    const demands = book
      .atAttempt(of, own, nowMs)
      .filter(({ limit }) => isDeferred(limit))
      .map((account) => toDemand(account, worst))
    hold.join(demands, nowMs)
  }

  #ownOf({ keyId }: Dimensions): readonly OwnLimit[] {
    return keyId === undefined ? NO_LIMITS : this.#options.ownOf(keyId)
  }

  #load(): Promise<void> {
    this.#loading ??= this.#options
      .load()
      .then((left) => this.restore(left))
      .finally(() => {
        this.#loading = undefined
      })
    return this.#loading
  }
}

/** A request counts when it is admitted, an attempt when it was made: neither waits for what was used. */
function isDeferred({ unit }: Limit): boolean {
  return unit !== 'requests' && unit !== 'in_flight'
}

function toDemand(account: Account, worst: WorstCase): Demand {
  const amount = worstAmount(account, worst) ?? 0
  return { account, expected: amount, worst: amount, sums: undefined }
}
