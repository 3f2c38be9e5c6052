import type { Format, Generation, Reasoning, Settings, ToolChoice } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { isGemini3 } from './contents-render'
import { ownObject } from './members'
import { isSchema } from './schema'
import { parseReasoning, parseToolChoice, SCHEMA_NAME } from './settings'

/** Google's limits: https://ai.google.dev/api/generate-content#generationconfig */
const MAX_STOP = 5
const MAX_CANDIDATES = 8
const MAX_LOGPROBS = 20
const MAX_TEMPERATURE = 2
const MAX_PENALTY = 1.99
const MAX_INT32 = 2_147_483_647

export type RenderedSettings = {
  /** Members of `generationConfig`. */
  config: JsonObject
  functionCallingConfig: JsonObject | undefined
  /** Members at the top. */
  top: JsonObject
}

/** The settings as members of a body; what is `undefined` stands nowhere, and what can't be said is reported. */
export function renderSettings(
  settings: Settings,
  tools: Generation['tools'],
  model: string,
  losses: Losses
): RenderedSettings {
  const { toolChoice, format, reasoning, modalities } = settings
  const limit = (field: string, value: number | undefined, min: number, max: number) => {
    if (value === undefined || (value >= min && value <= max)) return value
    losses.clamp(field)
    return Math.min(max, Math.max(min, value))
  }
  const config = defined({
    temperature: limit('temperature', settings.temperature, 0, MAX_TEMPERATURE),
    topP: settings.topP,
    topK: settings.topK,
    candidateCount: limit('n', settings.choices, 1, MAX_CANDIDATES),
    maxOutputTokens: settings.maxTokens,
    stopSequences: renderStop(settings.stop, losses),
    seed: limit('seed', settings.seed, -MAX_INT32 - 1, MAX_INT32),
    presencePenalty: limit('presence_penalty', settings.presencePenalty, -2, MAX_PENALTY),
    frequencyPenalty: limit('frequency_penalty', settings.frequencyPenalty, -2, MAX_PENALTY),
    responseLogprobs: settings.logprobs,
    logprobs: limit('top_logprobs', settings.topLogprobs, 0, MAX_LOGPROBS),
    ...(format && renderFormat(format, losses)),
    responseModalities: modalities?.map((modality) => modality.toUpperCase()),
    thinkingConfig: reasoning && renderReasoning(reasoning, model, losses),
  })
  reportUnsayable(settings, losses)
  return {
    config,
    functionCallingConfig: toolChoice && renderToolChoice(toolChoice, tools, losses),
    top: defined({
      serviceTier: renderServiceTier(settings.serviceTier, losses),
      store: settings.store,
    }),
  }
}

/** The members that are not `undefined`. */
function defined(members: JsonObject): JsonObject {
  for (const name in members) if (members[name] === undefined) delete members[name]
  return members
}

function reportUnsayable(settings: Settings, losses: Losses): void {
  if (settings.parallelToolCalls !== undefined) losses.drop('parallel_tool_calls')
  if (settings.audio) losses.drop('audio')
  if (settings.verbosity !== undefined) losses.drop('verbosity')
  if (settings.user !== undefined) losses.drop('user')
  if (settings.metadata) losses.drop('metadata')
  if (settings.promptCacheKey !== undefined) losses.drop('prompt_cache_key')
}

function renderStop(stop: string[] | undefined, losses: Losses): string[] | undefined {
  if (stop === undefined || stop.length <= MAX_STOP) return stop
  losses.clamp('stop')
  return stop.slice(0, MAX_STOP)
}

/** A schema's name stands as its title; all schemas are kept to, so there is no word for strictness. */
function renderFormat(format: Format, losses: Losses): JsonObject {
  if (format.type === 'text') return { responseMimeType: 'text/plain' }
  if (format.type === 'json') return { responseMimeType: 'application/json' }
  const { name, description, strict } = format
  let { schema } = format
  if (description !== undefined) losses.drop('response_format.description')
  if (strict === false) losses.rewrite('response_format.strict')
  const isTitled = typeof schema.title === 'string'
  if (name !== undefined && !isTitled && SCHEMA_NAME.test(name)) schema = { title: name, ...schema }
  // A title that would pass for a name is read as one.
  else if (name !== undefined || (isTitled && SCHEMA_NAME.test(String(schema.title))))
    losses.rewrite('response_format')
  return {
    responseMimeType: 'application/json',
    ...(isSchema(schema) ? { responseSchema: schema } : { responseJsonSchema: schema }),
  }
}

