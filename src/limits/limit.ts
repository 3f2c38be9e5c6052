import type { Subject } from './subject'
import type { Window } from './window'

/** What limits are counted in. */
export const LIMIT_UNITS = [
  'usd',
  'requests',
  'input_tokens',
  'output_tokens',
  'tokens',
  'in_flight',
] as const

export type LimitUnit = (typeof LIMIT_UNITS)[number]

/** At most so much of a unit for a subject in a window. A budget is a limit in USD. */
export type Limit = {
  /** Names it in entries and refusals: `budgets.0`, `limits.2`, `key/app:budget`. */
  readonly id: string
  readonly subject: Subject
  readonly unit: LimitUnit
  /** Nano-USD, tokens or requests. */
  readonly amount: number
  readonly window: Window
  /** The window as it was written; `undefined` for one that never ends, or none. */
  readonly windowText?: string | undefined
  /** How far the worst case of what is under way may go beyond the amount, while what is expected stays within. */
  readonly overshoot: number
  /** What a model without a price may do under a budget; a number is the nano-USD a request is taken to cost. */
  readonly unknownPrice: 'refuse' | 'allow' | number
  /** Another amount in its place, until a time. */
  readonly override?: Override | undefined
  /** Parts of the amount at which somebody is told, rising: 0.8 is four fifths; `undefined`: as for all budgets. */
  readonly alertAt: readonly number[] | undefined
}

/** An amount for a time that ends. */
export type Override = { readonly amount: number; readonly untilMs: number }

/** What a limit allows at a time. */
export function amountAt({ amount, override }: Limit, nowMs: number): number {
  return override !== undefined && nowMs < override.untilMs ? override.amount : amount
}

/**
 * Where a limit meets a request: once as it comes, or at each attempt, whose target is then known. Money and tokens
 * have a worst case only with a target.
 */
export function isForAdmission({ subject, unit }: Limit): boolean {
  return !subject.isOfTarget && (unit === 'requests' || unit === 'in_flight')
}
