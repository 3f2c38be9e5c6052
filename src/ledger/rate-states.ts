import type { LimitUnit } from '../limits/limit'
import type { RateState } from '../protocols/rate-limits'
import type { Account } from './account'

const RATE_KINDS: Readonly<Partial<Record<LimitUnit, RateState['kind']>>> = {
  requests: 'requests',
  tokens: 'tokens',
  input_tokens: 'input-tokens',
  output_tokens: 'output-tokens',
}

/** Whether it is told in the headers of answers. */
export const isRate = (unit: LimitUnit) => unit !== 'usd' && unit !== 'in_flight'

/** How the tightest of these limits stands, of each kind that headers know. */
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

function toRateState(account: Account, nowMs: number): RateState | undefined {
  const kind = RATE_KINDS[account.limit.unit]
  if (kind === undefined) return undefined
  const { amount, spent, reserved, resetAtMs } = account.standing(nowMs)
  if (resetAtMs === undefined) return undefined
  return { kind, limit: amount, remaining: Math.max(0, amount - spent - reserved), resetAtMs }
}
