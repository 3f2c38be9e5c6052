import { z } from 'zod'
import { formatUsd } from '../pricing/format-usd'
import { scaleDecimal } from '../std/decimal'
import { LIMIT_UNITS, type Limit, type LimitUnit } from './limit'
import type { Subject } from './subject'
import { createWindow, parseWindow, type Window } from './window'

/** A budget or limit as it is stored with a key, team or organization. */
export const storedLimitSchema = z.strictObject({
  unit: z.enum(LIMIT_UNITS),
  /** Nano-USD, tokens or requests. */
  amount: z.int().min(0),
  /** As written, `30d`; left out: for good, or none where it counts what is in flight. */
  window: z
    .string()
    .refine((text) => parseWindow(text) !== undefined, 'a window such as 1m, 24h, 30d, 1mo')
    .optional(),
  /** Another amount in its place, until a time. */
  override: z.strictObject({ amount: z.int().min(0), untilMs: z.int().min(0) }).optional(),
})

export type StoredLimit = z.infer<typeof storedLimitSchema>

export type ParsedLimit = { ok: true; limit: StoredLimit } | { ok: false; problem: string }

/** Beyond it nano-USD are no longer exact. */
const MOST_USD = 9_000_000
const MOST_COUNT = 1e15
const NANO_PLACES = 9

const BUDGET_HELP =
  'A budget is USD per window, such as 10/30d, 0.5/1d or 100/1mo; 10 alone is for good. Windows: s m h d w mo q y.'
const LIMIT_HELP =
  'A limit is a count per window, such as 600/1m (requests), 100000tokens/1m, 5000input_tokens/1h or 2000output_tokens/1m, or what may be under way at once: 10in_flight.'

/** Reads `10/30d`: at most 10 USD in 30 days; `10` is for good. */
export function parseBudgetText(text: string): ParsedLimit {
  const [usdText = '', window, more] = text.split('/')
  if (!/^\d+(\.\d+)?$/.test(usdText) || more !== undefined) return fail(BUDGET_HELP)
  if (window !== undefined && parseWindow(window) === undefined) return fail(BUDGET_HELP)
  const usd = Number(usdText)
  const nano = usd > MOST_USD ? undefined : scaleDecimal(usd, NANO_PLACES)
  if (nano === undefined) return fail(`A budget is at most ${MOST_USD} USD.`)
  if (!nano.isExact) return fail('A budget has at most nine decimals.')
  return { ok: true, limit: { unit: 'usd', amount: nano.value, ...(window && { window }) } }
}

/** Reads `600/1m`: at most 600 requests in a minute. Other units stand behind the count; `10in_flight` has no window. */
export function parseLimitText(text: string): ParsedLimit {
  const match = /^(\d{1,16})([a-z_]*)(?:\/(.*))?$/.exec(text)
  if (match === null) return fail(LIMIT_HELP)
  const [, countText = '', unitText = '', window] = match
  const unit = LIMIT_UNITS.find((known) => known === (unitText || 'requests'))
  if (unit === undefined || unit === 'usd') return fail(LIMIT_HELP)
  const amount = Number(countText)
  if (amount < 1 || amount > MOST_COUNT) return fail('A limit is a whole number from 1 to 10^15.')
  if (unit === 'in_flight')
    return window === undefined
      ? { ok: true, limit: { unit, amount } }
      : fail('What is in flight has no window: write 10in_flight.')
  if (window === undefined || parseWindow(window) === undefined) return fail(LIMIT_HELP)
  return { ok: true, limit: { unit, amount, window } }
}

/** A stored limit as it can be typed, and what it is for a time. */
export function formatStoredLimit({ unit, amount, window, override }: StoredLimit): string {
  const say = (counted: number) =>
    unit === 'usd' ? formatUsd(counted) : `${counted}${unit === 'requests' ? '' : unit}`
  const text = window === undefined ? say(amount) : `${say(amount)}/${window}`
  if (override === undefined) return text
  return `${text} (${say(override.amount)} until ${new Date(override.untilMs).toISOString()})`
}

/**
 * The same limits, the ones that count as `wanted` does with another amount for a time; without `untilMs` with their own
 * again. `undefined` where none counts so.
 */
export function overrideLimits(
  limits: readonly StoredLimit[],
  wanted: StoredLimit,
  untilMs: number | undefined
): StoredLimit[] | undefined {
  const isWanted = ({ unit, window }: StoredLimit) =>
    unit === wanted.unit && window === wanted.window
  if (!limits.some(isWanted)) return undefined
  return limits.map((limit) => {
    if (!isWanted(limit)) return limit
    const { override: _, ...rest } = limit
    return untilMs === undefined ? rest : { ...rest, override: { amount: wanted.amount, untilMs } }
  })
}

/** A limit before it is known whose it is: equal ones of many keys share it. */
export type LimitTemplate = Omit<Limit, 'subject'>

/** Makes limits of what is stored. Those that count alike are told apart by their order. */
export function toLimitTemplates(stored: readonly StoredLimit[]): LimitTemplate[] {
  const seen: string[] = []
  return stored.map(({ unit, amount, window, override }) => {
    // The amount is no part of it: a limit that is raised goes on counting.
    const counted = `own ${unit} ${window ?? (unit === 'usd' ? 'for good' : '')}`.trimEnd()
    seen.push(counted)
    const times = seen.filter((earlier) => earlier === counted).length
    return {
      id: times === 1 ? counted : `${counted} #${times}`,
      unit,
      amount,
      window: toWindow(unit, window),
      windowText: window,
      overshoot: 0,
      unknownPrice: unit === 'usd' ? 'refuse' : 'allow',
      alertAt: unit === 'usd' ? undefined : [],
      override,
    }
  })
}

/** Limits of a key, team or organization by its name, without `/`, `+` and `*`. */
export function toOwnLimits(
  templates: readonly LimitTemplate[],
  dimension: 'key' | 'team' | 'organization',
  name: string
): Limit[] {
  // Put together and not parsed: it is done for each key that comes.
  const subject: Subject = {
    text: `${dimension}/${name}`,
    parts: [{ dimension, name }],
    isOfTarget: false,
    isEach: false,
  }
  return templates.map((template) => ({ ...template, subject }))
}

/** As in a configuration that says nothing else: money of months and longer goes by the calendar, counts roll. */
function toWindow(unit: LimitUnit, text: string | undefined): Window {
  const reset = unit === 'usd' ? 'auto' : 'rolling'
  return createWindow(text, { reset, timezone: 'UTC', weekStart: 'monday' })
}

function fail(problem: string): ParsedLimit {
  return { ok: false, problem }
}