/** Efforts in tokens, for models that know budgets alone: https://ai.google.dev/gemini-api/docs/openai#thinking */
const BUDGETS: ReadonlyMap<string, number> = new Map([
  ['minimal', 1_024],
  ['low', 1_024],
  ['medium', 8_192],
  ['high', 24_576],
  ['xhigh', 24_576],
  ['max', 24_576],
])

const LEVELS: ReadonlyMap<string, string> = new Map([
  ['minimal', 'MINIMAL'],
  ['low', 'LOW'],
  ['medium', 'MEDIUM'],
  ['high', 'HIGH'],
  ['xhigh', 'HIGH'],
  ['max', 'HIGH'],
])

/**
 * `thinkingConfig`, which may hold a level or a budget. Levels are known from Gemini 3 on, which can't do without
 * any thought. Thoughts that were switched on are shown, as in Anthropic's format, unless it is said otherwise.
 */
function renderReasoning(
  reasoning: Reasoning,
  model: string,
  losses: Losses
): JsonObject | undefined {
  const { enabled, effort, budgetTokens, summary } = reasoning
  const config: JsonObject = {}
  const isOff =
    enabled === false || effort === 'none' || (effort === undefined && budgetTokens === 0)
  if (isOff && isGemini3(model)) config.thinkingLevel = 'MINIMAL'
  else if (isOff) config.thinkingBudget = 0
  else if (effort !== undefined && /gemini-2/.test(model))
    config.thinkingBudget = BUDGETS.get(effort) ?? -1
  else if (effort !== undefined && LEVELS.has(effort)) config.thinkingLevel = LEVELS.get(effort)
  else if (budgetTokens !== undefined) config.thinkingBudget = budgetTokens
  else if (enabled === true) config.thinkingBudget = -1
  if (summary !== undefined) config.includeThoughts = summary !== 'none'
  else if (enabled === true) config.includeThoughts = true
  if (!isSameReasoning(reasoning, parseReasoning(config))) losses.rewrite('reasoning')
  return Object.keys(config).length > 0 ? config : undefined
}

function isSameReasoning(asked: Reasoning, read: Reasoning | undefined): boolean {
  return (
    asked.enabled === read?.enabled &&
    asked.effort === read?.effort &&
    asked.budgetTokens === read?.budgetTokens &&
    asked.summary === read?.summary
  )
}

/**
 * `functionCallingConfig`. A choice that names a function which is not told, or stands without any, would be refused:
 * it is dropped and reported.
 */
function renderToolChoice(
  choice: ToolChoice,
  tools: Generation['tools'],
  losses: Losses
): JsonObject | undefined {
  const told = tools.filter((tool) => tool.type === 'function')
  const isOwnToolsOnly = tools.some((tool) => tool.type === 'server' && ownObject(tool.source))
  if (told.length === 0 && !isOwnToolsOnly) {
    losses.drop('tool_choice')
    return undefined
  }
  const config = toCallingConfig(choice, (name) => told.some((tool) => tool.name === name))
  if (config === undefined) losses.drop('tool_choice')
  else if (JSON.stringify(parseToolChoice(config)) !== JSON.stringify(choice))
    losses.rewrite('tool_choice')
  return config
}

const MODES = { auto: 'AUTO', none: 'NONE', required: 'ANY' } as const

function toCallingConfig(
  choice: ToolChoice,
  isTold: (name: string) => boolean
): JsonObject | undefined {
  if (choice.type === 'tool')
    return isTold(choice.name) ? { mode: 'ANY', allowedFunctionNames: [choice.name] } : undefined
  if (choice.type === 'allowed') {
    const allowedFunctionNames = choice.names.filter(isTold)
    if (allowedFunctionNames.length === 0) return undefined
    return { mode: choice.mode === 'auto' ? 'VALIDATED' : 'ANY', allowedFunctionNames }
  }
  return { mode: MODES[choice.type] }
}

const SERVICE_TIERS: ReadonlySet<string> = new Set(['standard', 'flex', 'priority'])

/** OpenAI's word for the standard tier is another; a tier that Google hasn't would be refused. */
function renderServiceTier(tier: string | undefined, losses: Losses): string | undefined {
  if (tier === undefined || SERVICE_TIERS.has(tier)) return tier
  if (tier === 'default' || tier === 'standard_only') {
    losses.rewrite('service_tier')
    return 'standard'
  }
  losses.drop('service_tier')
  return undefined
}
