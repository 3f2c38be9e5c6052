import type { RequestBodiesRow, RequestRow } from '../db/log-schema'

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
    api: row.api,
    operation: row.operation,
    requested_model: row.requestedModel,
    provider: row.provider,
    model: row.model,
    stream: row.stream,
    // Nothing here knows prices: unknown, which is not 0.
    cost_nano_usd: null,
    input_tokens: row.inputTokens,
    output_tokens: row.outputTokens,
    cache_read_tokens: row.cacheReadTokens,
    cache_write_tokens: row.cacheWriteTokens,
    reasoning_tokens: row.reasoningTokens,
    audio_input_tokens: row.audioInputTokens,
    audio_output_tokens: row.audioOutputTokens,
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
    count: row.count,
    attempts: (row.attempts ?? []).map((attempt) => ({
      number: attempt.number,
      provider: attempt.provider,
      model: attempt.model,
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
    })),
  }
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
