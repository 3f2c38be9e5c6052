import { stringOf } from '../../std/record'
import type { Format, Reasoning, Settings, ToolChoice } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import {
  asBoolean,
  asNumber,
  asObject,
  asStrings,
  defined,
  invalid,
  parseJson,
} from './converse-json'
import { parseToolChoice } from './tools'

/**
 * How the answer shall be made. What every model knows stands in `inferenceConfig` and `outputConfig`; a maker's own
 * members, by the names that the maker gave them, in `additionalModelRequestFields`.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */

/** The members of a body that hold settings alone. */
export const SETTING_MEMBERS = [
  'inferenceConfig',
  'outputConfig',
  'additionalModelRequestFields',
  'requestMetadata',
  'serviceTier',
] as const

const OTHER_MEMBERS = ['messages', 'system', 'toolConfig', 'modelId']

const KNOWN: ReadonlySet<string> = new Set([...SETTING_MEMBERS, ...OTHER_MEMBERS])

/** What is left of an object when members that are known have been taken out of it. */
class Remainder {
  readonly #left: JsonObject

  constructor(json: JsonValue | undefined) {
    this.#left = { ...asObject(json) }
  }

  /** The member as `read` understands it; one that it doesn't stays. */
  take<T>(name: string, read: (value: JsonValue) => T | undefined): T | undefined {
    const value = this.#left[name]
    if (value === undefined || value === null) return undefined
    const known = read(value)
    if (known !== undefined) delete this.#left[name]
    return known
  }

