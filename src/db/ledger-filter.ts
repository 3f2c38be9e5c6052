/** What entries may be picked by, and the column of each; a request's tags are a list. */
export const FILTER_COLUMNS = {
  organization: 'organization',
  team: 'team',
  key: 'key_name',
  key_id: 'key_id',
  user: 'user_id',
  session: 'session_id',
  tag: 'tags',
  provider: 'provider',
  credential: 'credential',
  model: 'model',
  provenance: 'provenance',
  price_list: 'price_list',
  kind: 'kind',
  request: 'request_id',
} as const

export type FilterName = keyof typeof FILTER_COLUMNS

/** A value that stands for entries that have none. */
export const NO_VALUE = '-'

/** Entries admitted in `[fromMs, toMs)` of which each name has one of its values. */
export type EntryFilter = {
  readonly fromMs: number
  readonly toMs: number
  /** `*` in a value is any text; `-` is no value. */
  readonly where: Readonly<Partial<Record<FilterName, readonly string[]>>>
}

export type SqlCondition = { readonly sql: string; readonly parameters: (string | number)[] }

/** The condition on `ledger_entries` that a filter is, with its parameters in their order. */
export function toCondition({ fromMs, toMs, where }: EntryFilter): SqlCondition {
  const parameters: (string | number)[] = [fromMs, toMs]
  const conditions = ['admitted_at_ms >= ?', 'admitted_at_ms < ?']
  for (const name of FILTER_NAMES) {
    const values = where[name]
    if (values === undefined) continue
    const alternatives = values.map((value) => {
      const column = FILTER_COLUMNS[name]
      if (value === NO_VALUE) return `${column} IS NULL`
      parameters.push(toGlob(value))
      if (name !== 'tag') return `${column} GLOB ?`
      return 'EXISTS (SELECT 1 FROM json_each(ledger_entries.tags) AS t WHERE t.value GLOB ?)'
    })
    conditions.push(`(${alternatives.join(' OR ') || 'FALSE'})`)
  }
  return { sql: conditions.join(' AND '), parameters }
}

/** Whether a name is one that entries may be picked by. */
export function isFilterName(name: string): name is FilterName {
  return Object.hasOwn(FILTER_COLUMNS, name)
}

const FILTER_NAMES = Object.keys(FILTER_COLUMNS).filter(isFilterName)

/** Of what SQLite's GLOB has, only `*` means something here: https://www.sqlite.org/lang_expr.html#glob */
function toGlob(value: string): string {
  return value.replace(/[[?]/g, '[$&]')
}
