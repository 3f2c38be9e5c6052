import type { CorrectionWriter } from '../db/ledger-corrections'
import type { DayUsage, RequestUsage, UsageAmounts, UsageComparison } from '../db/usage-comparison'

/** What may differ without a word: a share of the larger figure in percent, and an amount for costs. */
export type Tolerance = { readonly percent: number; readonly costNanoUsd: number }

export const NO_USAGE_AMOUNTS: UsageAmounts = {
  ...{ requests: null, inputTokens: null, outputTokens: null, costNanoUsd: null },
}

/** What both sides say of a model on a day. Figures that the export does not have are `null` on its side. */
export type ReconciledRow = {
  readonly day: string
  readonly model: string
  /** `null` where the ledger has nothing of it. */
  readonly ours: UsageAmounts | null
  /** `null` where the export has nothing of it. */
  readonly theirs: UsageAmounts | null
  /** Ours less theirs; `null` where the export never has the figure. */
  readonly difference: UsageAmounts
  readonly differs: boolean
}

export type Reconciliation = {
  readonly rows: readonly ReconciledRow[]
  readonly totals: Pick<ReconciledRow, 'difference'> & Record<'ours' | 'theirs', UsageAmounts>
  readonly onlyOurs: { readonly days: readonly string[]; readonly models: readonly string[] }
  readonly onlyTheirs: { readonly days: readonly string[]; readonly models: readonly string[] }
  /** Whether any row differs. */
  readonly differs: boolean
}

const DAY_MS = 86_400_000

export type ReconciledRange = {
  readonly provider: string
  /** The first and the last day that are compared, in UTC; those of the export unless they are named. */
  readonly firstDay?: string | undefined
  readonly lastDay?: string | undefined
}

/**
 * Compares the ledger of a provider with its export, day by day and model by model. A dated snapshot and the plain name of
 * a model are the same model wherever either side uses the plain name. `undefined` where the export has no row.
 */
export function reconcile(
  comparison: UsageComparison,
  range: ReconciledRange,
  tolerance: Tolerance
): Reconciliation | undefined {
  const days = comparison.days()
  if (days === undefined) return undefined
  const firstDay = range.firstDay ?? days.firstDay
  const lastDay = range.lastDay ?? days.lastDay
  const fromMs = Date.parse(`${firstDay}T00:00Z`)
  const toMs = Date.parse(`${lastDay}T00:00Z`) + DAY_MS
  const ours = comparison.ours(range.provider, fromMs, toMs)
  const theirs = comparison.theirs().filter(({ day }) => day >= firstDay && day <= lastDay)
  const nameOf = nameModels([...ours, ...theirs].map(({ model }) => model))
  const [our, yours] = [groupBy(ours, nameOf), groupBy(theirs, nameOf)]
  const keys = [...new Set([...our.keys(), ...yours.keys()])].sort()
  // A figure that the export never has is compared nowhere.
  const said = sumOf(theirs)
  const rows = keys.map((key): ReconciledRow => {
    const [mine, their] = [our.get(key) ?? null, yours.get(key) ?? null]
    const [day = '', model = ''] = key.split('\n')
    const difference = differenceOf(mine, their, said)
    return {
      day,
      model,
      ours: mine,
      theirs: their,
      difference,
      differs: differ(mine, their, said, tolerance),
    }
  })
  const total = sumOf(ours)
  return {
    rows,
    totals: { ours: total, theirs: said, difference: differenceOf(total, said, said) },
    onlyOurs: onlyIn(rows, 'ours'),
    onlyTheirs: onlyIn(rows, 'theirs'),
    differs: rows.some((row) => row.differs),
  }
}

/** The days and models that one side alone has. */
function onlyIn(rows: readonly ReconciledRow[], side: 'ours' | 'theirs') {
  const other = side === 'ours' ? 'theirs' : 'ours'
  const only = (name: 'day' | 'model') => {
    const known = new Set(rows.filter((row) => row[other] !== null).map((row) => row[name]))
    return [...new Set(rows.map((row) => row[name]))].filter((value) => !known.has(value)).sort()
  }
  return { days: only('day'), models: only('model') }
}

