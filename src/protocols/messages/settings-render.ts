import { thinksAdaptivelyOnly, thinksByBudgetOnly } from '../claude-models'
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
export function renderSettings(generation: Generation, model: string, losses: Losses): JsonObject {
  // Nothing is kept at this provider anyway.
  if (generation.store === true) losses.drop('store')
  for (const [name, member] of Object.entries(UNSAYABLE))
    if (generation[member] !== undefined) losses.drop(name)
  for (const name of Object.keys(generation.extras)) losses.drop(name)
  if ((generation.choices ?? 1) > 1) losses.drop('n')
  if (generation.modalities?.some((kind) => kind !== 'text')) losses.drop('modalities')
  const { stop, topP, user } = generation
  const thinking = renderThinking(generation, model, losses)
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
    ...renderOutput(generation, thinking.effort, losses),
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
  effort?: string
  /** The limit of the answer that leaves room behind the budget. */
  maxTokens?: number
}

/** https://platform.claude.com/docs/en/build-with-claude/effort */
const EFFORTS: ReadonlySet<string> = new Set(['low', 'medium', 'high', 'xhigh', 'max'])

/**
 * Older models are told a budget, newer ones think as long as they like and may be told an effort.
 * https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
 */
function renderThinking(generation: Generation, model: string, losses: Losses): Thinking {
  const { reasoning } = generation
  if (reasoning === undefined) return {}
  const { enabled, effort, budgetTokens, summary } = reasoning
  if (summary !== undefined) losses.drop('reasoning.summary')
  const isAdaptive = thinksAdaptivelyOnly(model)
  if (enabled === false || effort === 'none') {
    if (!isAdaptive) return { thinking: { type: 'disabled' } }
    losses.drop('reasoning')
    return {}
  }
  if (thinksByBudgetOnly(model) || (budgetTokens !== undefined && !isAdaptive))
    return renderBudget(generation, losses)
  if (effort === undefined && budgetTokens === undefined)
    return enabled ? { thinking: { type: 'adaptive' } } : {}
  const told = effort === undefined ? effortOf(budgetTokens ?? 0) : toEffort(effort)
  if (told !== effort) losses.rewrite('reasoning_effort')
  return { thinking: { type: 'adaptive' }, effort: told }
}

function toEffort(effort: string): string {
  if (EFFORTS.has(effort)) return effort
  return effort === 'minimal' ? 'low' : 'high'
}

/** What a budget comes to. */
function effortOf(budgetTokens: number): string {
  if (budgetTokens < 4_096) return 'low'
  return budgetTokens < 16_384 ? 'medium' : 'high'
}

/** https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
function renderBudget({ reasoning, maxTokens }: Generation, losses: Losses): Thinking {
  const { enabled, effort, budgetTokens } = reasoning ?? {}
  if (effort !== undefined) losses.rewrite('reasoning_effort')
  const wanted = budgetTokens ?? BUDGETS[effort ?? (enabled ? 'medium' : '')]
  if (wanted === undefined) return {}
  const least = Math.max(wanted, MIN_BUDGET_TOKENS)
  if (least !== budgetTokens && effort === undefined) losses.rewrite('reasoning')
  if (maxTokens === undefined)
    return {
      thinking: { type: 'enabled', budget_tokens: least },
      maxTokens: least + DEFAULT_MAX_TOKENS,
    }
  const budget = Math.min(least, maxTokens - 1)
  if (budget < MIN_BUDGET_TOKENS) {
    losses.drop('reasoning')
    return {}
  }
  if (budget !== least) losses.clamp('reasoning')
  return { thinking: { type: 'enabled', budget_tokens: budget } }
}

function renderOutput(
  { format }: Generation,
  effort: string | undefined,
  losses: Losses
): JsonObject {
  if (format?.type === 'json') losses.drop('response_format')
  const said = effort === undefined ? {} : { effort }
  if (format?.type !== 'schema') return effort === undefined ? {} : { output_config: said }
  // Its name and description are labels, its strictness is what this format always has.
  if (format.strict === false) losses.rewrite('response_format.strict')
  if (format.description !== undefined) losses.drop('response_format.description')
  return { output_config: { ...said, format: { type: 'json_schema', schema: format.schema } } }
}
