import { countOf, isRecord, recordOf } from '../../std/record'
import type { JsonObject } from '../json'
import { NO_USAGE, type Usage } from '../usage'

/**
 * Reads `usage` as it is billed: `billed_units` leave out what Cohere's own prompt adds to the request, which
 * `tokens` count. `cached_tokens` are of the latter and cost no less, so they say nothing of the billed ones; only a
 * host that bills nothing apart is taken at its `tokens`. `undefined` where nothing is counted.
 * https://docs.cohere.com/v2/reference/chat, https://cohere.com/pricing
 */
export function parseUsage(usage: unknown): Usage | undefined {
  if (!isRecord(usage)) return undefined
  const billed = recordOf(usage, 'billed_units')
  const searches = countOf(billed, 'search_units')
  const tokens = recordOf(usage, 'tokens')
  const isBilled = hasTokens(billed)
  if (!isBilled && !hasTokens(tokens) && searches === undefined) return undefined
  const counted = isBilled ? billed : tokens
  return {
    ...NO_USAGE,
    inputTokens: countOf(counted, 'input_tokens'),
    outputTokens: countOf(counted, 'output_tokens'),
    cacheReadTokens: isBilled ? undefined : countOf(usage, 'cached_tokens'),
    ...(searches !== undefined && { searches }),
  }
}

function hasTokens(counts: unknown): boolean {
  return (
    countOf(counts, 'input_tokens') !== undefined || countOf(counts, 'output_tokens') !== undefined
  )
}

/** Writes `usage`. What is billed leaves nothing out here: providers differ in what they do not bill. */
export function renderUsage(usage: Usage | undefined): JsonObject {
  const counts = {
    input_tokens: usage?.inputTokens ?? 0,
    output_tokens: usage?.outputTokens ?? 0,
  }
  const { searches, cacheReadTokens } = usage ?? {}
  return {
    billed_units: { ...counts, ...(searches !== undefined && { search_units: searches }) },
    tokens: counts,
    ...(cacheReadTokens !== undefined && { cached_tokens: cacheReadTokens }),
  }
}
