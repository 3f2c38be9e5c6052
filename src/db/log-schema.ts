import { sql } from 'drizzle-orm'
import {
  index,
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core'

/** One upstream call of a request, as its row keeps it. Durations are milliseconds. */
export type AttemptRow = {
  number: number
  provider: string
  model: string
  credential?: string | undefined
  startedAfterMs: number
  durationMs: number
  headMs?: number | undefined
  status?: number | undefined
  outcome: string
  errorCode?: string | undefined
  errorMessage?: string | undefined
  upstreamRequestId?: string | undefined
  retryOf?: string | undefined
  possiblyBilledTwice?: true | undefined
  /** What it came to, where its request ended with another one. */
  spent?: SpentColumn | undefined
}

/** As its entry in the ledger has it. */
export type SpentColumn = {
  provenance: string
  costNanoUsd?: number | undefined
  inputTokens?: number | undefined
  outputTokens?: number | undefined
}

/** Organization, team, user, session, tags; when it was admitted. */
export type OwnerColumn = [
  organization: string,
  team: string | null,
  user: string | null,
  session: string | null,
  tags: string[],
  admittedAtMs?: number,
]

/** Of an attempt that had another beside it, its number; and what is held for those beside it. */
export type HeldColumn = [
  model: string,
  costNanoUsd: number | null,
  credential?: string | null | undefined,
  attempt?: number | null | undefined,
  beside?: HeldBesideColumn[] | undefined,
]

export type HeldBesideColumn = [
  model: string,
  costNanoUsd: number | null,
  credential: string | null,
  attempt: number,
]

/** How targets were chosen: names are `provider/model`. */
export type RouteColumn = {
  path: string[]
  candidates: [name: string, reason: string][]
  excluded: [name: string, reason: string][]
  passed: [name: string, reason: string][]
  notes: string[]
}

/** The parts of a cost, in this order to be short. */
export type CostDetail = [
  origin: string | null,
  tier: string | null,
  aboveInputTokens: number | null,
  lines: [kind: string, quantity: number, rate: number, costNanoUsd: number][],
]

/** One row a request; refusals beyond the logged rate share one, with their `count`. */
export const requests = sqliteTable(
  'requests',
  {
    /** Grows in the order in which rows became final: what a reader that follows the log polls. */
    sequence: integer().primaryKey(),
    /** A UUIDv7, so its order is the order of beginning: retention deletes ranges of it. */
    id: text().notNull().unique(),
    startedAtMs: integer('started_at_ms').notNull(),
    endedAtMs: integer('ended_at_ms'),
    keyId: text('key_id'),
    keyName: text('key_name'),
    clientRequestId: text('client_request_id'),
    api: text(),
    operation: text(),
    requestedModel: text('requested_model'),
    provider: text(),
    /** The model that answered, `provider/model`. */
    model: text(),
    status: integer(),
    /** `open` until its end is known, `lost` when its process died before. */
    outcome: text({ enum: ['open', 'ok', 'refused', 'failed', 'cancelled', 'lost'] }).notNull(),
    errorCode: text('error_code'),
    errorMessage: text('error_message'),
    stream: integer({ mode: 'boolean' }).notNull(),
    inputTokens: integer('input_tokens'),
    outputTokens: integer('output_tokens'),
    cacheReadTokens: integer('cache_read_tokens'),
    cacheWriteTokens: integer('cache_write_tokens'),
    reasoningTokens: integer('reasoning_tokens'),
    audioInputTokens: integer('audio_input_tokens'),
    audioOutputTokens: integer('audio_output_tokens'),
    usageProvenance: text('usage_provenance'),
    finishReasons: text('finish_reasons', { mode: 'json' }).$type<string[]>(),
    firstTokenMs: real('first_token_ms'),
    totalMs: real('total_ms'),
    gatewayMs: real('gateway_ms'),
    bodyBytes: integer('body_bytes'),
    answerBytes: integer('answer_bytes'),
    attempts: text({ mode: 'json' }).$type<AttemptRow[]>(),
    /** How many requests the row stands for. */
    count: integer().notNull().default(1),
    /** The journal segment with the begin of an open row: tells this process's from a dead one's. */
    journalSegment: integer('journal_segment'),
    /** What a translation between wire formats could not say. */
    lossy: text(),
    /** NULL is unknown, never zero. */
    costNanoUsd: integer('cost_nano_usd'),
    costProvenance: text('cost_provenance'),
    /** How the cost came about: origin of the price, tier, step, and lines of kind, quantity, rate, cost. */
    costDetail: text('cost_detail', { mode: 'json' }).$type<CostDetail>(),
    /** Whose request it is, beside its key. */
    owner: text({ mode: 'json' }).$type<OwnerColumn>(),
    /** What is held for a request under way: model, nano-USD, one of several credentials. */
    held: text({ mode: 'json' }).$type<HeldColumn>(),
    /** How its targets were chosen; NULL where there was no choice. */
    route: text({ mode: 'json' }).$type<RouteColumn>(),
    /** Counts and words of the usage that few answers have. */
    usageDetail: text('usage_detail', { mode: 'json' }).$type<Record<string, number | string>>(),
  },
  (table) => [
    index('requests_open')
      .on(table.id)
      .where(sql`outcome = 'open'`),
  ]
)

/**
 * What each admitted request came to: append-only, and kept when the log's rows are deleted. What is counted against
 * budgets and limits is rebuilt from these. A `request` is what its last attempt came to, an `attempt` what an earlier
 * one did, a `settlement` what a request whose hold was deferred came to, a `correction` what somebody learned later:
 * amounts to be added, which may be negative.
 */
export const ledgerEntries = sqliteTable(
  'ledger_entries',
  {
    sequence: integer().primaryKey(),
    requestId: text('request_id').notNull(),
    kind: text({ enum: ['request', 'attempt', 'settlement', 'correction'] })
      .notNull()
      .default('request'),
    /** Of an attempt and a request its number, 0 for none; of a correction which one it is. */
    attempt: integer().notNull().default(0),
    /** The window that it counts in is the one of this time. */
    admittedAtMs: integer('admitted_at_ms').notNull(),
    organization: text().notNull(),
    team: text(),
    keyId: text('key_id'),
    keyName: text('key_name'),
    user: text('user_id'),
    session: text('session_id'),
    tags: text({ mode: 'json' }).$type<string[]>(),
    provider: text(),
    /** `provider/model` */
    model: text(),
    /** `provider/name`, of a provider with several. */
    credential: text(),
    /** NULL is unknown: then what was held counts. */
    costNanoUsd: integer('cost_nano_usd'),
    /** Of a correction what it takes back of what was held; NULL where nothing was, and an unknown price counted. */
    heldNanoUsd: integer('held_nano_usd'),
    inputTokens: integer('input_tokens'),
    outputTokens: integer('output_tokens'),
    /**
     * As the cost's; `none` where nothing was used, `unresolved` where its process died before it was known, `deferred`
     * where a settlement is to follow.
     */
    provenance: text().notNull(),
    priceList: text('price_list'),
    /** Why a correction was made. */
    reason: text(),
  },
  (table) => [
    index('ledger_entries_admitted').on(table.admittedAtMs),
    index('ledger_entries_corrections')
      .on(table.admittedAtMs)
      .where(sql`kind = 'correction'`),
    index('ledger_entries_learned')
      .on(table.sequence)
      .where(sql`kind = 'correction'`),
    uniqueIndex('ledger_entries_part').on(table.requestId, table.kind, table.attempt),
  ]
)

/** Requests whose holds outlast them, until a settlement or a correction says what they came to. */
export const deferredHolds = sqliteTable(
  'deferred_holds',
  {
    requestId: text('request_id').primaryKey(),
    deferredAtMs: integer('deferred_at_ms').notNull(),
    /** What the provider calls the work. */
    reference: text().notNull(),
    /** What is held of tokens; the money stands in the request's entry. */
    inputTokens: integer('input_tokens').notNull(),
    outputTokens: integer('output_tokens').notNull(),
    /** NULL while it is held. */
    settledAtMs: integer('settled_at_ms'),
  },
  (table) => [
    index('deferred_holds_open')
      .on(table.deferredAtMs)
      .where(sql`settled_at_ms IS NULL`),
  ]
)

/** Ids that providers gave out, and whose they are: another key's is as unknown as none. */
export const ownedObjects = sqliteTable(
  'owned_objects',
  {
    kind: text({ enum: ['file', 'batch', 'response'] }).notNull(),
    id: text().notNull(),
    /** NULL: nobody's key was asked for. */
    keyId: text('key_id'),
    provider: text().notNull(),
    credential: text(),
    model: text(),
    requestId: text('request_id').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    /** NULL is never. */
    expiresAtMs: integer('expires_at_ms'),
    /** What else has to be known of it, as its kind has it. */
    data: text(),
  },
  (table) => [
    primaryKey({ columns: [table.kind, table.id] }),
    index('owned_objects_of_key').on(table.kind, table.keyId, table.createdAtMs),
    index('owned_objects_expiry')
      .on(table.expiresAtMs)
      .where(sql`expires_at_ms IS NOT NULL`),
    // What is kept here, and large.
    index('owned_objects_kept')
      .on(table.createdAtMs)
      .where(sql`provider = ''`),
  ]
)

/**
 * What counters of limits had counted when `through` was the last entry: a start reads these, and only the entries
 * behind. A counter that is not here had counted nothing when the checkpoint was made.
 */
export const ledgerCounters = sqliteTable(
  'ledger_counters',
  {
    limitId: text('limit_id').notNull(),
    /** Which of the limit's counters it is. */
    name: text().notNull(),
    /** The last entry that it had counted. */
    through: integer().notNull(),
    /** From then on it says nothing any more; NULL is never. */
    endsAtMs: integer('ends_at_ms'),
    /** Number of a stretch of time, and what was spent in it. */
    stretches: text({ mode: 'json' }).$type<[number: number, spent: number][]>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.limitId, table.name] })]
)