/** Requests that the export has by their id and that differ in cost or tokens. */
export function differentRequests(
  comparison: UsageComparison,
  provider: string,
  tolerance: Tolerance
): RequestUsage[] {
  const different: RequestUsage[] = []
  for (const request of comparison.requests(provider)) {
    const { ours, theirs } = request
    if (differ(ours, theirs, theirs, tolerance)) different.push(request)
  }
  return different
}

/** Corrects what the export says otherwise; gives how many requests were corrected. */
export function correctRequests(
  writer: CorrectionWriter,
  requests: readonly RequestUsage[],
  reason: string
): number {
  return requests.filter(({ requestId, theirs }) => {
    if (theirs.costNanoUsd === null || theirs.costNanoUsd < 0) return false
    const truth = {
      ...{ requestId, costNanoUsd: theirs.costNanoUsd, reason },
      inputTokens: theirs.inputTokens ?? undefined,
      outputTokens: theirs.outputTokens ?? undefined,
    }
    return writer.correct(truth).kind === 'corrected'
  }).length
}

const FIGURES = ['requests', 'inputTokens', 'outputTokens', 'costNanoUsd'] as const

function differenceOf(
  ours: UsageAmounts | null,
  theirs: UsageAmounts | null,
  said: UsageAmounts
): UsageAmounts {
  const difference = (figure: (typeof FIGURES)[number]) =>
    said[figure] === null ? null : (ours?.[figure] ?? 0) - (theirs?.[figure] ?? 0)
  return {
    ...{ requests: difference('requests'), inputTokens: difference('inputTokens') },
    ...{ outputTokens: difference('outputTokens'), costNanoUsd: difference('costNanoUsd') },
  }
}

function differ(
  ours: UsageAmounts | null,
  theirs: UsageAmounts | null,
  said: UsageAmounts,
  { percent, costNanoUsd }: Tolerance
): boolean {
  const difference = differenceOf(ours, theirs, said)
  return FIGURES.some((figure) => {
    const larger = Math.max(Math.abs(ours?.[figure] ?? 0), Math.abs(theirs?.[figure] ?? 0))
    const allowed = Math.max((larger * percent) / 100, figure === 'costNanoUsd' ? costNanoUsd : 0)
    return Math.abs(difference[figure] ?? 0) > allowed
  })
}

function groupBy(usages: readonly DayUsage[], nameOf: (model: string) => string) {
  const groups = new Map<string, UsageAmounts>()
  for (const usage of usages) {
    const key = `${usage.day}\n${nameOf(usage.model)}`
    groups.set(key, sumOf([groups.get(key) ?? NO_USAGE_AMOUNTS, usage]))
  }
  return groups
}

function sumOf(usages: readonly UsageAmounts[]): UsageAmounts {
  const sum = (figure: (typeof FIGURES)[number]) =>
    usages.reduce<number | null>((total, usage) => {
      const amount = usage[figure]
      return amount === null ? total : (total ?? 0) + amount
    }, null)
  return {
    ...{ requests: sum('requests'), inputTokens: sum('inputTokens') },
    ...{ outputTokens: sum('outputTokens'), costNanoUsd: sum('costNanoUsd') },
  }
}

/** -2024-07-18, -20241022, -0613, -001 */
const SNAPSHOT = /-(\d{4}-\d\d-\d\d|\d{8}|\d{4}|00\d)$/

/** Under which name each model is compared: without its date where somebody leaves that away. */
function nameModels(models: readonly string[]): (model: string) => string {
  const plain = new Set(models.filter((model) => !SNAPSHOT.test(model)))
  return (model) => {
    const name = model.replace(SNAPSHOT, '')
    return plain.has(name) ? name : model
  }
}
