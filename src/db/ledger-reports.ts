import type { Database } from 'bun:sqlite'
import { type EntryFilter, toCondition } from './ledger-filter'
import { IS_CORRECTED, IS_HELD } from './ledger-reader'

const LOCAL = '__LOCAL__'

/** What entries may be summed by; a request with several tags counts under each of them. */
export const REPORT_DIMENSIONS = {
  organization: 'organization',
  team: 'team',
  key: 'key_name',
  user: 'user_id',
  session: 'session_id',
  tag: 'tag.value',
  provider: 'provider',
  credential: 'credential',
  model: 'model',
  provenance: 'provenance',
  price_list: 'price_list',
  kind: 'kind',
  hour: `strftime('%Y-%m-%dT%H:00', ${LOCAL}, 'unixepoch')`,
  day: `strftime('%Y-%m-%d', ${LOCAL}, 'unixepoch')`,
  // Named by its Monday.
  week: `strftime('%Y-%m-%d', ${LOCAL}, 'unixepoch', 'weekday 0', '-6 days')`,
  month: `strftime('%Y-%m', ${LOCAL}, 'unixepoch')`,
} as const

export type ReportDimension = keyof typeof REPORT_DIMENSIONS

/** The orders of rows: the most of it first, or by what they are summed by. */
export const REPORT_ORDERS = {
  cost: 'costNanoUsd DESC, requests DESC',
  requests: 'requests DESC, costNanoUsd DESC',
  tokens: 'inputTokens + outputTokens DESC, costNanoUsd DESC',
  name: '',
} as const

export type ReportOrder = keyof typeof REPORT_ORDERS

export type ReportQuery = EntryFilter & {
  readonly by: readonly ReportDimension[]
  /** An IANA name; hours, days, weeks and months begin as they do there. */
  readonly timezone: string
  readonly order: ReportOrder
  readonly limit: number
}

export type ReportRow = {
  /** In the order of the dimensions asked for. */
  readonly values: readonly (string | null)[]
  /** Entries of kind `request`; the sums take in attempts and corrections too. */
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costNanoUsd: number
  /** Requests whose cost is not known; what was held for them counts in no sum here. */
  readonly unknown: number
  /** Requests whose usage was estimated, or whose process died. */
  readonly uncertain: number
}

/** An entry as it stands, and whether a correction of its request does too. */
export type ListedEntry = {
  readonly sequence: number
  readonly requestId: string
  readonly kind: 'request' | 'attempt' | 'settlement' | 'correction'
  readonly attempt: number
  readonly admittedAtMs: number
  readonly organization: string
  readonly team: string | null
  readonly key: string | null
  readonly user: string | null
  readonly session: string | null
  readonly tags: readonly string[]
  readonly provider: string | null
  readonly model: string | null
  readonly costNanoUsd: number | null
  readonly heldNanoUsd: number | null
  readonly inputTokens: number | null
  readonly outputTokens: number | null
  readonly provenance: string
  readonly priceList: string | null
  /** Why a correction was made. */
  readonly reason: string | null
  readonly isCorrected: boolean
  /** Of a request that was deferred what the provider calls the work, and since when it is; else null. */
  readonly reference: string | null
  readonly deferredAtMs: number | null
}

export type EntryQuery = EntryFilter & {
  /** Only those of requests that nobody corrected. */
  readonly isUncorrected: boolean
  /** Only those of which something is held until they are settled. */
  readonly isHeld?: boolean
  readonly limit: number
}

export type LedgerReports = {
  /** Sums over the entries that a filter takes. */
  report(query: ReportQuery): ReportRow[]
  /** The entries that a filter takes, the latest first. */
  entries(query: EntryQuery): ListedEntry[]
}

/** Reports over the ledger, in the log's database. */
export function createLedgerReports(database: Database): LedgerReports {
  return {
    report: (query) => report(database, query),
    entries: (query) => entries(database, query),
  }
}

