import { Alerter } from '../alerts/alerter'
import type { AlertSettings } from '../config/alerts'
import type { Configuration } from '../config/configuration'
import type { DataDirectory } from '../db/data-directory'
import type { LearnedEntry } from '../db/ledger-reader'
import type { Caller } from '../gateway/caller'
import type { RequestLabels } from '../gateway/client-call'
import { catchUp } from './catch-up'
import { type CorrectionOptions, countCorrection } from '../ledger/count-correction'
import { AccountBook, type OwnLimit } from '../ledger/account-book'
import { type GovernedRequest, Governor } from '../ledger/governor'
import type { BenchEvent } from '../providers/credential-pool'
import type { RequestLog } from '../telemetry/request-log'
import { Checkpointer } from '../ledger/checkpointer'
import { toDeferredHold } from '../ledger/restore'
import { type LimitedKeys, type RestoredLedger, restoreLedger } from './restore-ledger'
import { tellGovernorEvent } from './tell-governor-event'
import { ToldMarks } from '../ledger/told-marks'
import type { CheckpointLimit } from '../limits/checkpoint-limit'
import { toLimits } from '../limits/from-configuration'
import type { Limit } from '../limits/limit'
import { DEFAULT_ORGANIZATION } from '../limits/subject'
import type { GivenLimits } from '../keys/key-feed'
import type { ProgramLog } from '../telemetry/program-log'

export type GoverningOptions = {
  configuration: Configuration
  directory: DataDirectory
  programLog: ProgramLog
  /** Between attempts to deliver an alert; left out, from five seconds to four hours. */
  alertRetryDelaysMs?: readonly number[]
}

/** Counts requests by what the configuration and the keys allow, and tells what becomes of budgets. */
export function createGoverning(options: GoverningOptions, keys: LimitedKeys): Governing {
  return new Governing(options, keys)
}

/** The ledger of a running gateway: what it counts by, and what it tells. */
export class Governing {
  readonly parts: { readonly governor: Governor; readonly governed: typeof governed }
  readonly #programLog: ProgramLog
  readonly #book: AccountBook
  readonly #governor: Governor
  readonly #alerter: Alerter
  readonly #restored: RestoredLedger
  /** Requests under way at a reload are not in the counters that it adds: the next start counts those anew. */
  readonly #complete: Map<string, CheckpointLimit>
  readonly #corrections: CorrectionOptions
  #limits: readonly Limit[]
  #alerts: AlertSettings
  #log: RequestLog | undefined
  #checkpointer: Checkpointer | undefined
  #timers: readonly ReturnType<typeof setInterval>[] = []

  constructor(options: GoverningOptions, keys: LimitedKeys) {
    const { configuration, directory, programLog, alertRetryDelaysMs } = options
    this.#programLog = programLog
    this.#limits = toLimits(configuration.budgets, configuration.limits)
    this.#book = new AccountBook(this.#limits)
    this.#restored = restoreLedger(directory, this.#book, this.#limits, keys, Date.now())
    this.#alerts = configuration.alerts
    const told = new ToldMarks()
    this.#alerter = new Alerter({
      ...{ settings: configuration.alerts, path: directory.alertsPath, programLog, told },
      retryDelaysMs: alertRetryDelaysMs,
    })
    this.#governor = new Governor({
      ...{ book: this.#book, now: Date.now, told, alertAt: () => this.#alerts.thresholds },
      readCounters: async (names) => this.#log?.counters(names) ?? [],
      deferred: {
        ownOf: (keyId) => keys.ownOf(keyId),
        append: (record) => this.#log?.settlement(record),
        load: async () => (await this.#log?.deferred())?.map(toDeferredHold) ?? [],
      },
      onEvent: (event) => {
        tellGovernorEvent(event, programLog)
        this.#alerter.tell(event)
      },
    })
    const { ownOf } = keys
    this.#corrections = { book: this.#book, governor: this.#governor, ownOf, now: Date.now }
    this.parts = { governor: this.#governor, governed }
    if (this.#restored.deferred) this.#governor.holds.restore(this.#restored.deferred)
    // What the last process had no time to tell.
    this.#governor.review()
    this.#complete = new Map(this.#restored.limits.map((limit) => [limit.id, limit]))
  }

  /** The last correction that is counted; `undefined` where none was looked for. */
  get correctedThrough(): number | undefined {
    return this.#restored.correctedThrough
  }

  /** Counts what was learned of requests beside the gateway. */
  correct(entries: readonly LearnedEntry[]): void {
    for (const entry of entries)
      countCorrection(entry, this.#corrections).catch((error: unknown) => {
        this.#programLog.warn('a correction counts only from the next start on', { error })
      })
  }

  /** A credential was put on the bench. */
  tellBenching(event: BenchEvent): void {
    this.#alerter.tellBenching(event)
  }

  configure(next: Configuration): void {
    const before = this.#limits
    this.#limits = toLimits(next.budgets, next.limits)
    const kept = new Set(this.#limits.map(({ id }) => id))
    for (const { id } of before) if (!kept.has(id)) this.#complete.delete(id)
    this.#book.configure(this.#limits)
    this.#reviewHolds()
    const known = new Set(before.map(({ id }) => id))
    this.#catchUp(this.#limits.filter(({ id }) => !known.has(id)))
    this.#alerts = next.alerts
    this.#alerter.configure(next.alerts)
    this.#governor.review()
  }

  /** Has the counters written down behind what the log says. */
  keepCheckpoints(log: RequestLog): void {
    this.#log = log
    this.#checkpointer = new Checkpointer({
      ...{ book: this.#book, after: this.#restored.after },
      limits: () => this.#complete.values(),
      segment: () => log.segment,
      append: (record) => log.checkpoint(record),
    })
    const review = () => this.#governor.reviewUnsettled(this.#alerts.unsettledAfterMs)
    review()
    this.#timers = [
      setInterval(() => this.#checkpointer?.step(), CHECKPOINT_STEP_MS).unref(),
      setInterval(review, UNSETTLED_REVIEW_MS).unref(),
    ]
  }

  /** Counts what keys have spent before under limits that they have just been given. */
  takeLimits(given: readonly GivenLimits[]): void {
    this.#reviewHolds()
    this.#catchUp([], given)
  }

  /** Writes the last checkpoint, and gives alerts a moment. */
  close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#checkpointer?.finish()
    return this.#alerter.close()
  }

  /** What outlasts its requests is held under new limits too; a start without limits did not look for it. */
  #reviewHolds(): void {
    this.#governor.holds.review()
    if (this.#log === undefined) return
    this.#governor.listDeferred().catch((error: unknown) => {
      this.#programLog.warn('what is held for earlier requests is not known yet', { error })
    })
  }

  #catchUp(limits: readonly Limit[], given: readonly GivenLimits[] = []): void {
    const log = this.#log
    const checkpointer = this.#checkpointer
    if (log === undefined || checkpointer === undefined) return
    void catchUp(limits, given, {
      book: this.#book,
      checkpointer,
      log,
      programLog: this.#programLog,
    })
  }
}

const CHECKPOINT_STEP_MS = 250
const UNSETTLED_REVIEW_MS = 60_000

const NO_LIMITS: readonly OwnLimit[] = []

/** Whose request it is, by its key and its labels. */
function governed(caller: Caller | undefined, labels: RequestLabels): GovernedRequest {
  return {
    of: {
      organization: caller?.organization ?? DEFAULT_ORGANIZATION,
      team: caller?.team,
      key: caller?.name,
      keyId: caller?.id,
      ...labels,
    },
    own: caller?.allLimits ?? NO_LIMITS,
  }
}
