/** How a client stands under the tightest limit of a kind. */
export type RateState = {
  readonly kind: 'requests' | 'tokens' | 'input-tokens' | 'output-tokens'
  readonly limit: number
  readonly remaining: number
  /** When something is given back, in epoch milliseconds. */
  readonly resetAtMs: number
}

/**
 * `x-ratelimit-limit-requests: 600`, `-remaining-…`, `-reset-…: 6m0s`, of requests and tokens.
 * https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers
 */
export function renderOpenaiLimits(states: readonly RateState[], nowMs: number) {
  const headers: Record<string, string> = {}
  for (const { kind, limit, remaining, resetAtMs } of states) {
    if (kind !== 'requests' && kind !== 'tokens') continue
    headers[`x-ratelimit-limit-${kind}`] = String(limit)
    headers[`x-ratelimit-remaining-${kind}`] = String(remaining)
    headers[`x-ratelimit-reset-${kind}`] = renderDuration(Math.max(0, resetAtMs - nowMs))
  }
  return headers
}

/**
 * `anthropic-ratelimit-requests-limit: 600`, `-remaining`, `-reset` in RFC 3339, of requests and each kind of token.
 * https://platform.claude.com/docs/en/api/rate-limits#response-headers
 */
export function renderAnthropicLimits(states: readonly RateState[]) {
  const headers: Record<string, string> = {}
  for (const { kind, limit, remaining, resetAtMs } of states) {
    headers[`anthropic-ratelimit-${kind}-limit`] = String(limit)
    headers[`anthropic-ratelimit-${kind}-remaining`] = String(remaining)
    headers[`anthropic-ratelimit-${kind}-reset`] = new Date(resetAtMs).toISOString()
  }
  return headers
}

/** As Go writes durations: `250ms`, `1s`, `6m0s`, `1h0m0s`. */
function renderDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)}ms`
  const seconds = Math.ceil(durationMs / 1_000)
  const minutes = Math.floor(seconds / 60)
  if (minutes === 0) return `${seconds}s`
  const hours = Math.floor(minutes / 60)
  const rest = `${minutes % 60}m${seconds % 60}s`
  return hours === 0 ? rest : `${hours}h${rest}`
}
