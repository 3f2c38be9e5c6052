/** What a window may be counted in. */
export const WINDOW_UNITS = ['s', 'm', 'h', 'd', 'w', 'mo', 'q', 'y'] as const

export type WindowUnit = (typeof WINDOW_UNITS)[number]

/**
 * The time in which a limit counts. `rolling`: at any moment the time before it, as 60 buckets that are forgotten
 * whole. `calendar`: from one date to the next in a time zone. `once`: for good.
 */
export type Window =
  | { readonly kind: 'rolling'; readonly durationMs: number }
  | {
      readonly kind: 'calendar'
      readonly unit: WindowUnit
      readonly count: number
      readonly timezone: string
      readonly weekStart: WeekStart
    }
  | { readonly kind: 'once' }

export type WeekStart = 'monday' | 'sunday'

export const BUCKETS = 60

const DAY_MS = 86_400_000

/** A rolling month is 30 days, a quarter 91, a year 365. */
const UNIT_MS: Readonly<Record<WindowUnit, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: DAY_MS,
  w: 7 * DAY_MS,
  mo: 30 * DAY_MS,
  q: 91 * DAY_MS,
  y: 365 * DAY_MS,
}

/** Reads `30d`, `1mo`; `undefined` for what is none, or longer than ten years. */
export function parseWindow(text: string): { count: number; unit: WindowUnit } | undefined {
  const match = /^([1-9]\d{0,5})(s|m|h|d|w|mo|q|y)$/.exec(text)
  const unit = WINDOW_UNITS.find((known) => known === match?.[2])
  if (match === null || unit === undefined) return undefined
  const count = Number(match[1])
  return count * UNIT_MS[unit] <= 10 * UNIT_MS.y ? { count, unit } : undefined
}

/** How a window is meant, beside its length. */
export type WindowStyle = {
  /** `auto`: months and longer follow the calendar, all else rolls. */
  readonly reset: 'auto' | 'calendar' | 'rolling'
  readonly timezone: string
  readonly weekStart: WeekStart
}

/** The window of a text that was checked before; `undefined` is for good. Throws for a text that is no window. */
export function createWindow(text: string | undefined, style: WindowStyle): Window {
  if (text === undefined) return { kind: 'once' }
  const parsed = parseWindow(text)
  if (parsed === undefined) throw new Error(`'${text}' is no window`)
  const { reset, timezone, weekStart } = style
  const isCalendar = reset === 'calendar' || (reset === 'auto' && isCalendarUnit(parsed.unit))
  if (isCalendar) return { kind: 'calendar', ...parsed, timezone, weekStart }
  return { kind: 'rolling', durationMs: toDurationMs(parsed) }
}

/** The time of a rolling window. */
export function toDurationMs({ count, unit }: { count: number; unit: WindowUnit }): number {
  return count * UNIT_MS[unit]
}

/** Months and longer follow the calendar unless said. */
function isCalendarUnit(unit: WindowUnit): boolean {
  return unit === 'mo' || unit === 'q' || unit === 'y'
}

/** One stretch of a window: `[startMs, endMs)` in epoch milliseconds, and its number, which rises with time. */
export type Stretch = { readonly number: number; readonly startMs: number; readonly endMs: number }

/** The bucket of a rolling window, or the whole calendar window, that a moment is in. */
export function stretchAt(window: Window, atMs: number): Stretch {
  switch (window.kind) {
    case 'rolling': {
      const bucketMs = window.durationMs / BUCKETS
      const number = Math.floor(atMs / bucketMs)
      return { number, startMs: number * bucketMs, endMs: (number + 1) * bucketMs }
    }
    case 'once':
      return { number: 0, startMs: -Infinity, endMs: Infinity }
    case 'calendar':
      return calendarStretch(window, atMs)
  }
}

/**
 * How many stretches before the present one still count. Buckets begin at their own times, so that any span as long as
 * the window meets at most 61 of them.
 */
export function stretchesBack(window: Window): number {
  return window.kind === 'rolling' ? BUCKETS : 0
}

type Calendar = Extract<Window, { kind: 'calendar' }>

/** Counted from dates that every count begins at: the first of January 1970, or the first Monday or Sunday after. */
function calendarStretch({ unit, count, timezone, weekStart }: Calendar, atMs: number): Stretch {
  const now = Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toZonedDateTimeISO(timezone)
  const date = now.toPlainDate()
  const toMs = (plain: Temporal.PlainDate) => plain.toZonedDateTime(timezone).epochMilliseconds
  if (unit === 's' || unit === 'm' || unit === 'h') {
    // Clocks change by whole quarters of hours: the time of day counts from the day's own beginning.
    const lengthMs = count * UNIT_MS[unit]
    const dayMs = toMs(date)
    const nextDayMs = toMs(date.add({ days: 1 }))
    const startMs = dayMs + Math.floor((atMs - dayMs) / lengthMs) * lengthMs
    return { number: startMs, startMs, endMs: Math.min(startMs + lengthMs, nextDayMs) }
  }
  const months = unit === 'mo' ? count : unit === 'q' ? 3 * count : unit === 'y' ? 12 * count : 0
  if (months > 0) {
    const passed = (date.year - 1970) * 12 + date.month - 1
    const start = EPOCH.add({ months: Math.floor(passed / months) * months })
    return between(toMs(start), toMs(start.add({ months })))
  }
  const days = unit === 'w' ? 7 * count : count
  const origin = unit === 'w' ? EPOCH.add({ days: weekStart === 'monday' ? 4 : 3 }) : EPOCH
  const passed = origin.until(date, { largestUnit: 'days' }).days
  const start = origin.add({ days: Math.floor(passed / days) * days })
  return between(toMs(start), toMs(start.add({ days })))
}

const EPOCH = new Temporal.PlainDate(1970, 1, 1)

function between(startMs: number, endMs: number): Stretch {
  return { number: startMs, startMs, endMs }
}
