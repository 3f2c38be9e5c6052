import type { Account } from './account'
import type { GovernorOptions } from './governor'
import type { Refusal } from './ledger'

type TellingOptions = Pick<Required<GovernorOptions>, 'told' | 'onEvent' | 'alertAt' | 'now'>

const OVERRUN_AGAIN_AFTER_MS = 3_600_000

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
