/** What a duration looks like in text: a number and its unit, nothing between or around. */
export const DURATION_PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/

const UNIT_MS = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
  ['w', 604_800_000],
])

/**
 * The whole milliseconds that `text` names, e.g. 90000 for `90s` or `1.5m`; `undefined` when it
 * is no number with one of the units `ms s m h d w`.
 */
export function parseDuration(text: string): number | undefined {
  const match = DURATION_PATTERN.exec(text)
  const unitMs = UNIT_MS.get(match?.[2] ?? '')
  if (match === null || unitMs === undefined) return undefined
  const durationMs = Math.round(Number(match[1]) * unitMs)
  return Number.isSafeInteger(durationMs) ? durationMs : undefined
}
