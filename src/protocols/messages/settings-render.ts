import type { Generation } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { toLegalName } from './blocks-render'

/** The API wants a limit; this is one that every model takes. */
const DEFAULT_MAX_TOKENS = 4_096
const MIN_BUDGET_TOKENS = 1_024

/** What an effort is worth in tokens of thought, for models that are told a budget. */
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 24_576,
  max: 32_768,
}

/** Settings that the format has no word for, by the names that clients know. */
const UNSAYABLE = {
  frequency_penalty: 'frequencyPenalty',
  presence_penalty: 'presencePenalty',
  seed: 'seed',
  logprobs: 'logprobs',
  top_logprobs: 'topLogprobs',
  audio: 'audio',
  verbosity: 'verbosity',
  metadata: 'metadata',
  prompt_cache_key: 'promptCacheKey',
} as const satisfies Record<string, keyof Generation>

/** Writes how the answer shall be made; reports what can't be said, clamps what is out of bounds. */
export function renderSettings(generation: Generation, losses: Losses): JsonObject {
  // Nothing is kept at this provider anyway.
  if (generation.store === true) losses.drop('store')
  for (const [name, member] of Object.entries(UNSAYABLE))
    if (generation[member] !== undefined) losses.drop(name)
  for (const name of Object.keys(generation.extras)) losses.drop(name)
  if ((generation.choices ?? 1) > 1) losses.drop('n')
  if (generation.modalities?.some((kind) => kind !== 'text')) losses.drop('modalities')
  const { stop, topP, user } = generation
  const thinking = renderThinking(generation, losses)
  const isThinking = thinking.thinking?.type === 'enabled' || thinking.thinking?.type === 'adaptive'
  return {
    ...renderToolChoice(generation, isThinking, losses),
    max_tokens: generation.maxTokens ?? thinking.maxTokens ?? DEFAULT_MAX_TOKENS,
    ...renderSampling(generation, isThinking, losses),
    ...(topP !== undefined && { top_p: topP }),
    ...(stop && stop.length > 0 && { stop_sequences: stop }),
    ...(user !== undefined && { metadata: { user_id: user } }),
    ...renderTier(generation, losses),
    ...(thinking.thinking && { thinking: thinking.thinking }),
    ...renderFormat(generation, losses),
  }
}

function renderSampling(
  { temperature, topK }: Generation,
  isThinking: boolean,
  losses: Losses
): JsonObject {
  const sampling: JsonObject = {}
  // With extended thinking neither may be changed.
  if (isThinking && temperature !== undefined && temperature !== 1) losses.drop('temperature')
  else if (temperature !== undefined) {
    if (temperature > 1) losses.clamp('temperature')
    sampling.temperature = Math.min(temperature, 1)
  }
  if (topK !== undefined && isThinking) losses.drop('top_k')
  else if (topK !== undefined) sampling.top_k = topK
  return sampling
}

function renderTier({ serviceTier }: Generation, losses: Losses): JsonObject {
  if (serviceTier === undefined) return {}
  if (serviceTier === 'auto' || serviceTier === 'standard_only')
    return { service_tier: serviceTier }
  losses.drop('service_tier')
  return {}
}

function renderToolChoice(generation: Generation, isThinking: boolean, losses: Losses): JsonObject {
  const { toolChoice, parallelToolCalls, tools } = generation
  if (tools.length === 0) {
    if (toolChoice !== undefined && toolChoice.type !== 'none') losses.drop('tool_choice')
    if (parallelToolCalls !== undefined) losses.drop('parallel_tool_calls')
    return {}
  }
  const flag =
    parallelToolCalls === undefined ? {} : { disable_parallel_tool_use: !parallelToolCalls }
  if (toolChoice === undefined)
    return parallelToolCalls === undefined ? {} : { tool_choice: { type: 'auto', ...flag } }
  if (toolChoice.type === 'none') {
    if (parallelToolCalls !== undefined) losses.drop('parallel_tool_calls')
    return { tool_choice: { type: 'none' } }
  }
  const isForced = toolChoice.type === 'required' || toolChoice.type === 'tool'
  if (toolChoice.type === 'allowed' || (isForced && isThinking)) {
    // Thinking models choose by themselves, and a list of allowed tools has no word here.
    losses.rewrite('tool_choice')
    const isAny = toolChoice.type === 'allowed' && toolChoice.mode === 'required' && !isThinking
    return { tool_choice: { type: isAny ? 'any' : 'auto', ...flag } }
  }
  if (toolChoice.type === 'tool')
    return { tool_choice: { type: 'tool', name: toLegalName(toolChoice.name), ...flag } }
  return { tool_choice: { type: toolChoice.type === 'required' ? 'any' : 'auto', ...flag } }
}

type Thinking = {
  thinking?: { type: string; budget_tokens?: number }
  /** The limit of the answer that leaves room behind the budget. */
  maxTokens?: number
}

/** https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
function renderThinking({ reasoning, maxTokens }: Generation, losses: Losses): Thinking {
  if (reasoning === undefined) return {}
  const { enabled, effort, budgetTokens, summary } = reasoning
  if (summary !== undefined) losses.drop('reasoning.summary')
  if (enabled === false || effort === 'none') return { thinking: { type: 'disabled' } }
  if (effort !== undefined) losses.rewrite('reasoning_effort')
  const wanted = budgetTokens ?? (effort === undefined ? undefined : BUDGETS[effort])
  if (wanted === undefined) return enabled ? { thinking: { type: 'adaptive' } } : {}
  if (maxTokens === undefined)
    return {
      thinking: { type: 'enabled', budget_tokens: Math.max(wanted, MIN_BUDGET_TOKENS) },
      maxTokens: Math.max(wanted, MIN_BUDGET_TOKENS) + DEFAULT_MAX_TOKENS,
    }
  const budget = Math.max(MIN_BUDGET_TOKENS, Math.min(wanted, maxTokens - 1))
  if (budget >= maxTokens) {
    losses.drop('reasoning')
    return {}
  }
  if (budgetTokens !== undefined && budget !== budgetTokens) losses.clamp('reasoning')
  return { thinking: { type: 'enabled', budget_tokens: budget } }
}

function renderFormat({ format }: Generation, losses: Losses): JsonObject {
  if (format === undefined || format.type === 'text') return {}
  if (format.type === 'json') {
    losses.drop('response_format')
    return {}
  }
  // Its name and description are labels, its strictness is what this format always has.
  if (format.strict === false) losses.rewrite('response_format.strict')
  if (format.description !== undefined) losses.drop('response_format.description')
  return { output_config: { format: { type: 'json_schema', schema: format.schema } } }
}
