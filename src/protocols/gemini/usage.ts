import { countOf, isRecord } from '../../std/record'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import type { Usage } from '../usage'

/**
 * Reads `usageMetadata`. Thoughts are not in the candidates' count, and what tools put into the prompt is not in the
 * prompt's; both are added. A count that is 0 is left out by Google, so the candidates' is what the total leaves.
 * `undefined` when nothing was counted yet. https://ai.google.dev/api/generate-content#UsageMetadata
 */
export function toUsage(metadata: unknown): Usage | undefined {
  if (!isRecord(metadata)) return undefined
  const prompt = countOf(metadata, 'promptTokenCount')
  const tools = countOf(metadata, 'toolUsePromptTokenCount') ?? 0
  const thoughts = countOf(metadata, 'thoughtsTokenCount')
  const total = countOf(metadata, 'totalTokenCount')
  let candidates = countOf(metadata, 'candidatesTokenCount')
  if (candidates === undefined && total !== undefined && prompt !== undefined)
    candidates = Math.max(0, total - prompt - tools - (thoughts ?? 0))
  if (prompt === undefined && candidates === undefined && thoughts === undefined) return undefined
  const hasOutput = candidates !== undefined || thoughts !== undefined
  return {
    inputTokens: prompt === undefined ? undefined : prompt + tools,
    outputTokens: hasOutput ? (candidates ?? 0) + (thoughts ?? 0) : undefined,
    cacheReadTokens: countOf(metadata, 'cachedContentTokenCount'),
    cacheWriteTokens: undefined,
    reasoningTokens: thoughts,
    audioInputTokens: audioOf(metadata.promptTokensDetails),
    audioOutputTokens: audioOf(metadata.candidatesTokensDetails),
  }
}

function audioOf(details: unknown): number | undefined {
  if (!Array.isArray(details)) return undefined
  for (const entry of details)
    if (isRecord(entry) && entry.modality === 'AUDIO') return countOf(entry, 'tokenCount')
  return undefined
}

/**
 * `usageMetadata`: only counts that are known, and their sum where both are. There is no word for what was written to a
 * cache, which is reported unless it was nothing.
 */
export function renderUsage(usage: Usage, losses: Losses): JsonObject {
  const { inputTokens, outputTokens, reasoningTokens } = usage
  if (usage.cacheWriteTokens) losses.drop('usage.cache_write_tokens')
  if (usage.cacheWrite1hTokens) losses.drop('usage.cache_write_1h_tokens')
  const visible =
    outputTokens === undefined ? undefined : Math.max(0, outputTokens - (reasoningTokens ?? 0))
  const isWhole = inputTokens !== undefined && outputTokens !== undefined
  return {
    ...(inputTokens !== undefined && { promptTokenCount: inputTokens }),
    ...(visible !== undefined && { candidatesTokenCount: visible }),
    ...(isWhole && { totalTokenCount: inputTokens + outputTokens }),
    ...(usage.cacheReadTokens !== undefined && { cachedContentTokenCount: usage.cacheReadTokens }),
    ...renderDetails('promptTokensDetails', inputTokens, usage.audioInputTokens),
    ...renderDetails('candidatesTokensDetails', visible, usage.audioOutputTokens),
    ...(reasoningTokens !== undefined && { thoughtsTokenCount: reasoningTokens }),
  }
}

function renderDetails(
  name: string,
  all: number | undefined,
  audio: number | undefined
): JsonObject {
  if (audio === undefined) return {}
  const details: JsonObject[] = [{ modality: 'AUDIO', tokenCount: audio }]
  if (all !== undefined && all > audio)
    details.unshift({ modality: 'TEXT', tokenCount: all - audio })
  return { [name]: details }
}
