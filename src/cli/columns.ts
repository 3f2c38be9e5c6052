/**
 * Lines of cells as a table: each column as wide as its longest cell, the first `texts` to the left, numbers behind them
 * to the right.
 */
export function layOutColumns(
  lines: readonly (readonly string[])[],
  texts: number = Number.POSITIVE_INFINITY
): string[] {
  const widths = lines.reduce<number[]>(
    (widest, line) => line.map((cell, column) => Math.max(cell.length, widest[column] ?? 0)),
    []
  )
  return lines.map((line) =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return column < texts ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd()
  )
}

/** On one line, and nothing that moves the cursor: of what callers choose neither may be taken for granted. */
export function toPlainCell(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}
