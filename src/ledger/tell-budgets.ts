import type { Account } from './account'
import type { DeferredHold, DeferredHolds } from './deferred-holds'
import type { GovernorOptions } from './governor'
import type { Refusal } from './ledger'
import type { Mark } from './told-marks'

/**
 * Something the governor wants told of a budget, each once a window: a threshold that was reached, a request refused
 * that an empty budget had let in, a booking beyond what was held (that once an hour at least), work that it has been
 * holding for too long (again every week). Amounts are nano-USD.
 */
export type GovernorEvent = { readonly account: Account; readonly mark: Mark } & (
  | { readonly kind: 'threshold'; readonly at: number; readonly spent: number }
  | { readonly kind: 'exceeded'; readonly wanted: number }
  | { readonly kind: 'overrun'; readonly overrun: number }
  | { readonly kind: 'unsettled'; readonly deferred: DeferredHold; readonly held: number }
)

/** What telling needs of a governor. */
export type TellingOptions = Pick<Required<GovernorOptions>, 'told' | 'onEvent' | 'alertAt' | 'now'>

const OVERRUN_AGAIN_AFTER_MS = 3_600_000
const UNSETTLED_AGAIN_AFTER_MS = 7 * 86_400_000

/** Tells what a booking makes of a budget; other limits are nobody's concern. */
export function tellBooked(
  options: TellingOptions,
  account: Account,
  spent: number,
  overrun: number,
  nowMs: number
): void {
  if (account.limit.unit !== 'usd') return
  const { told, onEvent } = options
  const mark =
    overrun > 0 ? told.take(account, 'overrun', nowMs, OVERRUN_AGAIN_AFTER_MS) : undefined
  if (mark) onEvent({ kind: 'overrun', account, mark, overrun })
  tellThresholds(options, account, spent, nowMs)
}

/** Tells the thresholds of a budget that so much reaches, each once a window. */
export function tellThresholds(
  { told, onEvent, alertAt }: TellingOptions,
  account: Account,
  spent: number,
  nowMs: number
): void {
  const { limit, amount } = account
  for (const at of limit.alertAt ?? alertAt()) {
    if (spent === 0 || spent < at * amount) return
    const mark = told.take(account, `threshold ${at}`, nowMs)
    if (mark) onEvent({ kind: 'threshold', account, mark, at, spent })
  }
}

/** Tells of a refusal by a budget that would have let the request in while it was empty. */
export function tellRefusal(
  { told, onEvent, now }: TellingOptions,
  { account, limit, wanted }: Refusal
): void {
  // What no empty budget would let in says something of the request alone.
  if (wanted > account.amount + limit.overshoot) return
  const mark = told.take(account, 'exceeded', now())
  if (mark) onEvent({ kind: 'exceeded', account, mark, wanted })
}

/** Tells what has been held for longer for work behind an answer: of each in one budget, the first that holds it. */
export function tellUnsettled(
  { told, onEvent, now }: TellingOptions,
  holds: DeferredHolds,
  afterMs: number
): void {
  const nowMs = now()
  for (const { deferred, budget } of holds.before(nowMs - afterMs)) {
    const key = `unsettled\n${deferred.requestId}`
    if (budget === undefined || told.has(key, nowMs)) continue
    const mark = { key, untilMs: nowMs + UNSETTLED_AGAIN_AFTER_MS }
    told.restore(mark)
    const { account, worst: held } = budget
    onEvent({ kind: 'unsettled', account, mark, deferred, held })
  }
}
