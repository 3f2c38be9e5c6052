/**
 * A line of CSV: https://www.rfc-editor.org/rfc/rfc4180; a cell that a spreadsheet would run is made text.
 */
export function toCsvLine(cells: readonly string[]): string {
  return cells.map(toCsv).join(',')
}

function toCsv(cell: string): string {
  const text = /^[=+@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