  /** What nobody took; `undefined` when that is nothing. */
  get rest(): JsonObject | undefined {
    return Object.keys(this.#left).length === 0 ? undefined : this.#left
  }
}

/**
 * Reads the settings of a body. Members that are not known, and values of known ones that the neutral model has no word
 * for, become extras under their top-level name. Throws `invalid_request` for numbers and lists that are none.
 */
export function parseSettings(body: JsonObject): Settings {
  const inference = new Remainder(body.inferenceConfig)
  const output = new Remainder(body.outputConfig)
  const fields = new Remainder(body.additionalModelRequestFields)
  const toolConfig = new Remainder(body.toolConfig)
  toolConfig.take('tools', (tools) => tools)
  const choice = fields.take('tool_choice', parseAnthropicChoice)
  const toolChoice = toolConfig.take('toolChoice', parseToolChoice) ?? choice?.toolChoice
  const configured = fields.take('output_config', parseAnthropicOutput)
  const settings: Settings = {
    toolChoice,
    parallelToolCalls: choice?.parallelToolCalls,
    maxTokens: inference.take('maxTokens', numberAt('inferenceConfig.maxTokens')),
    temperature: inference.take('temperature', numberAt('inferenceConfig.temperature')),
    topP: inference.take('topP', numberAt('inferenceConfig.topP')),
    // Not in the documentation, but the AI SDK sends it.
    topK:
      fields.take('top_k', asNumber) ??
      fields.take('inferenceConfig', parseNovaInference) ??
      inference.take('topK', asNumber),
    stop: inference.take('stopSequences', readStop),
    format: output.take('textFormat', parseFormat) ?? configured?.format,
    reasoning: mergeReasoning(
      fields.take('thinking', parseThinking) ?? fields.take('reasoning_config', parseThinking),
      fields.take('reasoningConfig', parseNovaReasoning),
      output.take('effort', asText) ?? configured?.effort ?? fields.take('reasoning_effort', asText)
    ),
    metadata: parseMetadata(body.requestMetadata),
    serviceTier: stringOf(body.serviceTier, 'type'),
    extras: {},
  }
  settings.extras = defined({
    ...extrasOf(body, settings),
    inferenceConfig: inference.rest,
    outputConfig: output.rest,
    additionalModelRequestFields: fields.rest,
    toolConfig: toolConfig.rest,
  })
  return settings
}

function extrasOf(body: JsonObject, settings: Settings): JsonObject {
  const extras: JsonObject = {}
  for (const name in body) if (!KNOWN.has(name)) extras[name] = body[name]
  if (settings.metadata === undefined) extras.requestMetadata = body.requestMetadata
  if (settings.serviceTier === undefined) extras.serviceTier = body.serviceTier
  return extras
}

function numberAt(path: string): (value: JsonValue) => number {
  return (value) => {
    if (typeof value !== 'number') throw invalid(path, 'must be a number')
    return value
  }
}

function readStop(value: JsonValue): string[] {
  const stop = asStrings(value)
  if (stop === undefined)
    throw invalid('inferenceConfig.stopSequences', 'must be a list of strings')
  return stop
}

function asText(value: JsonValue): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A schema is text in Converse: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_JsonSchemaDefinition.html */
function parseFormat(value: JsonValue): Format | undefined {
  const format = asObject(value)
  const definition = asObject(asObject(format?.structure)?.jsonSchema)
  const schema = asObject(parseJson(stringOf(definition, 'schema') ?? ''))
  if (format?.type !== 'json_schema' || schema === undefined) return undefined
  return {
    type: 'schema',
    schema,
    name: stringOf(definition, 'name'),
    description: stringOf(definition, 'description'),
  }
}

/** Anthropic's `output_config`; one with more than effort and format stays what it is. */
function parseAnthropicOutput(
  value: JsonValue
): { effort?: string | undefined; format?: Format | undefined } | undefined {
  const output = new Remainder(value)
  const effort = output.take('effort', asText)
  const format = output.take('format', (json): Format | undefined => {
    const schema = asObject(asObject(json)?.schema)
    return schema && stringOf(json, 'type') === 'json_schema'
      ? { type: 'schema', schema }
      : undefined
  })
  return output.rest === undefined ? { effort, format } : undefined
}

/** Anthropic's `tool_choice`, the only place that can say that calls shall not be parallel. */
function parseAnthropicChoice(
  value: JsonValue
): { toolChoice: ToolChoice; parallelToolCalls: boolean | undefined } | undefined {
  const type = stringOf(value, 'type')
  const name = stringOf(value, 'name')
  const disabled = asBoolean(asObject(value)?.disable_parallel_tool_use)
  const parallelToolCalls = disabled === undefined ? undefined : !disabled
  if (type === 'auto' || type === 'none') return { toolChoice: { type }, parallelToolCalls }
  if (type === 'any') return { toolChoice: { type: 'required' }, parallelToolCalls }
  if (type !== 'tool' || name === undefined) return undefined
  return { toolChoice: { type, name }, parallelToolCalls }
}

/** https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
function parseThinking(value: JsonValue): Reasoning | undefined {
  const thinking = new Remainder(value)
  const type = thinking.take('type', asText)
  const budgetTokens = thinking.take('budget_tokens', asNumber)
  const summary = thinking.take('display', readDisplay)
  if (thinking.rest !== undefined) return undefined
  const shown = summary === undefined ? {} : { summary }
  if (type === 'disabled') return { enabled: false, ...shown }
  if (type === 'adaptive' && budgetTokens === undefined) return { enabled: true, ...shown }
  if (type !== 'enabled') return undefined
  return budgetTokens === undefined
    ? { enabled: true, ...shown }
    : { enabled: true, budgetTokens, ...shown }
}

function readDisplay(value: JsonValue): string | undefined {
  if (value === 'omitted') return 'none'
  return value === 'summarized' ? 'auto' : undefined
}

/** https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html */
function parseNovaReasoning(value: JsonValue): Reasoning | undefined {
  const config = new Remainder(value)
  const type = config.take('type', asText)
  const effort = config.take('maxReasoningEffort', asText)
  if (config.rest !== undefined) return undefined
  if (type === 'disabled') return { enabled: false }
  if (type !== 'enabled') return undefined
  return effort === undefined ? { enabled: true } : { enabled: true, effort }
}

/** https://docs.aws.amazon.com/nova/latest/userguide/using-converse-api.html */
function parseNovaInference(value: JsonValue): number | undefined {
  const inference = new Remainder(value)
  const topK = inference.take('topK', asNumber)
  return inference.rest === undefined ? topK : undefined
}

function mergeReasoning(
  thinking: Reasoning | undefined,
  nova: Reasoning | undefined,
  effort: string | undefined
): Reasoning | undefined {
  const known = thinking ?? nova
  return effort === undefined ? known : { ...known, effort }
}

function parseMetadata(value: JsonValue | undefined): Record<string, string> | undefined {
  const metadata: Record<string, string> = {}
  const object = asObject(value)
  for (const name in object) {
    const text = object[name]
    if (typeof text !== 'string') return undefined
    metadata[name] = text
  }
  return object && metadata
}
