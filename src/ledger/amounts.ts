import { GatewayError } from '../errors/gateway-error'
import type { LimitUnit } from '../limits/limit'
import type { Account } from './account'
import type { GovernedTarget, Reservation, Used } from './governor'
import type { WorstCase } from './worst-case'

/** What an account is asked to hold; `undefined` where it counts money and the model has no price. */
export function worstAmount({ limit }: Account, worst: WorstCase): number | undefined {
  if (limit.unit !== 'usd' || worst.costNanoUsd !== undefined) return toAmount(limit.unit, worst)
  if (limit.unknownPrice === 'refuse') return undefined
  return limit.unknownPrice === 'allow' ? 0 : limit.unknownPrice
}

function toAmount(unit: LimitUnit, worst: WorstCase): number {
  switch (unit) {
    case 'usd':
      return worst.costNanoUsd ?? 0
    case 'input_tokens':
      return worst.inputTokens
    case 'output_tokens':
      return worst.outputTokens
    case 'tokens':
      return worst.inputTokens + worst.outputTokens
    case 'requests':
    case 'in_flight':
      return 1
  }
}

/** A cost that nobody knows is booked as it was held. */
export function amountOf(unit: LimitUnit, used: Used, held: number): number {
  switch (unit) {
    case 'usd':
      return used.costNanoUsd ?? held
    case 'input_tokens':
      return used.inputTokens
    case 'output_tokens':
      return used.outputTokens
    case 'tokens':
      return used.inputTokens + used.outputTokens
    case 'requests':
      return 1
    case 'in_flight':
      return 0
  }
}

export function unpriced({ limit }: Account, { model }: GovernedTarget): Reservation {
  const error = new GatewayError(
    'insufficient_quota',
    `'${model}' has no known price, and the budget of ${limit.subject.text} counts money: give it a price under models, or set unknown_price of the budget`,
    { param: 'model', shouldRetry: false }
  )
  return { kind: 'skipped', error }
}
