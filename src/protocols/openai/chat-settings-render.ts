import type { Format, Generation, Reasoning, Settings, Source } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { NAMELESS_SCHEMA } from './chat-settings'
import { renderToolChoice } from './chat-tools'

/** OpenAI's limits: https://platform.openai.com/docs/api-reference/chat/create */
const MAX_STOP = 4
const MAX_TOP_LOGPROBS = 20

/**
 * The settings as members of a body; what is `undefined` stands nowhere, and what can't be said is reported.
 * `from` is the format of the request, whose extras are OpenAI's own in one case.
 */
export function renderSettings(
  settings: Settings,
  tools: Generation['tools'],
  from: Source['protocol'],
  losses: Losses
): JsonObject {
  const { toolChoice, format, reasoning, audio, metadata } = settings
  // The limit holds reasoning too, as the neutral one does. OpenAI's reasoning models refuse `max_tokens`, and
  // most hosts have followed it (vLLM, Groq, Together, Fireworks, xAI, OpenRouter, Azure).
  const body: JsonObject = {
    max_completion_tokens: settings.maxTokens,
    temperature: settings.temperature,
    top_p: settings.topP,
    frequency_penalty: settings.frequencyPenalty,
    presence_penalty: settings.presencePenalty,
    seed: settings.seed,
    stop: renderStop(settings.stop, losses),
    n: settings.choices,
    logprobs: settings.logprobs,
    top_logprobs: renderTopLogprobs(settings.topLogprobs, losses),
    tool_choice: toolChoice && renderToolChoice(toolChoice, tools, losses),
    parallel_tool_calls: renderParallel(settings.parallelToolCalls, tools, losses),
    response_format: format && renderFormat(format),
    reasoning_effort: reasoning && renderEffort(reasoning, losses),
    modalities: settings.modalities,
    audio: audio && { voice: audio.voice, format: audio.format },
    verbosity: settings.verbosity,
    prompt_cache_key: settings.promptCacheKey,
    service_tier: renderServiceTier(settings.serviceTier, losses),
    store: settings.store,
    metadata: metadata && { ...metadata },
    user: settings.user,
  }
  if (settings.topK !== undefined) losses.drop('top_k')
  const told: JsonObject = {}
  for (const name in body) if (body[name] !== undefined) told[name] = body[name]
  return Object.assign(told, renderExtras(settings.extras, from, losses))
}

/** Members that chat and Responses have by the same name and meaning. */
const SHARED_WITH_RESPONSES: ReadonlySet<string> = new Set([
  'safety_identifier',
  'prompt_cache_retention',
  'prompt_cache_options',
])

function renderExtras(extras: JsonObject, from: Source['protocol'], losses: Losses): JsonObject {
  const kept: JsonObject = {}
  for (const name in extras) {
    const isKnown =
      from === 'openai-chat' || (from === 'openai-responses' && SHARED_WITH_RESPONSES.has(name))
    if (isKnown) kept[name] = extras[name]
    else losses.drop(name)
  }
  return kept
}

function renderStop(stop: string[] | undefined, losses: Losses): string[] | undefined {
  if (stop === undefined || stop.length <= MAX_STOP) return stop
  losses.clamp('stop')
  return stop.slice(0, MAX_STOP)
}

function renderTopLogprobs(count: number | undefined, losses: Losses): number | undefined {
  if (count === undefined || count <= MAX_TOP_LOGPROBS) return count
  losses.clamp('top_logprobs')
  return MAX_TOP_LOGPROBS
}

/** Refused where there are no tools. */
function renderParallel(
  isParallel: boolean | undefined,
  tools: Generation['tools'],
  losses: Losses
): boolean | undefined {
  if (isParallel === undefined || tools.length > 0) return isParallel
  losses.drop('parallel_tool_calls')
  return undefined
}

function renderFormat(format: Format): JsonObject {
  if (format.type === 'text') return { type: 'text' }
  if (format.type === 'json') return { type: 'json_object' }
  const { name = NAMELESS_SCHEMA, description, schema, strict } = format
  return {
    type: 'json_schema',
    json_schema: {
      name,
      ...(description !== undefined && { description }),
      schema,
      ...(strict !== undefined && { strict }),
    },
  }
}

/**
 * The format knows an effort alone. A budget becomes one by its size: none for 0, low under 4,096 tokens,
 * medium under 16,384, else high. Reasoning that is only switched on is the model's own measure, which the
 * format says by silence.
 */
function renderEffort(reasoning: Reasoning, losses: Losses): JsonValue | undefined {
  const { enabled, effort, budgetTokens, summary } = reasoning
  if (enabled !== undefined || summary !== undefined || budgetTokens !== undefined)
    losses.rewrite('reasoning')
  if (enabled === false) return 'none'
  if (effort !== undefined || budgetTokens === undefined) return effort
  if (budgetTokens === 0) return 'none'
  if (budgetTokens < 4_096) return 'low'
  return budgetTokens < 16_384 ? 'medium' : 'high'
}

const SERVICE_TIERS: ReadonlySet<string> = new Set([
  'auto',
  'default',
  'flex',
  'scale',
  'priority',
  'fast',
])

/** Anthropic's and Google's word for the default one is another; a tier that OpenAI hasn't would be refused. */
function renderServiceTier(tier: string | undefined, losses: Losses): string | undefined {
  if (tier === undefined || SERVICE_TIERS.has(tier)) return tier
  if (tier === 'standard_only' || tier === 'standard') {
    losses.rewrite('service_tier')
    return 'default'
  }
  losses.drop('service_tier')
  return undefined
}
