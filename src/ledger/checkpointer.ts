import type { CheckpointLimit } from '../limits/checkpoint-limit'
import type { CheckpointRecord, CounterState } from '../telemetry/records'
import type { Account } from './account'
import type { AccountBook } from './account-book'

export type CheckpointerOptions = {
  book: AccountBook
  /** The mark of the checkpoint that the counters were read of; 0 for none. */
  after: number
  /** The limits whose counters are complete, at the moment. */
  limits(): Iterable<CheckpointLimit>
  /** The number of the journal's present segment: it rises from process to process. */
  segment(): number
  /** Writes a record behind the ends of all that is counted; false when it is lost. */
  append(record: CheckpointRecord): boolean
  /** Monotonic milliseconds. */
  now?: () => number
}

/** Marks within a segment. */
const MARKS = 1_000_000
/** Counters in a step: about a millisecond of work, and a record of some 50 KB. */
const STEP_COUNTERS = 500
const EVERY_MS = 10_000

type Round = { changed: Account[]; taken: number; written: number }

/**
 * Writes down what the accounts have counted, so that a start needs only the entries behind it. Little by little: each
 * counter is right as of the record that it stands in, and only those are written that have changed. What the journal
 * says before a record is what its counters have counted, since ends are written as they are settled.
 */
export class Checkpointer {
  readonly #options: CheckpointerOptions
  readonly #now: () => number
  #after: number
  #segment = 0
  #marks = 0
  #round: Round | undefined
  #beganAtMs: number
  /** Which limits were said to be complete. */
  #complete: string | undefined

  constructor(options: CheckpointerOptions) {
    this.#options = options
    this.#after = options.after
    this.#now = options.now ?? (() => performance.now())
    this.#beganAtMs = this.#now()
  }

  /** One small step, to be taken a few times a second. */
  step(): void {
    if (this.#round === undefined) {
      if (!this.#options.book.hasChanged || this.#now() - this.#beganAtMs < EVERY_MS) return
      this.#begin()
    } else this.#go(this.#round)
  }

  /** Writes a mark behind the ends of all that is counted; gives it, or `undefined` when it is lost. */
  mark(): number | undefined {
    const mark = this.#mark()
    return this.#options.append({ kind: 'mark', mark }) ? mark : undefined
  }

  /** Writes all of it at once: before an orderly end. */
  finish(): void {
    while (this.#round) this.#go(this.#round)
    if (!this.#options.book.hasChanged) return
    this.#begin()
    while (this.#round) this.#go(this.#round)
  }

  #begin(): void {
    this.#beganAtMs = this.#now()
    const ids = Array.from(this.#options.limits(), ({ id }) => id)
    const said = ids.join('\n')
    // Counters take the place of older ones one by one: those of a limit that a reload took away must count no more.
    const complete = said === this.#complete ? undefined : ids
    if (!this.#options.append({ kind: 'checkpoint-begin', mark: this.#mark(), complete })) return
    this.#complete = said
    this.#round = { changed: this.#options.book.takeChanged(), taken: 0, written: 0 }
  }

  #go(round: Round): void {
    const { changed, taken } = round
    const { book, limits, append } = this.#options
    const mark = this.#mark()
    if (taken < changed.length) {
      round.taken = Math.min(changed.length, taken + STEP_COUNTERS)
      // What was taken away meanwhile has not counted what ended since.
      const present = changed.slice(taken, round.taken).filter((account) => book.holds(account))
      round.written += present.length
      if (append({ kind: 'counters', mark, counters: present.map(toState) })) return
      // The journal takes no more: what it lacks is left for the next time.
      for (const account of changed.slice(taken)) account.noteChange()
    } else {
      const of = { after: this.#after, count: round.written, limits: [...limits()] }
      if (append({ kind: 'checkpoint-end', mark, ...of })) this.#after = mark
    }
    this.#round = undefined
  }

  #mark(): number {
    const segment = this.#options.segment()
    this.#marks = segment === this.#segment ? this.#marks + 1 : 1
    this.#segment = segment
    return segment * MARKS + this.#marks
  }
}

function toState(account: Account): CounterState {
  const stretches = account.takeSpent()
  return { limitId: account.limit.id, name: account.key, endsAtMs: account.endsAtMs(), stretches }
}
