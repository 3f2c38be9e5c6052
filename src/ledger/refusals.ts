import { GatewayError } from '../errors/gateway-error'
import type { Limit } from '../limits/limit'
import { formatUsd } from '../pricing/format-usd'
import type { Refusal } from './ledger'

/** A limit in words: `10 USD per 30d`, with the amount that it allows now. */
export function describeLimit({ unit, windowText }: Limit, amount: number): string {
  const counted = describeAmount(unit, amount)
  return windowText === undefined ? counted : `${counted} per ${windowText}`
}

/** An amount of a unit in words. */
export function describeAmount(unit: Limit['unit'], amount: number): string {
  if (unit === 'usd') return `${formatUsd(amount)} USD`
  return unit === 'in_flight' ? `${amount} in flight` : `${amount} ${unit.replaceAll('_', ' ')}`
}

/**
 * The error that a client gets when an account has no room: `insufficient_quota` for money, which no quick retry brings
 * back, else `rate_limit_exceeded`. `largestOutput` is the answer's length that would have fitted.
 */
export function toRefusalError(
  refusal: Refusal,
  nowMs: number,
  largestOutput?: number | undefined
): GatewayError {
  const { limit, standing, wanted } = refusal
  const { unit, subject } = limit
  const say = (amount: number) => describeAmount(unit, amount)
  const reset = standing.resetAtMs
  const parts = [
    `${subject.text} may use ${describeLimit(limit, standing.amount)}`,
    `${say(standing.spent)} used, ${say(standing.reserved)} reserved, ${say(wanted)} asked for`,
    reset === undefined ? 'it does not reset' : `resets at ${new Date(reset).toISOString()}`,
  ]
  if (largestOutput !== undefined && largestOutput > 0)
    parts.push(`an answer of at most ${largestOutput} tokens (max_tokens) would fit`)
  const isMoney = unit === 'usd'
  const seconds = reset === undefined ? undefined : Math.max(1, Math.ceil((reset - nowMs) / 1_000))
  return new GatewayError(
    isMoney ? 'insufficient_quota' : 'rate_limit_exceeded',
    `${isMoney ? 'the budget is used up' : 'too much at once'}: ${parts.join('; ')}`,
    {
      ...(seconds !== undefined && { retryAfterSeconds: unit === 'in_flight' ? 1 : seconds }),
      ...(isMoney && { shouldRetry: false }),
    }
  )
}
