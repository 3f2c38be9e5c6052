import { countOf, isRecord, stringOf } from '../../std/record'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { moreOf, type Usage } from '../usage'

/**
 * Reads `usageMetadata`. Thoughts are not in the candidates' count, and what tools put into the prompt is not in the
 * prompt's; both are added. A count that is 0 is left out by Google, so the candidates' is what the total leaves.
 * The tier is Google AI Studio's `serviceTier` or Vertex's `trafficType`. `undefined` when nothing was counted yet.
 * https://ai.google.dev/api/generate-content#UsageMetadata,
 * https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse#UsageMetadata
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
    audioInputTokens: modalityOf(metadata.promptTokensDetails, 'AUDIO'),
    audioOutputTokens: modalityOf(metadata.candidatesTokensDetails, 'AUDIO'),
    ...moreOf({
      audioCacheReadTokens: modalityOf(metadata.cacheTokensDetails, 'AUDIO'),
      imageInputTokens: modalityOf(metadata.promptTokensDetails, 'IMAGE'),
      imageOutputTokens: modalityOf(metadata.candidatesTokensDetails, 'IMAGE'),
      serviceTier: stringOf(metadata, 'serviceTier') ?? stringOf(metadata, 'trafficType'),
    }),
  }
}

function modalityOf(details: unknown, modality: 'AUDIO' | 'IMAGE'): number | undefined {
  if (!Array.isArray(details)) return undefined
  for (const entry of details)
    if (isRecord(entry) && entry.modality === modality) return countOf(entry, 'tokenCount')
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
    ...renderDetails('promptTokensDetails', {
      all: inputTokens,
      audio: usage.audioInputTokens,
      image: usage.imageInputTokens,
    }),
    ...renderDetails('candidatesTokensDetails', {
      all: visible,
      audio: usage.audioOutputTokens,
      image: usage.imageOutputTokens,
    }),
    ...renderDetails('cacheTokensDetails', {
      all: usage.cacheReadTokens,
      audio: usage.audioCacheReadTokens,
      image: undefined,
    }),
    ...(reasoningTokens !== undefined && { thoughtsTokenCount: reasoningTokens }),
    ...renderTier(usage.serviceTier),
  }
}

/** Google's own words go back where each of its hosts has them; other providers' mean nothing to its clients. */
function renderTier(tier: string | undefined): JsonObject {
  if (tier === undefined) return {}
  if (TRAFFIC_TYPE.test(tier)) return { trafficType: tier }
  return STUDIO_TIER.test(tier) ? { serviceTier: tier } : {}
}

const TRAFFIC_TYPE = /^(?:ON_DEMAND(?:_FLEX|_PRIORITY)?|PROVISIONED_THROUGHPUT)$/
const STUDIO_TIER = /^(?:standard|flex|priority)$/

type Modalities = {
  all: number | undefined
  audio: number | undefined
  image: number | undefined
}

function renderDetails(name: string, { all, audio, image }: Modalities): JsonObject {
  if (audio === undefined && image === undefined) return {}
  const details: JsonObject[] = []
  const text = (all ?? 0) - (audio ?? 0) - (image ?? 0)
  if (text > 0) details.push({ modality: 'TEXT', tokenCount: text })
  if (image !== undefined) details.push({ modality: 'IMAGE', tokenCount: image })
  if (audio !== undefined) details.push({ modality: 'AUDIO', tokenCount: audio })
  return { [name]: details }
}
