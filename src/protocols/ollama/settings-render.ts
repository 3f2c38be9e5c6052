import type { Generation, Reasoning } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'

/** Settings that the format has no word for, by the names that clients know. */
const UNSAYABLE = {
  audio: 'audio',
  verbosity: 'verbosity',
  user: 'user',
  metadata: 'metadata',
  service_tier: 'serviceTier',
  prompt_cache_key: 'promptCacheKey',
} as const satisfies Record<string, keyof Generation>

/** Writes how the answer shall be made; reports what can't be said. */
export function renderSettings(generation: Generation, losses: Losses): JsonObject {
  if (generation.store === true) losses.drop('store')
  // Several at a time are the models' own way.
  if (generation.parallelToolCalls === false) losses.drop('parallel_tool_calls')
  for (const [name, member] of Object.entries(UNSAYABLE))
    if (generation[member] !== undefined) losses.drop(name)
  for (const name of Object.keys(generation.extras)) losses.drop(name)
  if ((generation.choices ?? 1) > 1) losses.drop('n')
  if (generation.modalities?.some((kind) => kind !== 'text')) losses.drop('modalities')
  const options = renderOptions(generation)
  const think = renderThink(generation.reasoning, losses)
  const format = renderFormat(generation, losses)
  return {
    ...(think !== undefined && { think }),
    ...(format !== undefined && { format }),
    ...(generation.logprobs !== undefined && { logprobs: generation.logprobs }),
    ...(generation.topLogprobs !== undefined && { top_logprobs: generation.topLogprobs }),
    ...(Object.keys(options).length > 0 && { options }),
  }
}

/** https://docs.ollama.com/modelfile#valid-parameters-and-values */
function renderOptions(generation: Generation): JsonObject {
  const { temperature, topP, topK, seed, maxTokens, stop } = generation
  const { frequencyPenalty, presencePenalty } = generation
  return {
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { top_p: topP }),
    ...(topK !== undefined && { top_k: topK }),
    ...(seed !== undefined && { seed }),
    ...(maxTokens !== undefined && { num_predict: maxTokens }),
    ...(stop && stop.length > 0 && { stop }),
    ...(frequencyPenalty !== undefined && { frequency_penalty: frequencyPenalty }),
    ...(presencePenalty !== undefined && { presence_penalty: presencePenalty }),
  }
}

/** A schema is kept to the letter; its name is a label. https://docs.ollama.com/capabilities/structured-outputs */
function renderFormat({ format }: Generation, losses: Losses): JsonValue | undefined {
  if (format?.type === 'json') return 'json'
  if (format?.type !== 'schema') return undefined
  if (format.description !== undefined) losses.drop('response_format.description')
  if (format.strict === false) losses.rewrite('response_format.strict')
  return format.schema
}

const EFFORTS: ReadonlySet<string> = new Set(['low', 'medium', 'high', 'max'])
/** As Ollama's own OpenAI-like API has them: https://github.com/ollama/ollama/blob/main/openai/openai.go */
const NEAREST: Readonly<Record<string, string>> = { minimal: 'low', xhigh: 'max', ultra: 'max' }

/** Four efforts, on or off: https://docs.ollama.com/capabilities/thinking */
function renderThink(reasoning: Reasoning | undefined, losses: Losses): JsonValue | undefined {
  if (reasoning === undefined) return undefined
  const { enabled, effort, budgetTokens, summary } = reasoning
  if (summary !== undefined) losses.drop('reasoning.summary')
  if (budgetTokens !== undefined) losses.drop('reasoning.budget_tokens')
  if (enabled === false || effort === 'none') return false
  if (effort !== undefined && EFFORTS.has(effort)) return effort
  const nearest = effort === undefined ? undefined : NEAREST[effort]
  if (nearest !== undefined) losses.clamp('reasoning.effort')
  else if (effort !== undefined) losses.drop('reasoning.effort')
  return nearest ?? (enabled === true || budgetTokens !== undefined ? true : undefined)
}
