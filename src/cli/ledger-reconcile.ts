import type { Database } from 'bun:sqlite'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { createCorrectionWriter } from '../db/ledger-corrections'
import { createUsageComparison, type UsageComparison } from '../db/usage-comparison'
import { ExportError, readUsageExport } from '../ledger/read-usage-export'
import {
  correctRequests,
  differentRequests,
  type Reconciliation,
  reconcile,
  type Tolerance,
} from '../ledger/reconcile'
import { EXPORT_FORMATS, type ExportFormat } from '../ledger/usage-export'
import { formatUsd, parseUsdToNano } from '../pricing/format-usd'
import { CommandError, type CommandOutput, EXIT } from './command-line'
import { defaultDataDirectory, type Environment } from './data-directory'
import { csvOption } from './ledger-options'
import { COUNTS_WITHIN_SECONDS } from './ledger-correct'
import { type Reconciled, layOutReconciled } from './ledger-reconciled'
import { dataOption, jsonOption } from './options'
import { withLedgerFile } from './with-ledger'

type ReconcileOptions = {
  data?: string
  json?: boolean
  csv?: boolean
  provider: string
  columns?: ExportFormat
  from?: string
  to?: string
  tolerance: number
  toleranceUsd: number
  correct?: boolean
}

/** Adds `ledger reconcile`: what the ledger says beside what a provider's own export does. */
export function addReconcileCommand(
  ledger: Command,
  output: CommandOutput,
  env: Environment = process.env
): void {
  const formats = EXPORT_FORMATS.map(({ name }) => name).join(', ')
  ledger
    .command('reconcile')
    .description("compare the ledger with a provider's usage export, by day in UTC and model")
    .argument('<file>', `CSV: ${formats}, or any with --columns`)
    .requiredOption('--provider <name>', 'whose it is, as the configuration names it')
    .addOption(
      new Option(
        '--columns <names>',
        'date=…,model=…, and any of requests, input, output, cost, request'
      ).argParser(toFormat)
    )
    .addOption(new Option('--from <day>', "first day, if not the export's").argParser(toDay))
    .addOption(new Option('--to <day>', "last day, if not the export's").argParser(toDay))
    .addOption(
      new Option('--tolerance <percent>', 'by which any figure may differ')
        .argParser(toPercent)
        .default(0)
    )
    .addOption(
      new Option('--tolerance-usd <usd>', 'by which any cost may differ; exports round')
        .argParser(toNanoUsd)
        .default(0)
    )
    .option('--correct', 'correct the requests that the export has by their id and that differ')
    .addOption(csvOption())
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(async (file: string, options: ReconcileOptions) => {
      const reconciled = await withLedgerFile(
        options.data || defaultDataDirectory(env),
        { readonly: options.correct !== true },
        (database) => readBoth(database, file, options)
      )
      for (const line of layOutReconciled(reconciled, options)) output.out(line)
      if (reconciled.corrected > 0 && options.json !== true && options.csv !== true)
        output.out(COUNTS_WITHIN_SECONDS)
      if (reconciled.books.differs)
        throw new CommandError(EXIT.failed, 'the ledger and the export do not agree')
    })
}

async function readBoth(
  database: Database,
  file: string,
  options: ReconcileOptions
): Promise<Reconciled> {
  const comparison = createUsageComparison(database)
  const format = await readExport(comparison, file, options.columns)
  const { provider, from: firstDay, to: lastDay } = options
  const tolerance = { percent: options.tolerance, costNanoUsd: options.toleranceUsd }
  const byRequest = format.columns.request !== undefined
  if (options.correct === true) checkCorrectable(format)
  const different = byRequest ? differentRequests(comparison, provider, tolerance) : []
  const corrected =
    options.correct === true
      ? correctRequests(
          createCorrectionWriter(database),
          different,
          `reconciled with ${format.name} of ${provider}`
        )
      : 0
  const books = compare(comparison, { provider, firstDay, lastDay }, tolerance)
  const ids = byRequest ? comparison.idCounts(provider) : undefined
  return { format: format.name, books, requests: different, ids, corrected }
}

function compare(
  comparison: UsageComparison,
  range: Parameters<typeof reconcile>[1],
  tolerance: Tolerance
): Reconciliation {
  const books = reconcile(comparison, range, tolerance)
  if (books === undefined) throw new CommandError(EXIT.failed, 'the export has no rows')
  return books
}

async function readExport(
  comparison: UsageComparison,
  file: string,
  format: ExportFormat | undefined
): Promise<ExportFormat> {
  try {
    return await readUsageExport(file, format, comparison.add)
  } catch (error) {
    if (error instanceof ExportError) throw new CommandError(EXIT.failed, error.message)
    throw error
  }
}

function checkCorrectable({ columns }: ExportFormat): void {
  if (columns.request !== undefined && columns.cost !== undefined) return
  throw new CommandError(
    EXIT.usage,
    '--correct needs an export with a cost and an id of each request'
  )
}

const COLUMN_NAMES = ['date', 'model', 'requests', 'input', 'output', 'cost', 'request'] as const

/** Headings may hold spaces, but no comma. */
function toFormat(text: string): ExportFormat {
  const named = new Map(
    text.split(',').map((part) => {
      const at = part.indexOf('=')
      return [part.slice(0, Math.max(at, 0)).trim(), part.slice(at + 1).trim()] as const
    })
  )
  const unknown = [...named.keys()].find((name) => !COLUMN_NAMES.some((known) => known === name))
  const [date, model] = [named.get('date'), named.get('model')]
  const [input, output] = [named.get('input'), named.get('output')]
  if (unknown !== undefined || !date || !model)
    throw new InvalidArgumentError(`write date=…,model=…, and any of ${COLUMN_NAMES.join(', ')}`)
  return {
    name: 'columns',
    columns: {
      ...{ date, model, requests: named.get('requests'), cost: named.get('cost') },
      ...{ request: named.get('request'), input: input ? [input] : undefined },
      output: output ? [output] : undefined,
    },
  }
}

function toDay(text: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))) return text
  throw new InvalidArgumentError('write a day such as 2026-03-01')
}

function toPercent(text: string): number {
  const percent = Number(text.replace(/%$/, ''))
  if (percent >= 0 && percent <= 100) return percent
  throw new InvalidArgumentError('write a number from 0 to 100')
}

function toNanoUsd(text: string): number {
  const costNanoUsd = parseUsdToNano(text)
  if (costNanoUsd !== undefined) return costNanoUsd
  throw new InvalidArgumentError(`write USD such as ${formatUsd(10_000_000)}`)
}
