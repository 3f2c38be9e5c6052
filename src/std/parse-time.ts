const DATE = /^\d{4}-\d\d-\d\d$/
// Without its offset a time would mean another moment on every machine.
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/

/**
 * Reads a date (its first moment in UTC) or an ISO 8601 time with its offset. Gives epoch milliseconds; `undefined` for
 * what is none.
 */
export function parseTime(text: string): number | undefined {
  if (!DATE.test(text) && !TIME.test(text)) return undefined
  // Of the 30th of February `Date` would make a day of March.
  const day = text.slice(0, 10)
  const dayMs = Date.parse(`${day}T00:00:00Z`)
  if (Number.isNaN(dayMs) || new Date(dayMs).toISOString().slice(0, 10) !== day) return undefined
  return Date.parse(text)
}
