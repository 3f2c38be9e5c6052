import { recordOf, stringOf } from '../../std/record'
import type { Format, Reasoning, Settings } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { asList, asObject, invalid } from './responses-json'
import { parseToolChoice } from './tools'

/**
 * How the answer shall be made: the top-level members of a request but for model, input, tools and stream.
 * https://platform.openai.com/docs/api-reference/responses/create
 */

/** Asks for reasoning that only the provider can read, so that it can be sent back. */
export const ENCRYPTED_REASONING = 'reasoning.encrypted_content'
export const LOGPROBS = 'message.output_text.logprobs'

/** A schema without a name can't be said; this one stands for that. */
export const NAMELESS_SCHEMA = 'response'

/** What stands in the neutral model otherwise, or, as padding of the stream, needs no place in it. */
const KNOWN: ReadonlySet<string> = new Set([
  'model',
  'input',
  'instructions',
  'tools',
  'stream',
  'stream_options',
  'include',
  'reasoning',
  'text',
  'tool_choice',
  'parallel_tool_calls',
  'max_output_tokens',
  'temperature',
  'top_p',
  'frequency_penalty',
  'presence_penalty',
  'top_logprobs',
  'metadata',
  'prompt_cache_key',
  'service_tier',
  'store',
  'user',
])

/** Members that say what goes without saying. */
const DEFAULTS: Readonly<Record<string, JsonValue>> = { background: false, truncation: 'disabled' }

/**
 * Reads the settings of a body; `null` is as good as none. Members that are not known, and values of known ones
 * that the neutral model has no word for, become extras; of nested ones only the unknown, by their path. Throws
 * `invalid_request` for a value of another type.
 */
export function parseSettings(body: JsonObject): Settings {
  const extras: JsonObject = {}
  for (const name in body) if (!KNOWN.has(name) && body[name] !== DEFAULTS[name]) keep(name)
  function keep(name: string): void {
    const value = body[name]
    if (value !== undefined && value !== null) extras[name] = value
  }
  const toolChoice = body.tool_choice ? parseToolChoice(body.tool_choice) : undefined
  if (toolChoice === undefined) keep('tool_choice')
  const metadata = parseMetadata(body.metadata)
  if (metadata === undefined) keep('metadata')
  const include = asList(body.include)
  const others = include.filter((name) => name !== ENCRYPTED_REASONING && name !== LOGPROBS)
  if (others.length > 0) extras.include = others
  return {
    toolChoice,
    parallelToolCalls: booleanOf(body, 'parallel_tool_calls'),
    maxTokens: numberOf(body, 'max_output_tokens'),
    temperature: numberOf(body, 'temperature'),
    topP: numberOf(body, 'top_p'),
    frequencyPenalty: numberOf(body, 'frequency_penalty'),
    presencePenalty: numberOf(body, 'presence_penalty'),
    logprobs: include.includes(LOGPROBS) || undefined,
    topLogprobs: numberOf(body, 'top_logprobs'),
    format: parseFormat(objectOf(body, 'text'), extras),
    verbosity: stringOf(body.text, 'verbosity'),
    reasoning: parseReasoning(objectOf(body, 'reasoning'), extras),
    user: textOf(body, 'user'),
    metadata,
    serviceTier: textOf(body, 'service_tier'),
    store: booleanOf(body, 'store'),
    promptCacheKey: textOf(body, 'prompt_cache_key'),
    extras,
  }
}

function numberOf(body: JsonObject, name: string): number | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number') throw invalid(name, 'must be a number')
  return value
}

function booleanOf(body: JsonObject, name: string): boolean | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'boolean') throw invalid(name, 'must be true or false')
  return value
}

function textOf(body: JsonObject, name: string): string | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw invalid(name, 'must be a string')
  return value
}

function objectOf(body: JsonObject, name: string): JsonObject | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  const object = asObject(value)
  if (object === undefined) throw invalid(name, 'must be an object')
  return object
}

function parseFormat(text: JsonObject | undefined, extras: JsonObject): Format | undefined {
  keepOthers('text', text, ['format', 'verbosity'], extras)
  const format = asObject(text?.format)
  if (format === undefined) return undefined
  const { type } = format
  if (type === 'text') return { type }
  if (type === 'json_object') return { type: 'json' }
  const schema = asObject(format.schema)
  if (type !== 'json_schema' || schema === undefined) {
    extras['text.format'] = format
    return undefined
  }
  const name = stringOf(format, 'name')
  return {
    type: 'schema',
    schema,
    name: name === NAMELESS_SCHEMA ? undefined : name,
    description: stringOf(format, 'description'),
    strict: typeof format.strict === 'boolean' ? format.strict : undefined,
  }
}

function parseReasoning(
  reasoning: JsonObject | undefined,
  extras: JsonObject
): Reasoning | undefined {
  keepOthers('reasoning', reasoning, ['effort', 'summary', 'generate_summary'], extras)
  const effort = stringOf(reasoning, 'effort')
  const summary = stringOf(reasoning, 'summary') ?? stringOf(reasoning, 'generate_summary')
  return effort === undefined && summary === undefined ? undefined : { effort, summary }
}

function keepOthers(
  owner: string,
  object: JsonObject | undefined,
  known: readonly string[],
  extras: JsonObject
): void {
  for (const name in object) {
    const value = object[name]
    if (!known.includes(name) && value !== null) extras[`${owner}.${name}`] = value
  }
}

function parseMetadata(value: JsonValue | undefined): Record<string, string> | undefined {
  const object = recordOf({ value }, 'value')
  if (object === undefined) return undefined
  const metadata: Record<string, string> = {}
  for (const name in object) {
    const text = object[name]
    if (typeof text !== 'string') return undefined
    metadata[name] = text
  }
  return metadata
}
