import type { AttemptRow, RouteColumn } from '../db/log-schema'
import type { CostDetail, OwnerColumn, RequestBodiesRow, RequestRow } from '../db/log-schema'

/**
 * A row as people and scripts see it: names in snake_case, times in ISO 8601, durations in
 * milliseconds, null where something is unknown.
 */
export function viewRequest(row: RequestRow) {
  return {
    id: row.id,
    started_at: new Date(row.startedAtMs).toISOString(),
    ended_at: row.endedAtMs === null ? null : new Date(row.endedAtMs).toISOString(),
    status: row.status,
    outcome: row.outcome,
    key: row.keyName,
    key_id: row.keyId,
    client_request_id: row.clientRequestId,
    ...viewOwner(row.owner),
    api: row.api,
    operation: row.operation,
    requested_model: row.requestedModel,
    provider: row.provider,
    model: row.model,
    stream: row.stream,
    cost_nano_usd: row.costNanoUsd,
    cost_provenance: row.costProvenance,
    cost_detail: viewCost(row.costDetail),
    input_tokens: row.inputTokens,
    output_tokens: row.outputTokens,
    cache_read_tokens: row.cacheReadTokens,
    cache_write_tokens: row.cacheWriteTokens,
    reasoning_tokens: row.reasoningTokens,
    audio_input_tokens: row.audioInputTokens,
    audio_output_tokens: row.audioOutputTokens,
    usage_detail: viewUsage(row.usageDetail),
    usage_provenance: row.usageProvenance,
    finish_reasons: row.finishReasons ?? [],
    first_token_ms: row.firstTokenMs,
    total_ms: row.totalMs,
    gateway_ms: row.gatewayMs,
    body_bytes: row.bodyBytes,
    answer_bytes: row.answerBytes,
    lossy: row.lossy,
    error_code: row.errorCode,
    error_message: row.errorMessage,
    route: viewRoute(row.route),
    count: row.count,
    hedged: isHedged(row),
    continued: isContinued(row),
    attempts: (row.attempts ?? []).map((attempt) => ({
      number: attempt.number,
      provider: attempt.provider,
      model: attempt.model,
      credential: attempt.credential ?? null,
      started_after_ms: attempt.startedAfterMs,
      duration_ms: attempt.durationMs,
      head_ms: attempt.headMs ?? null,
      status: attempt.status ?? null,
      outcome: attempt.outcome,
      error_code: attempt.errorCode ?? null,
      error_message: attempt.errorMessage ?? null,
      upstream_request_id: attempt.upstreamRequestId ?? null,
      retry_of: attempt.retryOf ?? null,
      possibly_billed_twice: attempt.possiblyBilledTwice ?? false,
      cost_nano_usd: attempt.spent?.costNanoUsd ?? null,
      cost_provenance: attempt.spent?.provenance ?? null,
    })),
  }
}

/** A second target was asked beside one that was slow. */
function isHedged({ attempts }: RequestRow): boolean {
  return attempts?.some(({ retryOf }) => retryOf === 'hedged') ?? false
}

/** Another target has gone on with an answer that broke off; not only been asked to. */
function isContinued({ attempts }: RequestRow): boolean {
  const hasSpoken = ({ outcome, spent }: AttemptRow) => outcome === 'ok' || spent !== undefined
  return attempts?.some((one) => one.retryOf === 'continued' && hasSpoken(one)) ?? false
}

function viewRoute(route: RouteColumn | null) {
  if (route === null) return null
  const view = ([model, reason]: [string, string]) => ({ model, reason })
  return {
    path: route.path,
    candidates: route.candidates.map(view),
    excluded: route.excluded.map(view),
    passed: route.passed.map(view),
    notes: route.notes,
  }
}

function viewOwner(owner: OwnerColumn | null) {
  const [organization = null, team = null, user = null, session = null, tags = []] = owner ?? []
  return { organization, team, user, session, tags }
}

/** Rates in micro-USD a million tokens; of what is not counted in tokens, nano-USD each. */
function viewCost(detail: CostDetail | null) {
  if (detail === null) return null
  const [priceList, tier, aboveInputTokens, lines] = detail
  return {
    price_list: priceList,
    tier,
    above_input_tokens: aboveInputTokens,
    lines: lines.map(([kind, quantity, rate, costNanoUsd]) => ({
      kind,
      quantity,
      rate,
      cost_nano_usd: costNanoUsd,
    })),
  }
}

function viewUsage(detail: Readonly<Record<string, number | string>> | null) {
  if (detail === null) return null
  const named = Object.entries(detail).map(([name, value]) => [toSnakeCase(name), value])
  return Object.fromEntries(named)
}

/** `cacheWrite1hTokens` is `cache_write_1h_tokens`. */
function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]|\d+/g, (part) => `_${part.toLowerCase()}`)
}

/** Both bodies as they were kept. */
export function viewBodies(bodies: RequestBodiesRow) {
  return {
    request: bodies.request,
    request_truncated: bodies.requestTruncated,
    answer: bodies.answer,
    answer_truncated: bodies.answerTruncated,
  }
}

export type RequestView = ReturnType<typeof viewRequest>
export type BodiesView = ReturnType<typeof viewBodies>
