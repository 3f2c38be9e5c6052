import type { Reasoning, Settings } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'

/** Settings that the format has no word for, by the names that clients know. */
const UNSAYABLE = {
  audio: 'audio',
  verbosity: 'verbosity',
  metadata: 'metadata',
  prompt_cache_key: 'promptCacheKey',
  user: 'user',
} as const satisfies Record<string, keyof Settings>

/** What an effort is worth in tokens of thought. */
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 24_576,
  max: 32_768,
}

/** https://docs.cohere.com/v2/reference/chat */
const MAX_STOPS = 5

/**
 * Writes how the answer shall be made; reports what can't be said, clamps what is out of the documented bounds.
 * `tool_choice` is the tools' affair. https://docs.cohere.com/v2/reference/chat
 */
export function renderSettings(settings: Settings, hasTools: boolean, losses: Losses): JsonObject {
  reportUnsayable(settings, losses)
  const { maxTokens, temperature, logprobs, reasoning } = settings
  const within = bounded(losses)
  const body: JsonObject = {
    max_tokens: maxTokens,
    temperature,
    p: within('top_p', settings.topP, 0.01, 0.99),
    k: within('top_k', settings.topK, 0, 500),
    seed: within('seed', settings.seed, 0, Number.MAX_VALUE),
    frequency_penalty: within('frequency_penalty', settings.frequencyPenalty, 0, 1),
    presence_penalty: within('presence_penalty', settings.presencePenalty, 0, 1),
    stop_sequences: renderStop(settings.stop, losses),
    logprobs,
    response_format: renderFormat(settings, hasTools, losses),
    thinking: reasoning && renderThinking(reasoning, losses),
  }
  const told: JsonObject = {}
  for (const name in body) if (body[name] !== undefined) told[name] = body[name]
  return told
}

function reportUnsayable(settings: Settings, losses: Losses): void {
  // Nothing is kept at this provider anyway.
  if (settings.store === true) losses.drop('store')
  for (const [name, member] of Object.entries(UNSAYABLE))
    if (settings[member] !== undefined) losses.drop(name)
  for (const name of Object.keys(settings.extras)) losses.drop(name)
  if ((settings.choices ?? 1) > 1) losses.drop('n')
  if (settings.topLogprobs !== undefined) losses.drop('top_logprobs')
  if (settings.modalities?.some((kind) => kind !== 'text')) losses.drop('modalities')
  if (settings.parallelToolCalls === false) losses.drop('parallel_tool_calls')
  if (settings.serviceTier !== undefined) losses.drop('service_tier')
}

/** Brings a number within bounds, and reports that. */
function bounded(losses: Losses) {
  return (name: string, value: number | undefined, least: number, most: number) => {
    if (value === undefined || (value >= least && value <= most)) return value
    losses.clamp(name)
    return Math.min(Math.max(value, least), most)
  }
}

function renderStop(stop: string[] | undefined, losses: Losses): string[] | undefined {
  if (stop === undefined || stop.length === 0) return undefined
  if (stop.length > MAX_STOPS) losses.clamp('stop')
  return stop.slice(0, MAX_STOPS)
}

/** Refused beside tools. https://docs.cohere.com/v2/docs/structured-outputs */
function renderFormat(
  { format }: Settings,
  hasTools: boolean,
  losses: Losses
): JsonObject | undefined {
  if (format === undefined || format.type === 'text') return undefined
  if (hasTools) {
    losses.drop('response_format')
    return undefined
  }
  if (format.type === 'json') return { type: 'json_object' }
  // Its name is a label; its strictness is what this format always has.
  if (format.description !== undefined) losses.drop('response_format.description')
  if (format.strict === false) losses.rewrite('response_format.strict')
  return { type: 'json_object', json_schema: format.schema }
}

/** The format knows a budget alone. https://docs.cohere.com/docs/reasoning */
function renderThinking(reasoning: Reasoning, losses: Losses): JsonObject | undefined {
  const { enabled, effort, budgetTokens, summary } = reasoning
  if (summary !== undefined) losses.drop('reasoning.summary')
  if (enabled === false || effort === 'none' || budgetTokens === 0) {
    if (enabled !== false && effort !== 'none') losses.rewrite('reasoning')
    return { type: 'disabled' }
  }
  if (effort !== undefined) losses.rewrite('reasoning_effort')
  const budget = budgetTokens ?? BUDGETS[effort ?? '']
  if (budget !== undefined) return { type: 'enabled', token_budget: budget }
  return enabled || effort !== undefined ? { type: 'enabled' } : undefined
}
