import type { Format, Generation } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { asObject, defined, definedOrNothing } from './converse-json'
import { isAnthropicModel, isNovaModel, isOpenAiModel } from './models'
import { renderReasoning } from './render-reasoning'
import { renderTools } from './tools'

/**
 * The settings and tools as members of a body for the model of this id; what it can't be told is reported.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
export function renderSettings(generation: Generation, model: string, losses: Losses): JsonObject {
  const reasoning = renderReasoning(generation, model, losses)
  const { tools, toolChoice } = renderTools(generation, losses)
  const choice = forThinking(toolChoice, reasoning.isThinking, losses)
  const oneByOne = renderOneByOne(generation, model, choice, tools.length, losses)
  const { fields: ownFields, config } = extraMembers(generation, losses)
  const sampling = renderSampling(generation, model, reasoning.isThinking, losses)
  const isUnlimited = reasoning.isUnlimited && dropLimits(generation, losses)
  const inferenceConfig = isUnlimited
    ? definedOrNothing({ stopSequences: sampling.stopSequences })
    : definedOrNothing({ maxTokens: generation.maxTokens, ...sampling })
  reportUnsayable(generation, losses)
  return defined({
    inferenceConfig: merge(inferenceConfig, config.inferenceConfig),
    toolConfig: merge(
      definedOrNothing({
        tools: tools.length > 0 ? tools : undefined,
        toolChoice: oneByOne ? undefined : choice,
      }),
      config.toolConfig
    ),
    outputConfig: merge(renderOutput(generation.format, losses), config.outputConfig),
    additionalModelRequestFields: merge(
      definedOrNothing({
        ...reasoning.fields,
        ...renderTopK(generation, model, reasoning.isThinking, losses),
        tool_choice: oneByOne,
      }),
      config.additionalModelRequestFields
    ),
    requestMetadata: renderMetadata(generation.metadata, losses),
    serviceTier: renderServiceTier(generation.serviceTier, losses),
    ...ownFields,
  })
}

function merge(
  rendered: JsonObject | undefined,
  own: JsonValue | undefined
): JsonObject | undefined {
  const more = asObject(own)
  return more ? { ...rendered, ...more } : rendered
}

const MERGED = ['inferenceConfig', 'toolConfig', 'outputConfig', 'additionalModelRequestFields']

/** Extras of this format: what belongs into an object that is rendered, and what stands by itself. */
function extraMembers(
  { extras, source }: Generation,
  losses: Losses
): { fields: JsonObject; config: JsonObject } {
  const fields: JsonObject = {}
  const config: JsonObject = {}
  for (const name in extras)
    if (source.protocol !== 'bedrock-converse') losses.drop(name)
    else if (MERGED.includes(name)) config[name] = extras[name]
    else fields[name] = extras[name]
  return { fields, config }
}

/** A model that thinks can't be made to call a tool. */
function forThinking(
  choice: JsonObject | undefined,
  isThinking: boolean,
  losses: Losses
): JsonObject | undefined {
  if (!isThinking || choice === undefined || choice.auto !== undefined) return choice
  losses.rewrite('tool_choice')
  return { auto: {} }
}

