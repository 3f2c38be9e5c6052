import type { Configuration } from '../config/configuration'
import type { DataDirectory } from '../db/data-directory'
import type { Caller } from '../gateway/gateway'
import type { RequestLabels } from '../gateway/client-call'
import { AccountBook, type OwnLimit } from '../ledger/account-book'
import { type GovernedRequest, Governor, type GovernorEvent } from '../ledger/governor'
import { type LimitedKeys, restoreLedger } from './restore-ledger'
import { describeAmount, describeLimit } from '../ledger/refusals'
import { toLimits } from '../limits/from-configuration'
import { DEFAULT_ORGANIZATION } from '../limits/subject'
import type { ProgramLog } from '../telemetry/program-log'

/** Counts requests by what the configuration and the keys allow. */
export function createGoverning(
  configuration: Configuration,
  directory: DataDirectory,
  keys: LimitedKeys,
  programLog: ProgramLog
) {
  const limits = toLimits(configuration.budgets, configuration.limits)
  const book = new AccountBook(limits)
  restoreLedger(directory, book, limits, keys, Date.now())
  const governor = new Governor({
    book,
    now: Date.now,
    onEvent: (event) => tellGovernorEvent(event, programLog),
  })
  return {
    parts: { governor, governed },
    configure: ({ budgets, limits }: Configuration) => book.configure(toLimits(budgets, limits)),
  }
}

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
  const facts = { account: name, limit: describeLimit(limit) }
  if (event.kind === 'overrun') {
    const overrun = describeAmount(limit.unit, event.overrun)
    programLog.warn('a request cost more than was held for it', { ...facts, overrun })
  } else {
    const spent = describeAmount(limit.unit, event.spent)
    programLog.warn('a budget has reached a threshold', { ...facts, threshold: event.at, spent })
  }
}
