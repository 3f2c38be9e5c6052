import { parseDuration } from '../std/duration'

export type ParsedExpiry = { ok: true; atMs: number } | { ok: false; problem: string }

const DATE = /^\d{4}-\d\d-\d\d$/
// Without its offset a time would mean another moment on every machine.
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/
// Beyond the year 9999 a time has no common spelling any more.
const LATEST_MS = Date.UTC(9999, 11, 31)

/**
 * Reads when a key ends: a span from `nowMs` on such as `30d`, a date (its first moment
 * in UTC) or an ISO 8601 time with its offset. Gives epoch milliseconds, always after `nowMs`.
 */
export function parseExpiry(text: string, nowMs: number): ParsedExpiry {
  const atMs = readSpan(text, nowMs) ?? readTime(text)
  if (atMs === undefined || Number.isNaN(atMs) || atMs > LATEST_MS) {
    return {
      ok: false,
      problem:
        'give a span such as 12h, 30d or 4w, a date such as 2030-01-31, or an ISO 8601 time with its offset',
    }
  }
  if (atMs <= nowMs) return { ok: false, problem: 'it is in the past' }
  return { ok: true, atMs }
}

function readSpan(text: string, nowMs: number): number | undefined {
  const spanMs = parseDuration(text)
  return spanMs === undefined ? undefined : nowMs + spanMs
}

function readTime(text: string): number | undefined {
  if (!DATE.test(text) && !TIME.test(text)) return undefined
  // Of the 30th of February `Date` would make a day of March.
  const day = text.slice(0, 10)
  const dayMs = Date.parse(`${day}T00:00:00Z`)
  if (Number.isNaN(dayMs) || new Date(dayMs).toISOString().slice(0, 10) !== day) return undefined
  return Date.parse(text)
}
