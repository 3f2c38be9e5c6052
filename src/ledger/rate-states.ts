import type { LimitUnit } from '../limits/limit'
import type { RateState } from '../protocols/rate-limits'
import type { Account } from './account'

/** Of accounts that a request has met, how the tightest of each kind of rate stands. */
export function tightestRates(accounts: readonly Account[], nowMs: number): RateState[] {
  const tightest = new Map<RateState['kind'], RateState>()
  for (const account of accounts) {
    const state = toRateState(account, nowMs)
    const known = state && tightest.get(state.kind)
    if (state && (known === undefined || state.remaining < known.remaining))
      tightest.set(state.kind, state)
  }
  return [...tightest.values()]
}

/** Clients are told how limits of such a unit stand. */
export const isRate = (unit: LimitUnit) => RATE_KINDS[unit] !== undefined

const RATE_KINDS: Readonly<Partial<Record<LimitUnit, RateState['kind']>>> = {
  requests: 'requests',
  tokens: 'tokens',
  input_tokens: 'input-tokens',
  output_tokens: 'output-tokens',
}

function toRateState(account: Account, nowMs: number): RateState | undefined {
  const kind = RATE_KINDS[account.limit.unit]
  if (kind === undefined) return undefined
  const { amount, spent, reserved, resetAtMs } = account.standing(nowMs)
  if (resetAtMs === undefined) return undefined
  return { kind, limit: amount, remaining: Math.max(0, amount - spent - reserved), resetAtMs }
}
