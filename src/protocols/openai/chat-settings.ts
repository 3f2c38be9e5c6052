import { stringOf } from '../../std/record'
import type { Format, Reasoning, Settings } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { asList, asObject, invalid } from './chat-json'
import { parseFunctionChoice, parseToolChoice } from './chat-tools'

/**
 * How the answer shall be made: the top-level members of a request but for model, messages, tools and stream.
 * https://platform.openai.com/docs/api-reference/chat/create
 */

export type SettingName = Exclude<keyof Settings, 'extras'>

/** The members that a setting may stand in. */
export const SETTING_MEMBERS: Readonly<Record<SettingName, readonly string[]>> = {
  toolChoice: ['tool_choice', 'function_call'],
  parallelToolCalls: ['parallel_tool_calls'],
  maxTokens: ['max_completion_tokens', 'max_tokens'],
  temperature: ['temperature'],
  topP: ['top_p'],
  topK: ['top_k'],
  frequencyPenalty: ['frequency_penalty'],
  presencePenalty: ['presence_penalty'],
  seed: ['seed'],
  stop: ['stop'],
  choices: ['n'],
  logprobs: ['logprobs'],
  topLogprobs: ['top_logprobs'],
  format: ['response_format'],
  reasoning: ['reasoning_effort', 'reasoning'],
  modalities: ['modalities'],
  audio: ['audio'],
  verbosity: ['verbosity'],
  user: ['user'],
  metadata: ['metadata'],
  serviceTier: ['service_tier'],
  store: ['store'],
  promptCacheKey: ['prompt_cache_key'],
}

/** All settings, but for the extras. */
export const SETTING_NAMES: readonly SettingName[] =
  Object.keys(SETTING_MEMBERS).filter(isSettingName)

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTING_MEMBERS, name)
}

/** Members that are no settings. */
const OTHER_MEMBERS = ['model', 'messages', 'tools', 'functions', 'stream', 'stream_options']

const KNOWN: ReadonlySet<string> = new Set([
  ...OTHER_MEMBERS,
  ...Object.values(SETTING_MEMBERS).flat(),
])

/**
 * Reads the settings of a body; `null` is as good as none. Members that are not known, and values of known ones
 * that the neutral model has no word for, become extras. Throws `invalid_request` for a value of another type.
 */
export function parseSettings(body: JsonObject): Settings {
  const extras: JsonObject = {}
  for (const name in body) if (!KNOWN.has(name)) extras[name] = body[name]
  const orExtra = <T>(name: string, read: (value: JsonValue) => T | undefined): T | undefined => {
    const value = body[name]
    if (value === undefined || value === null) return undefined
    const known = read(value)
    if (known === undefined) extras[name] = value
    return known
  }
  return {
    toolChoice:
      orExtra('tool_choice', parseToolChoice) ?? orExtra('function_call', parseFunctionChoice),
    parallelToolCalls: booleanOf(body, 'parallel_tool_calls'),
    maxTokens: numberOf(body, 'max_completion_tokens') ?? numberOf(body, 'max_tokens'),
    temperature: numberOf(body, 'temperature'),
    topP: numberOf(body, 'top_p'),
    topK: numberOf(body, 'top_k'),
    frequencyPenalty: numberOf(body, 'frequency_penalty'),
    presencePenalty: numberOf(body, 'presence_penalty'),
    seed: numberOf(body, 'seed'),
    stop: orExtra('stop', parseStop),
    choices: numberOf(body, 'n'),
    logprobs: booleanOf(body, 'logprobs'),
    topLogprobs: numberOf(body, 'top_logprobs'),
    format: orExtra('response_format', parseFormat),
    reasoning: parseReasoningSettings(
      textOf(body, 'reasoning_effort'),
      orExtra('reasoning', parseReasoningObject)
    ),
    modalities: orExtra('modalities', parseModalities),
    audio: orExtra('audio', parseAudio),
    verbosity: textOf(body, 'verbosity'),
    user: textOf(body, 'user'),
    metadata: orExtra('metadata', parseMetadata),
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

function parseStop(stop: JsonValue): string[] {
  const sequences = typeof stop === 'string' ? [stop] : stop
  if (!Array.isArray(sequences)) throw invalid('stop', 'must be a string or a list of strings')
  return sequences.map((sequence) => {
    if (typeof sequence !== 'string') throw invalid('stop', 'must be a list of strings')
    return sequence
  })
}

/** A schema without a name can't be said; this one stands for that. */
export const NAMELESS_SCHEMA = 'response'

function parseFormat(value: JsonValue): Format | undefined {
  const format = asObject(value)
  if (format?.type === 'text') return { type: 'text' }
  if (format?.type === 'json_object') return { type: 'json' }
  const named = format?.type === 'json_schema' ? asObject(format.json_schema) : undefined
  const schema = asObject(named?.schema)
  if (named === undefined || schema === undefined) return undefined
  const name = stringOf(named, 'name')
  return {
    type: 'schema',
    schema,
    name: name === NAMELESS_SCHEMA ? undefined : name,
    description: stringOf(named, 'description'),
    strict: typeof named.strict === 'boolean' ? named.strict : undefined,
  }
}

/** OpenRouter's `reasoning`: https://openrouter.ai/docs/use-cases/reasoning-tokens */
function parseReasoningObject(value: JsonValue): Reasoning | undefined {
  const object = asObject(value)
  if (object === undefined) return undefined
  const reasoning: Reasoning = {}
  for (const name in object) {
    const member = object[name]
    if (name === 'effort' && typeof member === 'string') reasoning.effort = member
    else if (name === 'max_tokens' && typeof member === 'number') reasoning.budgetTokens = member
    else if (name === 'enabled' && typeof member === 'boolean') reasoning.enabled = member
    else if (name === 'exclude' && member === true) reasoning.summary = 'none'
    else if (name !== 'exclude' && member !== null) return undefined
  }
  return reasoning
}

function parseReasoningSettings(
  effort: string | undefined,
  reasoning: Reasoning | undefined
): Reasoning | undefined {
  return effort === undefined ? reasoning : { ...reasoning, effort }
}

function parseModalities(value: JsonValue): ('text' | 'audio' | 'image')[] | undefined {
  const modalities: ('text' | 'audio' | 'image')[] = []
  for (const name of asList(value)) {
    if (name !== 'text' && name !== 'audio' && name !== 'image') return undefined
    modalities.push(name)
  }
  return modalities.length === 0 ? undefined : modalities
}

function parseAudio(value: JsonValue): { voice: string; format: string } | undefined {
  const voice = stringOf(value, 'voice')
  const format = stringOf(value, 'format')
  return voice === undefined || format === undefined ? undefined : { voice, format }
}

function parseMetadata(value: JsonValue): Record<string, string> | undefined {
  const metadata: Record<string, string> = {}
  const object = asObject(value)
  for (const name in object) {
    const text = object[name]
    if (typeof text !== 'string') return undefined
    metadata[name] = text
  }
  return object && metadata
}
