import { Alerter } from '../alerts/alerter'
import type { Configuration } from '../config/configuration'
import type { DataDirectory } from '../db/data-directory'
import type { Caller } from '../gateway/caller'
import type { RequestLabels } from '../gateway/client-call'
import { catchUp } from './catch-up'
import { AccountBook, type OwnLimit } from '../ledger/account-book'
import { type GovernedRequest, Governor, type GovernorEvent } from '../ledger/governor'
import type { RequestLog } from '../telemetry/request-log'
import { Checkpointer } from '../ledger/checkpointer'
import { toDeferredHold } from '../ledger/restore'
import { type LimitedKeys, restoreLedger } from './restore-ledger'
import { describeAmount, describeLimit } from '../ledger/refusals'
import { ToldMarks } from '../ledger/told-marks'
import { toLimits } from '../limits/from-configuration'
import { DEFAULT_ORGANIZATION } from '../limits/subject'
import type { ProgramLog } from '../telemetry/program-log'

export type GoverningOptions = {
  configuration: Configuration
  directory: DataDirectory
  programLog: ProgramLog
  /** Between attempts to deliver an alert; left out, from five seconds to four hours. */
  alertRetryDelaysMs?: readonly number[]
}

/** Counts requests by what the configuration and the keys allow, and tells what becomes of budgets. */
export function createGoverning(
  { configuration, directory, programLog, alertRetryDelaysMs }: GoverningOptions,
  keys: LimitedKeys
) {
  let limits = toLimits(configuration.budgets, configuration.limits)
  const book = new AccountBook(limits)
  const restored = restoreLedger(directory, book, limits, keys, Date.now())
  let { thresholds } = configuration.alerts
  const told = new ToldMarks()
  const alerter = new Alerter({
    ...{ settings: configuration.alerts, path: directory.alertsPath, programLog, told },
    retryDelaysMs: alertRetryDelaysMs,
  })
  let log: RequestLog | undefined
  const governor = new Governor({
    book,
    now: Date.now,
    told,
    alertAt: () => thresholds,
    readCounters: async (names) => log?.counters(names) ?? [],
    deferred: {
      ownOf: (keyId) => keys.ownOf(keyId),
      append: (record) => log?.settlement(record),
      load: async () => (await log?.deferred())?.map(toDeferredHold) ?? [],
    },
    onEvent(event) {
      tellGovernorEvent(event, programLog)
      alerter.tell(event)
    },
  })
  if (restored.deferred) governor.restoreDeferred(restored.deferred)
  // What the last process had no time to tell.
  governor.review()
  // Requests under way at a reload are not in the counters that it adds: the next start counts those anew.
  const complete = new Map(restored.limits.map((limit) => [limit.id, limit]))
  let checkpointer: Checkpointer | undefined
  let timer: ReturnType<typeof setInterval> | undefined
  return {
    parts: { governor, governed },
    configure(next: Configuration) {
      const before = limits
      limits = toLimits(next.budgets, next.limits)
      const kept = new Set(limits.map(({ id }) => id))
      for (const { id } of before) if (!kept.has(id)) complete.delete(id)
      book.configure(limits)
      governor.reviewDeferred()
      const known = new Set(before.map(({ id }) => id))
      const added = limits.filter(({ id }) => !known.has(id))
      if (log && checkpointer) void catchUp(added, { book, checkpointer, log, programLog })
      thresholds = next.alerts.thresholds
      alerter.configure(next.alerts)
      governor.review()
    },
    /** Has the counters written down behind what the log says. */
    keepCheckpoints(opened: RequestLog): void {
      log = opened
      checkpointer = new Checkpointer({
        ...{ book, after: restored.after },
        limits: () => complete.values(),
        segment: () => opened.segment,
        append: (record) => opened.checkpoint(record),
      })
      timer = setInterval(() => checkpointer?.step(), CHECKPOINT_STEP_MS).unref()
    },
    /** Writes the last checkpoint, and gives alerts a moment. */
    close(): Promise<void> {
      clearInterval(timer)
      checkpointer?.finish()
      return alerter.close()
    },
  }
}

const CHECKPOINT_STEP_MS = 250

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

/** What an operator wants to hear of budgets. */
function tellGovernorEvent(event: GovernorEvent, programLog: ProgramLog): void {
  const { name, limit } = event.account
  const facts = { account: name, limit: describeLimit(limit, event.account.amount) }
  const say = (amount: number) => describeAmount(limit.unit, amount)
  switch (event.kind) {
    case 'overrun':
      return programLog.warn('a request cost more than was held for it', {
        ...facts,
        overrun: say(event.overrun),
      })
    case 'exceeded':
      return programLog.warn('a budget has no room for a request', {
        ...facts,
        wanted: say(event.wanted),
      })
    case 'threshold':
      return programLog.warn('a budget has reached a threshold', {
        ...facts,
        threshold: event.at,
        spent: say(event.spent),
      })
  }
}
