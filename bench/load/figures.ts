export type Limit = { kind: 'at most' | 'at least'; value: number }

/** One measured number; its value is the median of what was measured. */
export type Figure = {
  name: string
  unit: string
  /** One a round, in order. */
  values: number[]
  /** `undefined`: for the reader alone. */
  limit: Limit | undefined
}

/** A figure that is only reported. */
export function report(name: string, unit: string, values: number | number[]): Figure {
  return { name, unit, values: [values].flat(), limit: undefined }
}

/** A figure that must not be above `limit`. */
export function atMost(
  limit: number,
  name: string,
  unit: string,
  values: number | number[]
): Figure {
  return { name, unit, values: [values].flat(), limit: { kind: 'at most', value: limit } }
}

/** A figure that must not be below `limit`. */
export function atLeast(
  limit: number,
  name: string,
  unit: string,
  values: number | number[]
): Figure {
  return { name, unit, values: [values].flat(), limit: { kind: 'at least', value: limit } }
}

/** The middle value, of an even number the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN
  return (lower + upper) / 2
}

/** The value below which `share` (0 to 1) of the values lie; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}

/** Whether the median keeps to the limit; a figure that could not be measured does not. */
export function passes({ values, limit }: Figure): boolean {
  if (limit === undefined) return true
  const value = median(values)
  return limit.kind === 'at most' ? value <= limit.value : value >= limit.value
}

/** The figures as lines of an aligned table: median, range over the rounds, budget, verdict. */
export function layOutFigures(figures: readonly Figure[]): string[] {
  const rows = figures.map((figure) => {
    const { name, unit, values, limit } = figure
    const range =
      values.length > 1 ? `${short(Math.min(...values))} … ${short(Math.max(...values))}` : ''
    return [
      name,
      `${short(median(values))} ${unit}`,
      range,
      limit ? `${limit.kind === 'at most' ? '≤' : '≥'} ${short(limit.value)} ${unit}` : '',
      limit ? (passes(figure) ? 'pass' : 'FAIL') : '',
    ]
  })
  return layOutTable(['figure', 'median', 'rounds', 'budget', 'verdict'], rows)
}

/** Rows under their headings, each column as wide as its longest cell. */
export function layOutTable(headings: string[], rows: string[][]): string[] {
  const all = [headings, ...rows]
  const widths = headings.map((_, column) =>
    Math.max(...all.map((row) => row[column]?.length ?? 0))
  )
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  )
}

function short(value: number): string {
  if (!Number.isFinite(value)) return '?'
  const digits =
    Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toFixed(digits)
}
