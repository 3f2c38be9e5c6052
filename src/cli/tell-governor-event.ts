import type { GovernorEvent } from '../ledger/tell-budgets'
import { describeAmount, describeLimit } from '../ledger/refusals'
import type { ProgramLog } from '../telemetry/program-log'

/** What an operator wants to hear of budgets. */
export function tellGovernorEvent(event: GovernorEvent, programLog: ProgramLog): void {
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
    case 'unsettled':
      return programLog.warn('a budget holds for work that nobody has told the cost of', {
        ...facts,
        request: event.deferred.requestId,
        reference: event.deferred.reference,
        held: say(event.held),
        since: new Date(event.deferred.deferredAtMs).toISOString(),
      })
    case 'threshold':
      return programLog.warn('a budget has reached a threshold', {
        ...facts,
        threshold: event.at,
        spent: say(event.spent),
      })
  }
}
