import type { Command } from 'commander'
import { createLedgerReports, type ListedEntry } from '../db/ledger-reports'
import { formatUsd } from '../pricing/format-usd'
import { layOutColumns, toPlainCell } from './columns'
import type { CommandOutput } from './command-line'
import { toCsvLine } from './csv'
import { defaultDataDirectory, type Environment } from './data-directory'
import {
  addFilterOptions,
  csvOption,
  type FilterOptions,
  limitOption,
  toFilter,
} from './ledger-options'
import { dataOption, jsonOption } from './options'
import { withLedger } from './with-ledger'

type EntriesOptions = FilterOptions & {
  data?: string
  json?: boolean
  csv?: boolean
  request?: string
  uncorrected?: boolean
  unsettled?: boolean
  limit: number
}

/** Adds `ledger entries`: single entries, such as those that nobody is sure of. */
export function addEntriesCommand(
  ledger: Command,
  output: CommandOutput,
  env: Environment = process.env
): void {
  addFilterOptions(ledger.command('entries'))
    .description('list single entries, the latest first')
    .option('--request <id>', 'only those of this request')
    .option('--uncorrected', 'only those of requests without a correction')
    .option('--unsettled', 'only those whose cost is to come: holds that outlast their requests')
    .addOption(limitOption('--limit <rows>', 'the latest so many'))
    .addOption(csvOption())
    .addOption(dataOption())
    .addOption(jsonOption())
    .action((options: EntriesOptions) => {
      const filter = toFilter(options)
      const { request, limit, uncorrected = false, unsettled = false } = options
      const where = request === undefined ? filter.where : { ...filter.where, request: [request] }
      const entries = withLedger(options.data || defaultDataDirectory(env), (_, database) =>
        createLedgerReports(database).entries({
          ...filter,
          ...{ where, limit, isUncorrected: uncorrected, isHeld: unsettled },
        })
      )
      for (const line of layOut(entries, options)) output.out(line)
    })
}

const HEADINGS = [
  ...[
    'admitted_at',
    'request',
    'kind',
    'attempt',
    'organization',
    'team',
    'key',
    'user',
    'session',
  ],
  ...['tags', 'provider', 'model', 'provenance', 'corrected', 'price_list', 'reason'],
  ...['input_tokens', 'output_tokens', 'held_usd', 'cost_usd', 'reference', 'age'],
]

/** On a terminal, what tells entries apart; the rest is in JSON and CSV. */
const SHOWN = [
  ...['admitted_at', 'request', 'kind', 'key', 'user', 'model', 'provenance', 'corrected'],
  ...['input_tokens', 'output_tokens', 'held_usd', 'cost_usd'],
]
const SHOWN_TEXTS = 8

/** The same of holds that wait for their settlement. */
const SHOWN_UNSETTLED = ['request', 'key', 'model', 'reference', 'age', 'held_usd']
const SHOWN_UNSETTLED_TEXTS = 5

function layOut(
  entries: readonly ListedEntry[],
  { json, csv, unsettled }: EntriesOptions
): string[] {
  if (json === true) return entries.map((entry) => JSON.stringify(toView(entry)))
  const lines = entries.map(toCells)
  if (csv === true) return [HEADINGS, ...lines].map(toCsvLine)
  const names = unsettled === true ? SHOWN_UNSETTLED : SHOWN
  const shown = names.map((name) => HEADINGS.indexOf(name))
  const cells = lines.map((line) => shown.map((at) => toPlainCell(line[at] || '-')))
  const texts = unsettled === true ? SHOWN_UNSETTLED_TEXTS : SHOWN_TEXTS
  return layOutColumns([names.map((name) => name.toUpperCase()), ...cells], texts)
}

/** In the order of the headings; what is not known is empty. */
function toCells(entry: ListedEntry): string[] {
  const { requestId, kind, attempt, organization, provenance } = entry
  return [
    ...[new Date(entry.admittedAtMs).toISOString(), requestId, kind, String(attempt)],
    ...[organization, entry.team, entry.key, entry.user, entry.session].map((text) => text ?? ''),
    ...[entry.tags.join(' '), entry.provider ?? '', entry.model ?? '', provenance],
    ...[entry.isCorrected ? 'yes' : 'no', entry.priceList ?? '', entry.reason ?? ''],
    ...[entry.inputTokens, entry.outputTokens].map((tokens) =>
      tokens === null ? '' : `${tokens}`
    ),
    ...[entry.heldNanoUsd, entry.costNanoUsd].map((cost) => (cost === null ? '' : formatUsd(cost))),
    ...[entry.reference ?? '', entry.deferredAtMs === null ? '' : ageOf(entry.deferredAtMs)],
  ]
}

/** How long something has been held: `26h`. */
function ageOf(sinceMs: number): string {
  const minutes = Math.max(0, Math.floor((Date.now() - sinceMs) / 60_000))
  return minutes < 120 ? `${minutes}m` : `${Math.floor(minutes / 60)}h`
}

function toView(entry: ListedEntry) {
  return {
    admitted_at: new Date(entry.admittedAtMs).toISOString(),
    request: entry.requestId,
    kind: entry.kind,
    attempt: entry.attempt,
    organization: entry.organization,
    team: entry.team,
    key: entry.key,
    user: entry.user,
    session: entry.session,
    tags: entry.tags,
    provider: entry.provider,
    model: entry.model,
    provenance: entry.provenance,
    corrected: entry.isCorrected,
    price_list: entry.priceList,
    reason: entry.reason,
    reference: entry.reference,
    deferred_at: entry.deferredAtMs === null ? null : new Date(entry.deferredAtMs).toISOString(),
    input_tokens: entry.inputTokens,
    output_tokens: entry.outputTokens,
    held_nano_usd: entry.heldNanoUsd,
    cost_nano_usd: entry.costNanoUsd,
  }
}
