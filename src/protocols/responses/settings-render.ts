import type { Format, Reasoning, Settings, Source, Tool } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { withoutUndefined } from './responses-json'
import { ENCRYPTED_REASONING, LOGPROBS, NAMELESS_SCHEMA } from './settings'
import { renderToolChoice } from './tools'

/** OpenAI's limits: https://platform.openai.com/docs/api-reference/responses/create */
const MIN_OUTPUT_TOKENS = 16
const MAX_TOP_LOGPROBS = 20
const MAX_TEMPERATURE = 2

/** What the settings mean where they come from. */
export type SettingsOrigin = { tools: readonly Tool[]; from: Source['protocol'] }

/**
 * The settings as members of a body; what is `undefined` stands nowhere, and what can't be said is reported.
 */
export function renderSettings(
  settings: Settings,
  { tools, from }: SettingsOrigin,
  losses: Losses
): JsonObject {
  const { toolChoice, metadata, temperature, topLogprobs, maxTokens } = settings
  dropUnknown(settings, losses)
  return withoutUndefined({
    max_output_tokens: clamp(maxTokens, MIN_OUTPUT_TOKENS, Infinity, 'max_tokens', losses),
    temperature: clamp(temperature, 0, MAX_TEMPERATURE, 'temperature', losses),
    top_p: settings.topP,
    top_logprobs: clamp(topLogprobs, 0, MAX_TOP_LOGPROBS, 'top_logprobs', losses),
    tool_choice: toolChoice && renderToolChoice(toolChoice, tools, losses),
    parallel_tool_calls: settings.parallelToolCalls,
    text: renderText(settings),
    reasoning: settings.reasoning && renderReasoning(settings.reasoning, losses),
    include: renderInclude(settings),
    prompt_cache_key: settings.promptCacheKey,
    service_tier: renderServiceTier(settings.serviceTier, losses),
    store: settings.store,
    metadata: metadata && { ...metadata },
    user: settings.user,
    ...renderExtras(settings.extras, from, losses),
  })
}

/** The names that clients of other formats know these by. */
function dropUnknown(settings: Settings, losses: Losses): void {
  if (settings.topK !== undefined) losses.drop('top_k')
  if (settings.frequencyPenalty !== undefined) losses.drop('frequency_penalty')
  if (settings.presencePenalty !== undefined) losses.drop('presence_penalty')
  if (settings.seed !== undefined) losses.drop('seed')
  if (settings.stop !== undefined) losses.drop('stop')
  if (settings.choices !== undefined && settings.choices !== 1) losses.drop('n')
  if (settings.audio !== undefined) losses.drop('audio')
  if (settings.modalities?.some((kind) => kind !== 'text')) losses.drop('modalities')
}

function clamp(
  value: number | undefined,
  least: number,
  most: number,
  field: string,
  losses: Losses
): number | undefined {
  if (value === undefined || (value >= least && value <= most)) return value
  losses.clamp(field)
  return Math.min(Math.max(value, least), most)
}

function renderText({ format, verbosity }: Settings): JsonObject | undefined {
  if (format === undefined && verbosity === undefined) return undefined
  return withoutUndefined({ format: format && renderFormat(format), verbosity })
}

function renderFormat(format: Format): JsonObject {
  if (format.type === 'text') return { type: 'text' }
  if (format.type === 'json') return { type: 'json_object' }
  const { name = NAMELESS_SCHEMA, description, schema, strict } = format
  return withoutUndefined({ type: 'json_schema', name, description, schema, strict })
}

/**
 * The format knows an effort alone. A budget becomes one by its size: none for 0, low under 4,096 tokens,
 * medium under 16,384, else high. Reasoning that is only switched on is the model's own measure, which the
 * format says by silence.
 */
function renderReasoning(reasoning: Reasoning, losses: Losses): JsonObject | undefined {
  const { enabled, effort, budgetTokens, summary } = reasoning
  if (enabled !== undefined || budgetTokens !== undefined || summary === 'none')
    losses.rewrite('reasoning')
  const rendered = withoutUndefined({
    effort: enabled === false ? 'none' : (effort ?? effortOf(budgetTokens)),
    summary: summary === 'none' ? undefined : summary,
  })
  return Object.keys(rendered).length === 0 ? undefined : rendered
}

function effortOf(budgetTokens: number | undefined): string | undefined {
  if (budgetTokens === undefined) return undefined
  if (budgetTokens === 0) return 'none'
  if (budgetTokens < 4_096) return 'low'
  return budgetTokens < 16_384 ? 'medium' : 'high'
}

/**
 * As nothing is kept at the provider, its thoughts must come along to be sent back. Only where reasoning is
 * asked for: a model without it refuses to be asked for them.
 */
function renderInclude({ reasoning, logprobs }: Settings): string[] | undefined {
  const isOff = reasoning?.enabled === false || reasoning?.effort === 'none'
  const include: string[] = []
  if (reasoning && !isOff && reasoning.budgetTokens !== 0) include.push(ENCRYPTED_REASONING)
  if (logprobs) include.push(LOGPROBS)
  return include.length === 0 ? undefined : include
}

const SERVICE_TIERS: ReadonlySet<string> = new Set([
  'auto',
  'default',
  'flex',
  'scale',
  'priority',
  'fast',
  'ultrafast',
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

/** Members that chat and Responses have by the same name and meaning. */
const SHARED_WITH_CHAT: ReadonlySet<string> = new Set([
  'safety_identifier',
  'prompt_cache_retention',
  'prompt_cache_options',
])

function renderExtras(extras: JsonObject, from: Source['protocol'], losses: Losses): JsonObject {
  const kept: JsonObject = {}
  for (const name in extras) {
    if (from === 'openai-chat' && SHARED_WITH_CHAT.has(name)) kept[name] = extras[name]
    else if (from !== 'openai-responses') losses.drop(name)
  }
  return kept
}
