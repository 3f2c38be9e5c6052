import type { Format, Reasoning, Settings, ToolChoice } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import {
  asList,
  asObject,
  get,
  getObject,
  getText,
  invalid,
  type Member,
  spellings,
} from './members'
import { toJsonSchema } from './schema'

/**
 * How the answer shall be made: `generationConfig`, `toolConfig`, `serviceTier` and `store`.
 * https://ai.google.dev/api/generate-content#generationconfig
 */

export type SettingName = Exclude<keyof Settings, 'extras'>

/** The members of `generationConfig` that a setting may stand in. */
export const CONFIG_MEMBERS: Readonly<Partial<Record<SettingName, readonly string[]>>> = {
  maxTokens: ['maxOutputTokens'],
  temperature: ['temperature'],
  topP: ['topP'],
  topK: ['topK'],
  frequencyPenalty: ['frequencyPenalty'],
  presencePenalty: ['presencePenalty'],
  seed: ['seed'],
  stop: ['stopSequences'],
  choices: ['candidateCount'],
  logprobs: ['responseLogprobs'],
  topLogprobs: ['logprobs'],
  format: ['responseMimeType', 'responseSchema', 'responseJsonSchema'],
  reasoning: ['thinkingConfig'],
  modalities: ['responseModalities'],
}

/** Members at the top that are no extras. */
const TOP: ReadonlySet<string> = new Set(
  ['contents', 'tools', 'store', 'model', 'systemInstruction', 'serviceTier']
    .concat('generationConfig', 'toolConfig')
    .flatMap(spellings)
)

const CONFIG: ReadonlySet<string> = new Set(Object.values(CONFIG_MEMBERS).flat().flatMap(spellings))

/**
 * Reads the settings of a body. Members that are not known, and values of known ones that the neutral model has no word
 * for, become extras: those of `generationConfig` and `toolConfig` by their own names too. Throws `invalid_request`
 * for a value of another type.
 */
export function parseSettings(body: JsonObject): Settings {
  const extras: JsonObject = {}
  for (const name in body) if (!TOP.has(name)) extras[name] = body[name]
  const config = getObject(body, 'generationConfig')
  for (const name in config) if (!CONFIG.has(name)) extras[name] = config[name]
  const orExtra = <T>(name: Member, read: (value: JsonValue) => T | undefined): T | undefined => {
    const value = get(config, name)
    if (value === undefined || value === null) return undefined
    const known = read(value)
    if (known === undefined) extras[name] = value
    return known
  }
  return {
    toolChoice: parseToolConfig(getObject(body, 'toolConfig'), extras),
    maxTokens: numberOf(config, 'maxOutputTokens'),
    temperature: numberOf(config, 'temperature'),
    topP: numberOf(config, 'topP'),
    topK: numberOf(config, 'topK'),
    frequencyPenalty: numberOf(config, 'frequencyPenalty'),
    presencePenalty: numberOf(config, 'presencePenalty'),
    seed: numberOf(config, 'seed'),
    stop: orExtra('stopSequences', parseStop),
    choices: numberOf(config, 'candidateCount'),
    logprobs: booleanOf(get(config, 'responseLogprobs')),
    topLogprobs: numberOf(config, 'logprobs'),
    format: parseFormat(config, extras),
    reasoning: orExtra('thinkingConfig', parseReasoning),
    modalities: orExtra('responseModalities', parseModalities),
    serviceTier: getText(body, 'serviceTier'),
    store: booleanOf(body.store),
    extras,
  }
}

function numberOf(config: JsonObject | undefined, name: string): number | undefined {
  for (const spelled of spellings(name)) {
    const value = config?.[spelled]
    if (value === undefined || value === null) continue
    // Google reads numbers from texts too.
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    if (typeof number !== 'number' || Number.isNaN(number))
      throw invalid(`generationConfig.${spelled}`, 'must be a number')
    return number
  }
  return undefined
}

function booleanOf(value: JsonValue | undefined): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

