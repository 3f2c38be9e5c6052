import { GatewayError } from '../../errors/gateway-error'
import { isRecord } from '../../std/record'
import type { Signature, Source } from '../generation'
import type { JsonObject, JsonValue } from '../json'

/**
 * What all files of this folder ask of JSON. Google's servers read members in camel case and in snake case
 * (https://protobuf.dev/programming-guides/json), and its documentation writes both, so requests are read in both;
 * answers are always in camel case.
 */

/** The members of requests that have two spellings. */
const SNAKE = {
  allowedFunctionNames: 'allowed_function_names',
  candidateCount: 'candidate_count',
  fileData: 'file_data',
  fileUri: 'file_uri',
  frequencyPenalty: 'frequency_penalty',
  functionCall: 'function_call',
  functionCallingConfig: 'function_calling_config',
  functionDeclarations: 'function_declarations',
  functionResponse: 'function_response',
  generateContentRequest: 'generate_content_request',
  generationConfig: 'generation_config',
  includeThoughts: 'include_thoughts',
  inlineData: 'inline_data',
  maxOutputTokens: 'max_output_tokens',
  mimeType: 'mime_type',
  parametersJsonSchema: 'parameters_json_schema',
  presencePenalty: 'presence_penalty',
  responseJsonSchema: 'response_json_schema',
  responseLogprobs: 'response_logprobs',
  responseMimeType: 'response_mime_type',
  responseModalities: 'response_modalities',
  responseSchema: 'response_schema',
  serviceTier: 'service_tier',
  stopSequences: 'stop_sequences',
  systemInstruction: 'system_instruction',
  thinkingBudget: 'thinking_budget',
  thinkingConfig: 'thinking_config',
  thinkingLevel: 'thinking_level',
  thoughtSignature: 'thought_signature',
  toolConfig: 'tool_config',
  topK: 'top_k',
  topP: 'top_p',
} as const

/** A member of requests that has two spellings. */
export type Member = keyof typeof SNAKE

/** The member in whichever spelling it stands. */
export function get(object: JsonObject | undefined, name: Member): JsonValue | undefined {
  const value = object?.[name]
  return value === undefined ? object?.[SNAKE[name]] : value
}

/** The member where it is an object; else `undefined`. */
export function getObject(object: JsonObject | undefined, name: Member): JsonObject | undefined {
  return asObject(get(object, name))
}

/** The member where it is a text; else `undefined`. */
export function getText(object: JsonObject | undefined, name: Member): string | undefined {
  const value = get(object, name)
  return typeof value === 'string' ? value : undefined
}

/** The spelling that the object uses for a member; camel case where it has none. */
export function spellingIn(object: JsonObject | undefined, name: Member): string {
  return object?.[name] === undefined && object?.[SNAKE[name]] !== undefined ? SNAKE[name] : name
}

/** Both spellings of a member; a name of one word has one. */
export function spellings(name: string): string[] {
  return isMember(name) ? [name, SNAKE[name]] : [name]
}

function isMember(name: string): name is Member {
  return Object.hasOwn(SNAKE, name)
}

/** The value where it is an object; else `undefined`. */
export function asObject(value: JsonValue | undefined): JsonObject | undefined {
  return isRecord(value) ? value : undefined
}

/** The value where it is a list; else an empty one. */
export function asList(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : []
}

/** A node's source in this format. */
export function ownSource(json: JsonValue): Source {
  return { protocol: 'gemini', json }
}

/** The object a node was read from, where that was this format; else `undefined`. */
export function ownObject(source: Source | undefined): JsonObject | undefined {
  return source?.protocol === 'gemini' ? asObject(source.json) : undefined
}

/** The error for a member that the format itself refuses, named as the client wrote it. */
export function invalid(param: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `'${param}' ${what}`, { param })
}

/** Google's word to its servers that a call has no signature, since another model made it. */
export const NO_SIGNATURE = 'skip_thought_signature_validator'

/**
 * A part's `thoughtSignature`; the word for none is none.
 * https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export function parseSignature(part: JsonObject): Signature | undefined {
  const value = getText(part, 'thoughtSignature')
  return value === undefined || value === '' || value === NO_SIGNATURE
    ? undefined
    : { maker: 'google', value }
}
