import type { BudgetSettings, RateSettings } from '../config/configuration'
import { LIMIT_UNITS, type Limit, type LimitUnit } from './limit'
import { parseSubject } from './subject'
import { createWindow } from './window'

const NANO = 1_000_000_000

/** Every limit that a configuration sets. What it says has been checked; what can't be read even so is an error. */
export function toLimits(
  budgets: readonly BudgetSettings[],
  rates: readonly RateSettings[]
): readonly Limit[] {
  return apart([...budgets.map(toBudget), ...rates.flatMap(toRateLimits)])
}

/** Limits that count the same are told apart by their order. */
function apart(limits: readonly Limit[]): readonly Limit[] {
  const seen = new Map<string, number>()
  return limits.map((limit) => {
    const times = (seen.get(limit.id) ?? 0) + 1
    seen.set(limit.id, times)
    return times === 1 ? limit : { ...limit, id: `${limit.id} #${times}` }
  })
}

function toBudget(budget: BudgetSettings): Limit {
  const { windowText, limitUsd, overshootUsd, unknownPrice } = budget
  const window = createWindow(windowText, budget)
  const reset = window.kind === 'calendar' ? ` calendar ${window.timezone}` : ''
  return {
    // The amount is no part of it: a limit that is raised goes on counting.
    id: `budget ${budget.subject} ${windowText ?? 'for good'}${reset}`,
    subject: readSubject(budget.subject),
    unit: 'usd',
    amount: Math.round(limitUsd * NANO),
    window,
    windowText,
    overshoot: Math.round(overshootUsd * NANO),
    unknownPrice: typeof unknownPrice === 'number' ? Math.round(unknownPrice * NANO) : unknownPrice,
    alertAt: budget.alertAt?.toSorted((a, b) => a - b),
    override: budget.override && {
      amount: Math.round(budget.override.limitUsd * NANO),
      untilMs: budget.override.untilMs,
    },
  }
}

function toRateLimits(rate: RateSettings): Limit[] {
  const limits: Limit[] = []
  for (const unit of LIMIT_UNITS) {
    const amount = rate.amounts[unit]
    if (amount !== undefined) limits.push(toRateLimit(rate, unit, amount))
  }
  return limits
}

function toRateLimit(rate: RateSettings, unit: LimitUnit, amount: number): Limit {
  // What is in flight has no window.
  const otherAmount = rate.override?.amounts[unit]
  const windowText = unit === 'in_flight' ? undefined : rate.windowText
  return {
    id: `limit ${rate.subject} ${unit} ${windowText ?? ''}`,
    subject: readSubject(rate.subject),
    unit,
    amount,
    window: createWindow(windowText, rate),
    windowText,
    overshoot: 0,
    unknownPrice: 'allow',
    alertAt: [],
    override:
      rate.override && otherAmount !== undefined
        ? { amount: otherAmount, untilMs: rate.override.untilMs }
        : undefined,
  }
}

function readSubject(text: string) {
  const subject = parseSubject(text)
  if (subject === undefined) throw new Error(`'${text}' is no subject`)
  return subject
}