/**
 * The one row says up to which entry every counter that has no newer row of its own is right, and of which limits; and
 * how far the next checkpoint has come.
 */
export const ledgerCheckpoints = sqliteTable('ledger_checkpoints', {
  id: integer().primaryKey(),
  through: integer().notNull(),
  limits: text().notNull(),
  /** The mark of its last record. */
  mark: integer().notNull(),
  /** The last mark that was read. */
  seen: integer().notNull(),
  pendingThrough: integer('pending_through').notNull(),
  /** Counters of the next one so far. */
  pendingCount: integer('pending_count').notNull(),
})

/** Apart from the rows, so that reading and deleting those never touches the big pages. */
export const requestBodies = sqliteTable('request_bodies', {
  requestId: text('request_id').primaryKey(),
  request: text().notNull(),
  answer: text().notNull(),
  requestTruncated: integer('request_truncated', { mode: 'boolean' }).notNull(),
  answerTruncated: integer('answer_truncated', { mode: 'boolean' }).notNull(),
})

/** The one row says from where the journal must be read again after a crash. */
export const journalPositions = sqliteTable('journal_positions', {
  id: integer().primaryKey(),
  segment: integer().notNull(),
  offsetBytes: integer('offset_bytes').notNull(),
})

export type LedgerEntryRow = typeof ledgerEntries.$inferSelect
export type RequestRow = typeof requests.$inferSelect
export type RequestBodiesRow = typeof requestBodies.$inferSelect
