import type { Database } from 'bun:sqlite'

/** What somebody counts; `null` where they don't. */
export type UsageAmounts = {
  readonly requests: number | null
  readonly inputTokens: number | null
  readonly outputTokens: number | null
  readonly costNanoUsd: number | null
}

/** Usage of one model on one day, in UTC. */
export type DayUsage = UsageAmounts & { readonly day: string; readonly model: string }

/** What an export says of a request of ours. */
export type RequestUsage = {
  readonly requestId: string
  readonly ours: UsageAmounts
  readonly theirs: UsageAmounts
}

export type UsageComparison = {
  /** Adds a row of the export. */
  add(row: {
    readonly day: string
    readonly model: string
    readonly request: string | undefined
    readonly requests: number | undefined
    readonly inputTokens: number | undefined
    readonly outputTokens: number | undefined
    readonly costNanoUsd: number | undefined
  }): void
  /** The first and last day of the export; `undefined` where it has no row. */
  days(): { firstDay: string; lastDay: string } | undefined
  /** The export's sums; rows that say nothing but their day are left out. */
  theirs(): DayUsage[]
  /** The ledger's, of what a provider served on these days; requests that used nothing are no requests here. */
  ours(provider: string, fromMs: number, toMs: number): DayUsage[]
  /** Requests that the log knows by an id of the export, one by one. */
  requests(provider: string): Iterable<RequestUsage>
  /** How many ids the export has, and how many of them the log has. */
  idCounts(provider: string): { ids: number; known: number }
}

/** Rows with the same day, model and request are one. The table is a file of SQLite's own: exports may be large. */
const SCHEMA = `
  PRAGMA temp_store = FILE;
  CREATE TEMP TABLE export_rows (
    day TEXT NOT NULL, model TEXT NOT NULL, request TEXT NOT NULL,
    requests INTEGER, input_tokens INTEGER, output_tokens INTEGER, cost_nano_usd INTEGER,
    PRIMARY KEY (request, day, model)
  ) WITHOUT ROWID`

const SUM = (column: string) =>
  `${column} = CASE WHEN excluded.${column} IS NULL THEN ${column}
     ELSE coalesce(${column}, 0) + excluded.${column} END`

/** Compares the ledger with an export that is read in beside it, on a connection that may be read-only. */
export function createUsageComparison(database: Database): UsageComparison {
  database.run(SCHEMA)
  const add = database.query<undefined, (string | number | null)[]>(
    `INSERT INTO export_rows VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       ${['requests', 'input_tokens', 'output_tokens', 'cost_nano_usd'].map(SUM).join(', ')}`
  )
  return {
    add: ({ day, model, request, requests, inputTokens, outputTokens, costNanoUsd }) =>
      void add.run(
        ...[day, model, request ?? '', requests ?? null],
        ...[inputTokens ?? null, outputTokens ?? null, costNanoUsd ?? null]
      ),
    days() {
      const days = database
        .query<{ firstDay: string | null; lastDay: string | null }, []>(
          'SELECT min(day) AS firstDay, max(day) AS lastDay FROM export_rows'
        )
        .get()
      if (days === null || days.firstDay === null || days.lastDay === null) return undefined
      return { firstDay: days.firstDay, lastDay: days.lastDay }
    },
    theirs: () => database.query<DayUsage, []>(THEIRS).all(),
    ours: (provider, fromMs, toMs) =>
      database.query<DayUsage, [string, number, number]>(OURS).all(provider, fromMs, toMs),
    *requests(provider) {
      const rows = database.query<RequestColumns, [string]>(REQUESTS).iterate(provider)
      for (const row of rows) yield toRequestUsage(row)
    },
    idCounts: (provider) =>
      database.query<{ ids: number; known: number }, [string]>(ID_COUNTS).get(provider) ?? {
        ...{ ids: 0, known: 0 },
      },
  }
}

const THEIRS = `
  SELECT day, model, sum(requests) AS requests, sum(input_tokens) AS inputTokens,
    sum(output_tokens) AS outputTokens, sum(cost_nano_usd) AS costNanoUsd
  FROM export_rows
  WHERE coalesce(requests, input_tokens, output_tokens, cost_nano_usd) IS NOT NULL
  GROUP BY day, model`

const OURS = `
  SELECT strftime('%Y-%m-%d', admitted_at_ms / 1000, 'unixepoch') AS day,
    coalesce(substr(model, length(provider) + 2), '') AS model,
    count(*) FILTER (WHERE kind = 'request') AS requests,
    coalesce(sum(input_tokens), 0) AS inputTokens, coalesce(sum(output_tokens), 0) AS outputTokens,
    coalesce(sum(cost_nano_usd), 0) AS costNanoUsd
  FROM ledger_entries
  WHERE provider = ? AND provenance <> 'none' AND admitted_at_ms >= ? AND admitted_at_ms < ?
  GROUP BY 1, 2`

/** Attempts that the export has by their id, of requests that this provider answered: no other's bill is in it. */
const MATCHES = `
  SELECT DISTINCT r.id AS request_id, x.request AS upstream_id
  FROM requests AS r, json_each(r.attempts) AS a
  JOIN export_rows AS x ON x.request = a.value ->> 'upstreamRequestId'
  JOIN ledger_entries AS e ON e.request_id = r.id AND e.kind = 'request'
  WHERE x.request <> '' AND a.value ->> 'provider' = ?1 AND e.provider = ?1`

const ID_COUNTS = `
  SELECT (SELECT count(DISTINCT request) FROM export_rows WHERE request <> '') AS ids,
    (SELECT count(DISTINCT upstream_id) FROM (${MATCHES})) AS known`

/** A request that several attempts of were billed comes to the sum of them. */
const REQUESTS = `
  WITH billed AS (
    SELECT m.request_id, sum(x.input_tokens) AS theirInputTokens,
      sum(x.output_tokens) AS theirOutputTokens, sum(x.cost_nano_usd) AS theirCostNanoUsd
    FROM (${MATCHES}) AS m JOIN export_rows AS x ON x.request = m.upstream_id GROUP BY m.request_id
  )
  SELECT b.request_id AS requestId, theirInputTokens, theirOutputTokens, theirCostNanoUsd,
    sum(e.input_tokens) AS inputTokens, sum(e.output_tokens) AS outputTokens,
    sum(e.cost_nano_usd) AS costNanoUsd
  FROM billed AS b JOIN ledger_entries AS e ON e.request_id = b.request_id
  GROUP BY b.request_id ORDER BY b.request_id`

type RequestColumns = Omit<UsageAmounts, 'requests'> & {
  requestId: string
  theirInputTokens: number | null
  theirOutputTokens: number | null
  theirCostNanoUsd: number | null
}

function toRequestUsage(row: RequestColumns): RequestUsage {
  const { requestId, inputTokens, outputTokens, costNanoUsd } = row
  return {
    requestId,
    ours: { requests: 1, inputTokens, outputTokens, costNanoUsd },
    theirs: {
      ...{ requests: 1, inputTokens: row.theirInputTokens, outputTokens: row.theirOutputTokens },
      costNanoUsd: row.theirCostNanoUsd,
    },
  }
}
