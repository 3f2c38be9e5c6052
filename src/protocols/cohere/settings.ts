import { isRecord, stringOf } from '../../std/record'
import type { Format, Reasoning, Settings, ToolChoice } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { asObject, invalid } from './own'

/** The members of a body that each setting is said by; `extras` are all that stand nowhere here. */
export const SETTING_MEMBERS = {
  toolChoice: ['tool_choice'],
  maxTokens: ['max_tokens'],
  temperature: ['temperature'],
  topP: ['p'],
  topK: ['k'],
  frequencyPenalty: ['frequency_penalty'],
  presencePenalty: ['presence_penalty'],
  seed: ['seed'],
  stop: ['stop_sequences'],
  logprobs: ['logprobs'],
  format: ['response_format'],
  reasoning: ['thinking'],
} as const satisfies Partial<Record<keyof Settings, readonly string[]>>

const KNOWN: ReadonlySet<string> = new Set([
  ...['model', 'messages', 'tools', 'stream', 'strict_tools'],
  ...Object.values(SETTING_MEMBERS).flat(),
])

/**
 * Reads how the answer shall be made. Throws `invalid_request` for a setting of the wrong type; values that the
 * neutral model has no word for stay among the extras. https://docs.cohere.com/v2/reference/chat
 */
export function parseSettings(body: JsonObject): Settings {
  const extras: JsonObject = {}
  for (const [name, value] of Object.entries(body))
    if (!KNOWN.has(name) && value !== null) extras[name] = value
  const orExtra = <T>(name: string, read: (value: JsonValue) => T | undefined): T | undefined => {
    const value = body[name]
    if (value === undefined || value === null) return undefined
    const known = read(value)
    if (known === undefined) extras[name] = value
    return known
  }
  return {
    toolChoice: orExtra('tool_choice', parseToolChoice),
    maxTokens: numberOf(body, 'max_tokens'),
    temperature: numberOf(body, 'temperature'),
    topP: numberOf(body, 'p'),
    topK: numberOf(body, 'k'),
    frequencyPenalty: numberOf(body, 'frequency_penalty'),
    presencePenalty: numberOf(body, 'presence_penalty'),
    seed: numberOf(body, 'seed'),
    stop: orExtra('stop_sequences', parseStop),
    logprobs: orExtra('logprobs', (value) => (typeof value === 'boolean' ? value : undefined)),
    format: orExtra('response_format', parseFormat),
    reasoning: orExtra('thinking', parseReasoning),
    extras,
  }
}

function numberOf(body: JsonObject, name: string): number | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number') throw invalid(name, 'must be a number')
  return value
}

function parseToolChoice(choice: JsonValue): ToolChoice | undefined {
  if (choice === 'REQUIRED') return { type: 'required' }
  return choice === 'NONE' ? { type: 'none' } : undefined
}

function parseStop(stop: JsonValue): string[] {
  const texts = Array.isArray(stop) ? stop.filter((text) => typeof text === 'string') : undefined
  if (texts === undefined || texts.length < (Array.isArray(stop) ? stop.length : 0))
    throw invalid('stop_sequences', 'must be a list of strings')
  return texts
}

/** `schema` is what `json_schema` was called before. https://docs.cohere.com/v2/docs/structured-outputs */
function parseFormat(value: JsonValue): Format | undefined {
  const format = asObject(value)
  if (format?.type === 'text') return { type: 'text' }
  if (format?.type !== 'json_object') return undefined
  const schema = asObject(format.json_schema) ?? asObject(format.schema)
  return schema ? { type: 'schema', schema } : { type: 'json' }
}

/** https://docs.cohere.com/docs/reasoning */
function parseReasoning(value: JsonValue): Reasoning | undefined {
  const type = stringOf(value, 'type')
  if (!isRecord(value) || (type !== 'enabled' && type !== 'disabled')) return undefined
  const { token_budget: budget } = value
  return {
    enabled: type === 'enabled',
    ...(typeof budget === 'number' && { budgetTokens: budget }),
  }
}
