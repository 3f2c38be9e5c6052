import type { RequestUsage, UsageAmounts } from '../db/usage-comparison'
import { NO_USAGE_AMOUNTS, type ReconciledRow, type Reconciliation } from '../ledger/reconcile'
import { formatUsd } from '../pricing/format-usd'
import { layOutColumns, toPlainCell } from './columns'
import { toCsvLine } from './csv'

export type Reconciled = {
  /** The format of the export. */
  readonly format: string
  readonly books: Reconciliation
  /** Requests that differed by their id. */
  readonly requests: readonly RequestUsage[]
  /** Where the export has ids of requests. */
  readonly ids: { readonly ids: number; readonly known: number } | undefined
  readonly corrected: number
}

const FIGURES = ['requests', 'inputTokens', 'outputTokens', 'costNanoUsd'] as const
const FIGURE_NAMES = ['requests', 'input_tokens', 'output_tokens', 'cost_usd']
const HEADINGS = [
  ...['day', 'model', 'differs'],
  ...FIGURE_NAMES.flatMap((name) => [`our_${name}`, `their_${name}`, `${name}_difference`]),
]
const TEXTS = 3
/** Lines for single requests. */
const MAX_SHOWN = 100

/** The lines that a reconciliation is printed as: JSON, CSV or a table for people. */
export function layOutReconciled(
  reconciled: Reconciled,
  { json, csv }: { json?: boolean; csv?: boolean }
): string[] {
  const { books } = reconciled
  if (json === true) return [JSON.stringify(toView(reconciled))]
  const cells = books.rows.map(toCells)
  if (csv === true) return [HEADINGS, ...cells].map(toCsvLine)
  const total = toCells({ day: 'total', model: '', ...books.totals, differs: books.differs })
  const shown = [...cells, total].map((line) => line.map((cell) => toPlainCell(cell || '-')))
  return [
    ...layOutColumns([HEADINGS.map((name) => name.toUpperCase()), ...shown], TEXTS),
    '',
    ...describe(reconciled),
  ]
}

function describe({ format, books, requests, ids, corrected }: Reconciled): string[] {
  const { onlyOurs, onlyTheirs } = books
  const only = (side: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`${side}: ${names.map(toPlainCell).join(', ')}`]
  return [
    `Read as ${format}.`,
    ...only('Days only in the ledger', onlyOurs.days),
    ...only('Models only in the ledger', onlyOurs.models),
    ...only('Days only in the export', onlyTheirs.days),
    ...only('Models only in the export', onlyTheirs.models),
    ...(ids === undefined ? [] : [`${ids.known} of ${ids.ids} request ids are in the log.`]),
    ...requests
      .slice(0, MAX_SHOWN)
      .map(
        ({ requestId, ours, theirs }) =>
          `${requestId}: ${usd(ours.costNanoUsd)} USD here, ${usd(theirs.costNanoUsd)} USD there`
      ),
    ...(requests.length > MAX_SHOWN
      ? [`and ${requests.length - MAX_SHOWN} more requests that differ; --json has all`]
      : []),
    ...(corrected === 0 ? [] : [`${corrected} requests were corrected.`]),
    books.differs ? 'The books do not agree.' : 'The books agree.',
  ]
}

function usd(costNanoUsd: number | null): string {
  return costNanoUsd === null ? '-' : formatUsd(costNanoUsd)
}

/** In the order of the headings; what a side does not say is empty. */
function toCells({ day, model, ours, theirs, difference, differs }: ReconciledRow): string[] {
  const figures = FIGURES.flatMap((figure) => {
    const format = figure === 'costNanoUsd' ? formatUsd : String
    const amounts = [ours, theirs, difference].map((side) => side?.[figure] ?? null)
    return amounts.map((amount) => (amount === null ? '' : format(amount)))
  })
  return [day, model, differs ? 'yes' : 'no', ...figures]
}

function toView({ format, books, requests, ids, corrected }: Reconciled) {
  const { rows, totals, onlyOurs, onlyTheirs } = books
  return {
    ...{ agrees: !books.differs, format, corrected },
    rows: rows.map(({ day, model, differs, ...sides }) =>
      Object.assign({ day, model, differs }, viewSides(sides))
    ),
    totals: viewSides(totals),
    ...{ only_ours: onlyOurs, only_theirs: onlyTheirs },
    request_ids: ids ?? null,
    requests: requests.map(({ requestId, ours, theirs }) => ({
      ...{ request: requestId, ours: viewAmounts(ours), theirs: viewAmounts(theirs) },
    })),
  }
}

function viewSides({
  ours,
  theirs,
  difference,
}: Pick<ReconciledRow, 'ours' | 'theirs' | 'difference'>) {
  return {
    ours: viewAmounts(ours),
    theirs: viewAmounts(theirs),
    difference: viewAmounts(difference),
  }
}

function viewAmounts(amounts: UsageAmounts | null) {
  const { requests, inputTokens, outputTokens, costNanoUsd } = amounts ?? NO_USAGE_AMOUNTS
  return {
    ...{ requests, input_tokens: inputTokens, output_tokens: outputTokens },
    cost_nano_usd: costNanoUsd,
  }
}