/** Anthropic's own `tool_choice`, which stands in the place of Bedrock's: it alone can forbid parallel calls. */
function renderOneByOne(
  { parallelToolCalls }: Generation,
  model: string,
  choice: JsonObject | undefined,
  toolCount: number,
  losses: Losses
): JsonObject | undefined {
  if (parallelToolCalls === undefined) return undefined
  // They are parallel unless said.
  if (parallelToolCalls && toolCount > 0) return undefined
  if (parallelToolCalls || toolCount === 0 || !isAnthropicModel(model)) {
    losses.drop('parallel_tool_calls')
    return undefined
  }
  // Read back, a choice is there.
  if (choice === undefined) losses.rewrite('tool_choice')
  const name = asObject(choice?.tool)?.name
  const type = name === undefined ? (choice?.any === undefined ? 'auto' : 'any') : 'tool'
  return defined({ type, name, disable_parallel_tool_use: true })
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html has the limits. */
function renderSampling(
  { temperature, topP, stop }: Generation,
  model: string,
  isThinking: boolean,
  losses: Losses
): JsonObject {
  const isFixed = isThinking && temperature !== undefined && temperature !== 1
  if (isFixed) losses.drop('temperature')
  const isNarrow = isThinking && topP !== undefined && topP < 0.95
  if (isNarrow) losses.drop('top_p')
  return {
    temperature: isFixed ? undefined : clampToOne(temperature, 'temperature', losses),
    topP: isNarrow ? undefined : clampToOne(topP, 'top_p', losses),
    stopSequences: renderStop(stop, model, losses),
  }
}

function clampToOne(value: number | undefined, name: string, losses: Losses): number | undefined {
  if (value === undefined || (value >= 0 && value <= 1)) return value
  losses.clamp(name)
  return value < 0 ? 0 : 1
}

function renderStop(
  stop: string[] | undefined,
  model: string,
  losses: Losses
): string[] | undefined {
  if (stop === undefined) return undefined
  const kept = isOpenAiModel(model) ? [] : stop.filter((sequence) => sequence !== '')
  if (kept.length < stop.length) losses.drop('stop')
  return kept.length === 0 && stop.length > 0 ? undefined : kept
}

function renderTopK(
  { topK }: Generation,
  model: string,
  isThinking: boolean,
  losses: Losses
): JsonObject {
  if (topK === undefined) return {}
  if (isAnthropicModel(model) && !isThinking) return { top_k: topK }
  if (isNovaModel(model)) return { inferenceConfig: { topK } }
  losses.drop('top_k')
  return {}
}

/** https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html: at high effort these are refused. */
function dropLimits({ maxTokens, temperature, topP }: Generation, losses: Losses): true {
  if (maxTokens !== undefined) losses.drop('max_tokens')
  if (temperature !== undefined) losses.drop('temperature')
  if (topP !== undefined) losses.drop('top_p')
  return true
}

function renderOutput(format: Format | undefined, losses: Losses): JsonObject | undefined {
  if (format === undefined) return undefined
  if (format.type !== 'schema') {
    losses.drop('response_format')
    return undefined
  }
  const { name, description, schema, strict } = format
  // Bedrock always holds the model to a schema, and can't be told so.
  if (strict !== undefined) losses.drop('response_format.strict')
  const jsonSchema = defined({ schema: JSON.stringify(schema), name, description })
  return { textFormat: { type: 'json_schema', structure: { jsonSchema } } }
}

/** Limits: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#bedrock-runtime_Converse-request-requestMetadata */
function renderMetadata(
  metadata: Record<string, string> | undefined,
  losses: Losses
): JsonObject | undefined {
  if (metadata === undefined) return undefined
  const kept: JsonObject = {}
  for (const [name, value] of Object.entries(metadata)) {
    const isLegal = METADATA_NAME.test(name) && METADATA_VALUE.test(value)
    if (isLegal && Object.keys(kept).length < 16) kept[name] = value
    else losses.drop('metadata')
  }
  return kept
}

const METADATA_NAME = /^[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}$/
const METADATA_VALUE = /^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$/

const TIERS: Readonly<Record<string, string>> = {
  default: 'default',
  flex: 'flex',
  priority: 'priority',
  reserved: 'reserved',
  // Other makers' words for the default one.
  standard: 'default',
  standard_only: 'default',
}

function renderServiceTier(tier: string | undefined, losses: Losses): JsonObject | undefined {
  if (tier === undefined) return undefined
  const type = Object.hasOwn(TIERS, tier) ? TIERS[tier] : undefined
  if (type === undefined) losses.drop('service_tier')
  else if (type !== tier) losses.rewrite('service_tier')
  return type === undefined ? undefined : { type }
}

const UNSAYABLE = [
  ['frequencyPenalty', 'frequency_penalty'],
  ['presencePenalty', 'presence_penalty'],
  ['seed', 'seed'],
  ['logprobs', 'logprobs'],
  ['topLogprobs', 'top_logprobs'],
  ['modalities', 'modalities'],
  ['audio', 'audio'],
  ['verbosity', 'verbosity'],
  ['user', 'user'],
  ['store', 'store'],
  ['promptCacheKey', 'prompt_cache_key'],
] as const

function reportUnsayable(generation: Generation, losses: Losses): void {
  for (const [name, field] of UNSAYABLE) {
    const value = generation[name]
    // What is switched off asks for nothing.
    if (value !== undefined && value !== false) losses.drop(field)
  }
  if (generation.choices !== undefined && generation.choices !== 1) losses.drop('n')
}
