import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  createLedgerReports,
  REPORT_DIMENSIONS,
  REPORT_ORDERS,
  type ReportDimension,
  type ReportOrder,
  type ReportRow,
} from '../db/ledger-reports'
import { formatUsd } from '../pricing/format-usd'
import { layOutColumns, toPlainCell } from './columns'
import type { CommandOutput } from './command-line'
import { toCsvLine } from './csv'
import { defaultDataDirectory, type Environment } from './data-directory'
import { addCorrectCommand } from './ledger-correct'
import { addEntriesCommand } from './ledger-entries'
import {
  addFilterOptions,
  csvOption,
  type FilterOptions,
  limitOption,
  toFilter,
} from './ledger-options'
import { addReconcileCommand } from './ledger-reconcile'
import { addSettleCommands } from './ledger-settle'
import { addVerifyCommand } from './ledger-verify'
import { dataOption, jsonOption } from './options'
import { withLedger } from './with-ledger'

type ReportOptions = FilterOptions & {
  data?: string
  json?: boolean
  csv?: boolean
  by: readonly ReportDimension[]
  timezone: string
  sort: ReportOrder
  limit: number
}

/** Adds `ledger report|entries|correct|settle|release|reconcile|verify`: what was spent, and whether the books agree. */
export function addLedgerCommands(
  program: Command,
  output: CommandOutput,
  env: Environment = process.env
): void {
  const ledger = program.command('ledger').description('what was spent, by whom and on what')
  const names = Object.keys(REPORT_DIMENSIONS).join(',')
  addFilterOptions(ledger.command('report'))
    .description('sum up requests, tokens and costs')
    .addOption(
      new Option('--by <names>', `any of ${names}`).argParser(toDimensions).default(['key'])
    )
    .addOption(
      new Option('--timezone <name>', 'of hours, days, weeks and months')
        .argParser(toTimezone)
        .default('UTC')
    )
    .addOption(
      new Option('--sort <order>', 'the most of it first, or by name')
        .choices(Object.keys(REPORT_ORDERS))
        .default('cost')
    )
    .addOption(limitOption('--top, --limit <rows>', 'the first so many'))
    .addOption(csvOption())
    .addOption(dataOption())
    .addOption(jsonOption())
    .action((options: ReportOptions) => {
      const { by, timezone, sort, limit } = options
      const rows = withLedger(options.data || defaultDataDirectory(env), (_, database) =>
        createLedgerReports(database).report({
          ...toFilter(options),
          ...{ by, timezone, order: sort, limit },
        })
      )
      for (const line of layOut(rows, options)) output.out(line)
    })
  addEntriesCommand(ledger, output, env)
  addCorrectCommand(ledger, output, env)
  addSettleCommands(ledger, output, env)
  addReconcileCommand(ledger, output, env)
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
  if (csv === true) return [heading, ...cells].map(toCsvLine)
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

function toDimensions(text: string): ReportDimension[] {
  return text.split(',').map((name) => {
    if (isDimension(name)) return name
    throw new InvalidArgumentError(`write any of ${Object.keys(REPORT_DIMENSIONS).join(', ')}`)
  })
}

function isDimension(name: string): name is ReportDimension {
  return Object.hasOwn(REPORT_DIMENSIONS, name)
}

function toTimezone(name: string): string {
  try {
    return Temporal.Now.zonedDateTimeISO(name).timeZoneId
  } catch {
    throw new InvalidArgumentError('write a name such as Europe/Berlin')
  }
}
