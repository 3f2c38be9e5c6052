import { countOf, isRecord } from '../../std/record'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import type { Usage } from '../usage'
import { defined } from './converse-json'

/**
 * Counts of Converse, whose input leaves out what was read from and written to caches. Some material spells the cache's
 * members with `Count` at their end: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
 */
export function toUsage(usage: unknown): Usage | undefined {
  const fresh = countOf(usage, 'inputTokens')
  const outputTokens = countOf(usage, 'outputTokens')
  if (fresh === undefined && outputTokens === undefined) return undefined
  const cacheReadTokens =
    countOf(usage, 'cacheReadInputTokens') ?? countOf(usage, 'cacheReadInputTokenCount')
  const cacheWriteTokens =
    countOf(usage, 'cacheWriteInputTokens') ?? countOf(usage, 'cacheWriteInputTokenCount')
  const cached = (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0)
  const read: Usage = {
    inputTokens: fresh === undefined ? undefined : fresh + cached,
    outputTokens,
    cacheReadTokens,
    cacheWriteTokens,
    reasoningTokens: undefined,
    audioInputTokens: undefined,
    audioOutputTokens: undefined,
  }
  const hour = hourOf(usage)
  return hour === undefined ? read : { ...read, cacheWrite1hTokens: hour }
}

function hourOf(usage: unknown): number | undefined {
  const details = isRecord(usage) ? usage.cacheDetails : undefined
  if (!Array.isArray(details)) return undefined
  for (const detail of details)
    if (isRecord(detail) && detail.ttl === '1h') return countOf(detail, 'inputTokens')
  return 0
}

/** The counts as Converse has them; what nobody counted is left out, and so are kinds that it has no member for. */
export function renderUsage(usage: Usage, losses: Losses): JsonObject {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, cacheWrite1hTokens } = usage
  if (usage.reasoningTokens) losses.drop('usage.reasoning_tokens')
  if (usage.audioInputTokens) losses.drop('usage.audio_input_tokens')
  if (usage.audioOutputTokens) losses.drop('usage.audio_output_tokens')
  const cached = (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0)
  return defined({
    inputTokens: inputTokens === undefined ? undefined : Math.max(0, inputTokens - cached),
    outputTokens,
    totalTokens:
      inputTokens === undefined || outputTokens === undefined
        ? undefined
        : inputTokens + outputTokens,
    cacheReadInputTokens: cacheReadTokens,
    cacheWriteInputTokens: cacheWriteTokens,
    cacheDetails:
      cacheWrite1hTokens === undefined
        ? undefined
        : renderCacheDetails(cacheWrite1hTokens, cacheWriteTokens),
  })
}

function renderCacheDetails(hour: number, all: number | undefined): JsonObject[] {
  const short = (all ?? hour) - hour
  return [
    ...(hour > 0 ? [{ ttl: '1h', inputTokens: hour }] : []),
    ...(short > 0 ? [{ ttl: '5m', inputTokens: short }] : []),
  ]
}