function parseStop(stop: JsonValue): string[] {
  if (!Array.isArray(stop))
    throw invalid('generationConfig.stopSequences', 'must be a list of strings')
  return stop.map((sequence) => {
    if (typeof sequence !== 'string')
      throw invalid('generationConfig.stopSequences', 'must be a list of strings')
    return sequence
  })
}

/** A schema's name stands as its title, where OpenAI's names allow that. */
export const SCHEMA_NAME = /^[A-Za-z0-9_-]{1,64}$/

function parseFormat(config: JsonObject | undefined, extras: JsonObject): Format | undefined {
  const mimeType = get(config, 'responseMimeType') ?? undefined
  const isKnown =
    mimeType === undefined || mimeType === 'application/json' || mimeType === 'text/plain'
  if (!isKnown) extras.responseMimeType = mimeType
  const plain = getObject(config, 'responseSchema')
  const schema = getObject(config, 'responseJsonSchema') ?? (plain && toJsonSchema(plain))
  if (!isKnown && plain) extras.responseSchema = plain
  if (!isKnown) return undefined
  if (schema) {
    const { title, ...rest } = schema
    const isNamed = typeof title === 'string' && SCHEMA_NAME.test(title)
    return { type: 'schema', schema: isNamed ? rest : schema, name: isNamed ? title : undefined }
  }
  if (mimeType === 'application/json') return { type: 'json' }
  return mimeType === 'text/plain' ? { type: 'text' } : undefined
}

/**
 * `thinkingConfig`: a budget of 0 is off, one of -1 the model's own measure.
 * https://ai.google.dev/gemini-api/docs/thinking
 */
export function parseReasoning(value: JsonValue): Reasoning | undefined {
  const config = asObject(value)
  if (config === undefined) return undefined
  const reasoning: Reasoning = {}
  const budget = get(config, 'thinkingBudget')
  const level = getText(config, 'thinkingLevel')
  const shown = get(config, 'includeThoughts')
  if (typeof budget === 'number') {
    reasoning.enabled = budget !== 0
    if (budget > 0) reasoning.budgetTokens = budget
  }
  if (level !== undefined && !level.endsWith('UNSPECIFIED')) reasoning.effort = level.toLowerCase()
  if (typeof shown === 'boolean') reasoning.summary = shown ? 'auto' : 'none'
  return Object.keys(reasoning).length > 0 ? reasoning : undefined
}

const MODALITIES: Readonly<Record<string, 'text' | 'audio' | 'image'>> = {
  TEXT: 'text',
  AUDIO: 'audio',
  IMAGE: 'image',
}

function parseModalities(value: JsonValue): ('text' | 'audio' | 'image')[] | undefined {
  const modalities: ('text' | 'audio' | 'image')[] = []
  for (const name of asList(value)) {
    const modality = typeof name === 'string' ? MODALITIES[name.toUpperCase()] : undefined
    if (modality === undefined) return undefined
    modalities.push(modality)
  }
  return modalities.length === 0 ? undefined : modalities
}

function parseToolConfig(
  config: JsonObject | undefined,
  extras: JsonObject
): ToolChoice | undefined {
  for (const name in config)
    if (!spellings('functionCallingConfig').includes(name)) extras[name] = config[name]
  const calling = getObject(config, 'functionCallingConfig')
  const choice = calling && parseToolChoice(calling)
  if (calling && choice === undefined) extras.functionCallingConfig = calling
  return choice
}

/** `functionCallingConfig`; `undefined` for a mode that the neutral model has no word for. */
export function parseToolChoice(calling: JsonObject): ToolChoice | undefined {
  const mode = stringIn(calling.mode)?.toUpperCase()
  const names = asList(get(calling, 'allowedFunctionNames')).filter(
    (name) => typeof name === 'string'
  )
  const [first] = names
  if (mode === 'NONE') return { type: 'none' }
  if (mode === 'AUTO') return { type: 'auto' }
  if (mode === 'VALIDATED')
    return first === undefined ? { type: 'auto' } : { type: 'allowed', names, mode: 'auto' }
  if (mode !== 'ANY') return undefined
  if (first === undefined) return { type: 'required' }
  if (names.length === 1) return { type: 'tool', name: first }
  return { type: 'allowed', names, mode: 'required' }
}

function stringIn(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
