import { parseDuration } from '../std/duration'
import { parseTime } from '../std/parse-time'

export type ParsedExpiry = { ok: true; atMs: number } | { ok: false; problem: string }

// Beyond the year 9999 a time has no common spelling any more.
const LATEST_MS = Date.UTC(9999, 11, 31)

/**
 * Reads when a key ends: a span from `nowMs` on such as `30d`, a date (its first moment
 * in UTC) or an ISO 8601 time with its offset. Gives epoch milliseconds, always after `nowMs`.
 */
export function parseExpiry(text: string, nowMs: number): ParsedExpiry {
  const atMs = readSpan(text, nowMs) ?? parseTime(text)
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
