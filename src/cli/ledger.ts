import { type Command, InvalidArgumentError, Option } from 'commander'
import { REPORT_DIMENSIONS, type ReportDimension, type ReportRow } from '../db/ledger-reader'
import { formatUsd } from '../pricing/format-usd'
import { parseDuration } from '../std/duration'
import { layOutColumns, toPlainCell } from './columns'
import type { CommandOutput } from './command-line'
import { defaultDataDirectory, type Environment } from './data-directory'
import { addVerifyCommand } from './ledger-verify'
import { dataOption, jsonOption } from './options'
import { withLedger } from './with-ledger'

type CommonOptions = { data?: string; json?: boolean }
type ReportOptions = CommonOptions & {
  by: readonly ReportDimension[]
  from?: number
  to?: number
  limit: number
  csv?: boolean
}

const MAX_ROWS = 100_000

/** Adds `ledger report|verify`: what was spent, and whether the books agree. */
export function addLedgerCommands(
  program: Command,
  output: CommandOutput,
  env: Environment = process.env
): void {
  const ledger = program.command('ledger').description('what was spent, by whom and on what')
  const names = Object.keys(REPORT_DIMENSIONS).join(',')
  ledger
    .command('report')
    .description('sum up requests, tokens and costs')
    .addOption(
      new Option('--by <names>', `any of ${names}`).argParser(toDimensions).default(['key'])
    )
    .addOption(
      new Option('--from <time>', 'since: a date, or a duration ago such as 30d').argParser(
        toTimeMs
      )
    )
    .addOption(new Option('--to <time>', 'before: the same').argParser(toTimeMs))
    .addOption(new Option('--limit <rows>', 'the dearest so many').argParser(toCount).default(100))
    .addOption(new Option('--csv', 'print CSV').conflicts('json'))
    .addOption(dataOption())
    .addOption(jsonOption())
    .action((options: ReportOptions) => {
      const rows = withLedger(options.data || defaultDataDirectory(env), (reader) =>
        reader.report(options.by, {
          fromMs: options.from ?? 0,
          toMs: options.to ?? Number.MAX_SAFE_INTEGER,
          limit: options.limit,
        })
      )
      for (const line of layOut(rows, options)) output.out(line)
    })
  addVerifyCommand(ledger, output, env)
}

function layOut(rows: readonly ReportRow[], { by, json, csv }: ReportOptions): string[] {
  if (json === true) return rows.map((row) => JSON.stringify(toView(row, by)))
  const heading = [
    ...by,
    'requests',
    'input_tokens',
    'output_tokens',
    'cost_usd',
    'unknown',
    'uncertain',
  ]
  const cells = rows.map((row) => [
    ...row.values.map((value) => value ?? '-'),
    ...[row.requests, row.inputTokens, row.outputTokens].map(String),
    formatUsd(row.costNanoUsd),
    ...[row.unknown, row.uncertain].map(String),
  ])
  if (csv === true) return [heading, ...cells].map((line) => line.map(toCsv).join(','))
  const headings = heading.map((name) => name.toUpperCase())
  return layOutColumns([headings, ...cells.map((line) => line.map(toPlainCell))], by.length)
}

function toView(row: ReportRow, by: readonly ReportDimension[]) {
  return {
    ...Object.fromEntries(by.map((dimension, at) => [dimension, row.values[at] ?? null])),
    requests: row.requests,
    input_tokens: row.inputTokens,
    output_tokens: row.outputTokens,
    cost_nano_usd: row.costNanoUsd,
    unknown: row.unknown,
    uncertain: row.uncertain,
  }
}

/** https://www.rfc-editor.org/rfc/rfc4180; a cell that a spreadsheet would run is made text. */
function toCsv(cell: string): string {
  const text = /^[=+@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function toDimensions(text: string): ReportDimension[] {
  return text.split(',').map((name) => {
    if (isDimension(name)) return name
    throw new InvalidArgumentError(`write any of ${Object.keys(REPORT_DIMENSIONS).join(', ')}`)
  })
}

function isDimension(name: string): name is ReportDimension {
  return Object.hasOwn(REPORT_DIMENSIONS, name)
}

function toTimeMs(text: string): number {
  const agoMs = parseDuration(text)
  const atMs = agoMs === undefined ? Date.parse(text) : Date.now() - agoMs
  if (Number.isNaN(atMs)) throw new InvalidArgumentError('write a date such as 2026-11-01, or 30d')
  return atMs
}

function toCount(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= MAX_ROWS) return count
  throw new InvalidArgumentError(`write a whole number from 1 to ${MAX_ROWS}`)
}
