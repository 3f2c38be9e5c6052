import type { RequestRow } from '../db/log-schema'
import { toPlainCell } from './columns'

/** Widths fit what is usual: lines come one by one, so none can wait for a longer one. */
const COLUMNS = [
  { heading: 'TIME', width: 19 },
  { heading: 'STATUS', width: 6 },
  { heading: 'MODEL', width: 32 },
  { heading: 'TOKENS', width: 13 },
  { heading: 'TOTAL', width: 10, isNumber: true },
  { heading: 'GATEWAY', width: 9, isNumber: true },
  { heading: 'KEY', width: 12 },
  { heading: 'ERROR', width: 0 },
]

export const LOG_HEADINGS = layOut(COLUMNS.map(({ heading }) => heading))

/** A row as one aligned line; the time is local. */
export function layOutRequest(row: RequestRow): string {
  const tokens = `${row.inputTokens ?? '-'} > ${row.outputTokens ?? '-'}`
  const model = row.model ?? row.requestedModel ?? '-'
  return layOut([
    localTime(row.startedAtMs),
    row.status === null ? row.outcome : String(row.status),
    row.count > 1 ? `${row.count} requests` : model,
    tokens,
    milliseconds(row.totalMs),
    milliseconds(row.gatewayMs),
    row.keyName ?? '-',
    row.errorCode ?? '',
  ])
}

/** Milliseconds as people read them, e.g. `12.3 ms`; `-` when unknown. */
function milliseconds(valueMs: number | null): string {
  if (valueMs === null) return '-'
  return `${valueMs >= 100 ? valueMs.toFixed(0) : valueMs.toPrecision(2)} ms`
}

function layOut(cells: string[]): string {
  return cells
    .map((cell, index) => {
      const { width = 0, isNumber = false } = COLUMNS[index] ?? {}
      const text = toPlainCell(cell)
      return isNumber ? text.padStart(width) : text.padEnd(width)
    })
    .join('  ')
    .trimEnd()
}

function localTime(atMs: number): string {
  const at = new Date(atMs)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}