function report(database: Database, query: ReportQuery): ReportRow[] {
  const { by, order, limit } = query
  const { sql, parameters } = toCondition(query)
  const local = by.some((dimension) => REPORT_DIMENSIONS[dimension].includes(LOCAL))
    ? localSeconds(database, query)
    : ''
  // The expressions are ours alone: names of dimensions and orders were found in the lists above.
  const columns = by.map(
    (dimension, index) => `${REPORT_DIMENSIONS[dimension].replace(LOCAL, local)} AS v${index}`
  )
  const tags = by.includes('tag') ? 'LEFT JOIN json_each(ledger_entries.tags) AS tag' : ''
  const numbers = by.map((_, index) => index + 1)
  const orders = [REPORT_ORDERS[order], ...numbers].filter((part) => part !== '')
  const rows = database
    .query<Record<string, string | number | null>, (string | number)[]>(
      `SELECT ${[...columns, ''].join(', ')} count(*) FILTER (WHERE kind = 'request') AS requests,
         coalesce(sum(input_tokens), 0) AS inputTokens,
         coalesce(sum(output_tokens), 0) AS outputTokens,
         coalesce(sum(cost_nano_usd), 0) AS costNanoUsd,
         count(*) FILTER (WHERE provenance = 'unknown' AND NOT ${IS_CORRECTED}) AS unknown,
         count(*) FILTER (WHERE provenance IN ('estimated', 'unresolved') AND NOT ${IS_CORRECTED})
           AS uncertain
       FROM ledger_entries ${tags} WHERE ${sql}
       ${by.length === 0 ? '' : `GROUP BY ${numbers.join(', ')}`}
       ${orders.length === 0 ? '' : `ORDER BY ${orders.join(', ')}`} LIMIT ?`
    )
    .all(...parameters, limit)
  return rows.map((row) => ({
    values: by.map((_, index) => textOf(row[`v${index}`])),
    requests: Number(row.requests),
    inputTokens: Number(row.inputTokens),
    outputTokens: Number(row.outputTokens),
    costNanoUsd: Number(row.costNanoUsd),
    unknown: Number(row.unknown),
    uncertain: Number(row.uncertain),
  }))
}

const ofHold = (column: string) => `CASE WHEN kind = 'request' AND provenance = 'deferred' THEN
  (SELECT d.${column} FROM deferred_holds AS d WHERE d.request_id = ledger_entries.request_id) END`

const DEFERRED = `${ofHold('reference')} AS reference, ${ofHold('deferred_at_ms')} AS deferredAtMs`

type EntryColumns = Omit<ListedEntry, 'tags' | 'isCorrected'> & {
  tags: string | null
  isCorrected: number
}

function entries(database: Database, query: EntryQuery): ListedEntry[] {
  const { sql, parameters } = toCondition(query)
  return database
    .query<EntryColumns, (string | number)[]>(
      `SELECT sequence, request_id AS requestId, kind, attempt, admitted_at_ms AS admittedAtMs,
         organization, team, key_name AS key, user_id AS user, session_id AS session, tags, provider,
         model, cost_nano_usd AS costNanoUsd, held_nano_usd AS heldNanoUsd,
         input_tokens AS inputTokens, output_tokens AS outputTokens, provenance,
         price_list AS priceList, reason, ${IS_CORRECTED} AS isCorrected, ${DEFERRED}
       FROM ledger_entries WHERE ${sql} ${query.isUncorrected ? `AND NOT ${IS_CORRECTED}` : ''}
       ${query.isHeld === true ? `AND kind = 'request' AND ${IS_HELD}` : ''}
       ORDER BY admitted_at_ms DESC, sequence DESC LIMIT ?`
    )
    .all(...parameters, query.limit)
    .map(({ tags, isCorrected, ...row }) =>
      Object.assign(row, { tags: toTags(tags), isCorrected: isCorrected === 1 })
    )
}

function toTags(json: string | null): string[] {
  const tags: unknown = json === null ? [] : JSON.parse(json)
  return Array.isArray(tags) ? tags.map(String) : []
}

/** The SQL of an entry's time in seconds, moved by what the zone's clocks were ahead of UTC then. */
function localSeconds(database: Database, { fromMs, toMs, timezone }: ReportQuery): string {
  const span = database
    .query<{ firstMs: number | null; lastMs: number | null }, [number, number]>(
      `SELECT min(admitted_at_ms) AS firstMs, max(admitted_at_ms) AS lastMs FROM ledger_entries
       WHERE admitted_at_ms >= ? AND admitted_at_ms < ?`
    )
    .get(fromMs, toMs)
  const firstMs = span?.firstMs ?? 0
  const start = Temporal.Instant.fromEpochMilliseconds(firstMs).toZonedDateTimeISO(timezone)
  const cases: string[] = []
  let present = start
  while (cases.length < MAX_CHANGES) {
    const next = present.getTimeZoneTransition('next')
    if (next === null || next.epochMilliseconds > (span?.lastMs ?? firstMs)) break
    cases.push(`WHEN admitted_at_ms < ${next.epochMilliseconds} THEN ${offsetMs(present)}`)
    present = next
  }
  const offset =
    cases.length === 0
      ? String(offsetMs(present))
      : `CASE ${cases.join(' ')} ELSE ${offsetMs(present)} END`
  return `(admitted_at_ms + ${offset}) / 1000`
}

/** Two a year, of more years than a ledger has. */
const MAX_CHANGES = 1_000

function offsetMs({ offsetNanoseconds }: Temporal.ZonedDateTime): number {
  return Math.round(offsetNanoseconds / 1e6)
}

function textOf(value: string | number | null | undefined): string | null {
  return value === null || value === undefined ? null : String(value)
}
