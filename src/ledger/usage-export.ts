import { parseUsdToNano } from '../pricing/format-usd'

/** The columns of a CSV that say something, by their headings; tokens may be spread over several. */
export type ExportColumns = {
  readonly date: string
  readonly model: string
  readonly requests?: string | undefined
  readonly input?: readonly string[] | undefined
  readonly output?: readonly string[] | undefined
  readonly cost?: string | undefined
  readonly currency?: string | undefined
  /** The provider's id of the request, where a row is one. */
  readonly request?: string | undefined
}

export type ExportFormat = {
  readonly name: string
  readonly columns: ExportColumns
  /** The model's name in the API, from what the column says. */
  readonly toModel?: ((text: string) => string) | undefined
}

/** What a row says; `undefined` where the export has no such column, or nothing in it. */
export type ExportRow = {
  /** In UTC, such as 2026-03-01. */
  readonly day: string
  /** Empty where the row is of no model. */
  readonly model: string
  readonly request: string | undefined
  readonly requests: number | undefined
  readonly inputTokens: number | undefined
  readonly outputTokens: number | undefined
  /** May be negative, as a credit is. */
  readonly costNanoUsd: number | undefined
}

/**
 * Exports as their columns were found in public code that reads them. The first whose columns are all there is taken.
 *
 * - OpenAI, Usage page, activity and cost data: the columns are those of its API flattened,
 *   https://platform.openai.com/docs/api-reference/usage, a cost's line item is `model, kind`:
 *   https://docs.pelanor.io/integrations/services/openai
 * - Anthropic, Console, usage and cost:
 *   https://support.claude.com/en/articles/9534590-cost-and-usage-reporting-in-the-claude-console
 * - OpenRouter, Activity, a row each generation: https://openrouter.ai/docs/guides/guides/activity-export
 */
export const EXPORT_FORMATS: readonly ExportFormat[] = [
  {
    name: 'openai-usage',
    columns: {
      ...{ date: 'start_time', model: 'model', requests: 'num_model_requests' },
      ...{ input: ['input_tokens'], output: ['output_tokens'] },
    },
  },
  {
    name: 'openai-cost',
    columns: {
      ...{ date: 'start_time', model: 'line_item' },
      ...{ cost: 'amount_value', currency: 'amount_currency' },
    },
    toModel: (lineItem) => lineItem.split(',', 1)[0]?.trim() ?? '',
  },
  {
    name: 'anthropic-usage',
    columns: {
      ...{ date: 'usage_date_utc', model: 'model_version' },
      input: [
        'usage_input_tokens_no_cache',
        'usage_input_tokens_cache_write_5m',
        'usage_input_tokens_cache_write_1h',
        'usage_input_tokens_cache_read',
      ],
      output: ['usage_output_tokens'],
    },
  },
  {
    name: 'anthropic-cost',
    columns: { date: 'usage_date_utc', model: 'model', cost: 'cost_usd' },
    toModel: toClaudeModel,
  },
  {
    name: 'openrouter-activity',
    columns: {
      ...{ date: 'created_at', model: 'model_permaslug', cost: 'cost_total' },
      ...{ input: ['tokens_prompt'], output: ['tokens_completion'], request: 'generation_id' },
    },
  },
]

/** `Claude Haiku 4.5` is `claude-haiku-4-5`; `Claude 3.5 Sonnet 2024-10-22` is `claude-3-5-sonnet-20241022`. */
function toClaudeModel(name: string): string {
  return name
    .toLowerCase()
    .replace(/(\d{4})-(\d\d)-(\d\d)$/, '$1$2$3')
    .replace(/[\s.]+/g, '-')
}

/** All headings that a format reads. */
export function headingsOf({ columns }: ExportFormat): string[] {
  const { date, model, requests, input = [], output = [], cost, currency, request } = columns
  return [date, model, requests, ...input, ...output, cost, currency, request].filter(
    (heading) => heading !== undefined
  )
}

/** The first format whose columns all are there. */
export function detectFormat(headings: readonly string[]): ExportFormat | undefined {
  return EXPORT_FORMATS.find((format) =>
    headingsOf(format).every((heading) => headings.includes(heading))
  )
}

/**
 * Makes what reads a row of a format whose heading row has been read. It throws an Error that names the cell that says
 * nothing it can read.
 */
export function createRowReader(
  { columns, toModel = (text) => text }: ExportFormat,
  headings: readonly string[]
): (cells: readonly string[]) => ExportRow {
  const at = (heading: string | undefined) =>
    heading === undefined ? undefined : headings.indexOf(heading)
  const [date, model, requests, cost] = [
    ...[at(columns.date), at(columns.model), at(columns.requests), at(columns.cost)],
  ]
  const [currency, request] = [at(columns.currency), at(columns.request)]
  const input = columns.input?.map((heading) => headings.indexOf(heading))
  const output = columns.output?.map((heading) => headings.indexOf(heading))
  return (cells) => {
    const cell = (index: number | undefined) =>
      index === undefined ? '' : (cells[index]?.trim() ?? '')
    const unit = cell(currency).toLowerCase()
    if (unit !== '' && unit !== 'usd') throw new Error(`${unit} is not USD`)
    const amounts = {
      requests: toCount(cell(requests)),
      inputTokens: toSum(input?.map(cell)),
      outputTokens: toSum(output?.map(cell)),
      costNanoUsd: toNanoUsd(cell(cost)),
    }
    const id = cell(request) || undefined
    return {
      ...{ ...amounts, request: id },
      ...{ day: toDay(cell(date)), model: toModel(cell(model)) },
      // Where rows have ids, each is a request.
      requests: amounts.requests ?? (id === undefined ? undefined : 1),
    }
  }
}

function toCount(text: string): number | undefined {
  if (text === '') return undefined
  if (/^\d{1,15}(\.0+)?$/.test(text)) return Number(text)
  throw new Error(`"${text.slice(0, 40)}" is no count`)
}

function toSum(texts: readonly string[] | undefined): number | undefined {
  const counts = texts?.map(toCount).filter((count) => count !== undefined) ?? []
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0)
}

function toNanoUsd(text: string): number | undefined {
  if (text === '') return undefined
  const [, sign, amount] = /^(-?)\$?(.+)$/.exec(text) ?? []
  const costNanoUsd = parseUsdToNano(amount)
  if (costNanoUsd === undefined) throw new Error(`"${text.slice(0, 40)}" is no amount of USD`)
  return sign === '-' ? -costNanoUsd : costNanoUsd
}

/** Seconds or milliseconds since 1970, or an ISO 8601 date or time: of UTC, where it names no offset. */
function toDay(text: string): string {
  const atMs = toTimeMs(text)
  if (Number.isNaN(atMs)) throw new Error(`"${text.slice(0, 40)}" is no date`)
  return new Date(atMs).toISOString().slice(0, 10)
}

function toTimeMs(text: string): number {
  if (/^\d{9,10}$/.test(text)) return Number(text) * 1_000
  if (/^\d{12,13}$/.test(text)) return Number(text)
  const [, day, time, offset] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))? ?(Z|UTC|[+-]\d\d:?\d\d)?$/.exec(
      text
    ) ?? []
  if (day === undefined) return Number.NaN
  const isUtc = offset === undefined || offset === 'UTC'
  return Date.parse(`${day}T${time ?? '00:00'}${isUtc ? 'Z' : offset}`)
}
