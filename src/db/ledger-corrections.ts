import type { Database } from 'bun:sqlite'
import { createDeferredCloser } from './deferred-holds'

/** What a request really came to; tokens that nobody names stay as they are. */
export type RequestTruth = {
  readonly requestId: string
  readonly costNanoUsd: number
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
  readonly reason: string
}

/** Of one request. A cost of `null` is unknown. */
export type RequestAmounts = {
  readonly costNanoUsd: number | null
  readonly inputTokens: number | null
  readonly outputTokens: number | null
}

export type Correction =
  | { readonly kind: 'unknown-request' }
  /** The ledger says the same already. */
  | { readonly kind: 'unchanged'; readonly before: RequestAmounts }
  | {
      readonly kind: 'corrected'
      readonly before: RequestAmounts
      /** What was appended: may be negative, and `null` where no tokens were named. */
      readonly difference: RequestAmounts & { readonly costNanoUsd: number }
    }

export type CorrectionWriter = {
  /** Appends what a request's entries are short of, or too much, in one transaction. Edits no row. */
  correct(truth: RequestTruth): Correction
}

type Standing = RequestAmounts & {
  readonly provenance: string
  /** How much of it counts as it was held, its cost being unknown. */
  readonly uncosted: number
  readonly heldNanoUsd: number | null
  readonly corrections: number
  readonly settlements: number
}

const UNSETTLED = ['estimated', 'unknown', 'unresolved', 'deferred']

/** Of an entry `e`: what was held for it counts. */
const IS_UNCOSTED = `e.kind IN ('request', 'settlement') AND e.cost_nano_usd IS NULL
  AND e.provenance NOT IN ('none', 'deferred')`

/** Appends corrections to the ledger, in the log's database, beside a gateway that may be running. */
export function createCorrectionWriter(database: Database): CorrectionWriter {
  const standing = database.query<Standing, [string]>(
    `SELECT sum(e.cost_nano_usd) AS costNanoUsd, sum(e.input_tokens) AS inputTokens,
       sum(e.output_tokens) AS outputTokens, r.provenance,
       sum(${IS_UNCOSTED}) AS uncosted, sum(e.kind = 'settlement') AS settlements,
       r.held_nano_usd AS heldNanoUsd, max(CASE e.kind WHEN 'correction' THEN e.attempt ELSE 0 END) AS corrections
     FROM ledger_entries r JOIN ledger_entries e ON e.request_id = r.request_id
     WHERE r.request_id = ? AND r.kind = 'request' GROUP BY r.sequence`
  )
  const append = database.query<undefined, (string | number | null)[]>(
    `INSERT INTO ledger_entries (request_id, kind, attempt, admitted_at_ms, organization, team, key_id,
       key_name, user_id, session_id, tags, provider, model, cost_nano_usd, held_nano_usd,
       input_tokens, output_tokens, provenance, price_list, credential, reason)
     SELECT request_id, 'correction', ?, admitted_at_ms, organization, team, key_id, key_name, user_id,
       session_id, tags, provider, model, ?, ?, ?, ?, 'reconciled', price_list, credential, ?
     FROM ledger_entries WHERE request_id = ? AND kind = 'request'`
  )
  const close = createDeferredCloser(database)
  const correct = database.transaction((truth: RequestTruth): Correction => {
    const now = standing.get(truth.requestId)
    if (now === null) return { kind: 'unknown-request' }
    const { costNanoUsd, inputTokens, outputTokens } = now
    const before = { costNanoUsd, inputTokens, outputTokens }
    const difference = {
      costNanoUsd: truth.costNanoUsd - (costNanoUsd ?? 0),
      inputTokens: differenceOf(truth.inputTokens, inputTokens),
      outputTokens: differenceOf(truth.outputTokens, outputTokens),
    }
    const isSettled = now.corrections > 0 || isCosted(now)
    if (isSettled && Object.values(difference).every((amount) => (amount ?? 0) === 0))
      return { kind: 'unchanged', before }
    append.run(
      ...[now.corrections + 1, difference.costNanoUsd, heldToTakeBack(now)],
      ...[difference.inputTokens, difference.outputTokens, truth.reason, truth.requestId]
    )
    close(truth.requestId, Date.now())
    return { kind: 'corrected', before, difference }
  })
  return { correct: (truth) => correct.immediate(truth) }
}

/** Somebody has said what it cost. */
function isCosted({ settlements, uncosted, provenance }: Standing): boolean {
  return settlements > 0 ? uncosted === 0 : !UNSETTLED.includes(provenance)
}

/** Where the cost was unknown, what was held counted in its place: until the first correction. */
function heldToTakeBack(now: Standing): number | null {
  if (now.uncosted === 0 || now.corrections > 0) return 0
  return now.heldNanoUsd === null ? null : -now.heldNanoUsd
}

function differenceOf(truth: number | undefined, known: number | null): number | null {
  return truth === undefined ? null : truth - (known ?? 0)
}
