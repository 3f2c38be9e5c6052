import { recordOf, stringOf } from '../../std/record'
import type { CacheMark, Citation, Part, ToolCallPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { asList, asObject, ownSource } from './chat-json'
import { parseMedia } from './chat-media'
import { parseReasoning } from './chat-reasoning'

/**
 * The parts of messages, in requests and in answers.
 * https://platform.openai.com/docs/api-reference/chat/object
 */

/** `content`: a text, or a list of parts. An empty text is no part. */
export function parseContent(content: JsonValue | undefined): Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  return asList(content).map(parsePart)
}

/** A content part; one of unknown type, or without what its type stands for, is native. */
export function parsePart(json: JsonValue): Part {
  if (typeof json === 'string') return { type: 'text', text: json }
  const part = asObject(json)
  const source = ownSource(json)
  const known = part && parseKnownPart(part)
  if (!known) return { type: 'native', name: stringOf(part, 'type') ?? 'unknown', source }
  const cache = parseCacheMark(part)
  return cache ? { ...known, cache } : known
}

function parseKnownPart(part: JsonObject): Part | undefined {
  const source = ownSource(part)
  const text = stringOf(part, 'text')
  if (part.type === 'text') return text === undefined ? undefined : { type: 'text', text, source }
  if (part.type === 'refusal') {
    const refusal = stringOf(part, 'refusal')
    return refusal === undefined ? undefined : { type: 'refusal', text: refusal, source }
  }
  if (part.type === 'thinking') return { type: 'reasoning', text: thinkingOf(part), source }
  return parseMedia(part)
}

/**
 * Mistral's reasoning stands in the content, as a list of texts:
 * https://docs.mistral.ai/capabilities/reasoning
 */
function thinkingOf(part: JsonObject): string {
  const { thinking } = part
  if (typeof thinking === 'string') return thinking
  return asList(thinking)
    .map((piece) => stringOf(piece, 'text') ?? '')
    .join('')
}

/**
 * `cache_control`, as OpenRouter and LiteLLM take it over from Anthropic, and OpenAI's own
 * `prompt_cache_breakpoint`.
 */
export function parseCacheMark(node: JsonObject): CacheMark | undefined {
  const mark = asObject(node.cache_control) ?? asObject(node.prompt_cache_breakpoint)
  if (mark === undefined) return undefined
  const ttl = stringOf(mark, 'ttl')
  return ttl === undefined ? {} : { ttl }
}

export type AssistantOptions = {
  /** The id of the call at this place, where the host gives none. */
  makeId: (index: number) => string
  /** An answer: empty reasoning says nothing, and the sound is in it. */
  isAnswer: boolean
}

/**
 * The parts of an assistant's message. Its members have no order among them, so it is always this: reasoning,
 * content, refusal, sound, images, calls.
 */
export function parseAssistant(message: JsonObject, options: AssistantOptions): Part[] {
  const calls = asList(message.tool_calls)
  const parts: Part[] = parseReasoning(message, !options.isAnswer && calls.length > 0)
  parts.push(...parseContent(message.content))
  cite(parts, asList(message.annotations))
  const refusal = stringOf(message, 'refusal')
  if (refusal) parts.push({ type: 'refusal', text: refusal })
  const audio = parseSpeech(message)
  if (audio) parts.push(audio)
  parts.push(...asList(message.images).map(parsePart))
  calls.forEach((call, index) => parts.push(parseToolCall(call, () => options.makeId(index))))
  const legacy = asObject(message.function_call)
  if (legacy) parts.push(parseToolCall({ function: legacy }, () => options.makeId(0)))
  return parts
}

/** What a model said aloud: with its data in an answer, by its id alone in a request. */
function parseSpeech(message: JsonObject): Part | undefined {
  const audio = asObject(message.audio)
  if (audio === undefined) return undefined
  const source = ownSource(audio)
  const base64 = stringOf(audio, 'data')
  const transcript = stringOf(audio, 'transcript') || undefined
  const fileId = stringOf(audio, 'id')
  if (base64 !== undefined)
    return { type: 'media', media: 'audio', data: { base64 }, transcript, source }
  if (fileId === undefined) return undefined
  return { type: 'media', media: 'audio', data: { fileId }, transcript, source }
}

/** An entry of `tool_calls`; `makeId` gives the id where the host has none. */
export function parseToolCall(json: JsonValue, makeId: () => string): Part {
  const call = asObject(json)
  const id = stringOf(call, 'id') || makeId()
  const source = ownSource(json)
  const custom = call?.type === 'custom' ? asObject(call.custom) : undefined
  const called = custom ?? asObject(call?.function)
  if (call === undefined || called === undefined)
    return { type: 'native', name: `${CALL}${stringOf(call, 'type') ?? 'unknown'}`, source }
  const text = custom ? (stringOf(custom, 'input') ?? '') : argumentsOf(called)
  const name = stringOf(called, 'name') ?? ''
  const part: ToolCallPart = { type: 'tool_call', id, name, arguments: text, source }
  const signature = thoughtSignature(call)
  const cache = parseCacheMark(call)
  if (custom) part.isCustom = true
  if (cache) part.cache = cache
  if (signature) part.signature = { maker: 'google', value: signature }
  return part
}

/** What a native part that stands for a call of unknown type is called, before that type. */
export const CALL = 'tool_calls:'

/** Text as the model wrote it; some hosts give the object. */
export function argumentsOf(called: JsonObject): string {
  const { arguments: given } = called
  if (typeof given === 'string') return given
  return asObject(given) ? JSON.stringify(given) : ''
}

/** Gemini's state, in its own OpenAI-like API: https://ai.google.dev/gemini-api/docs/thought-signatures */
export function thoughtSignature(call: JsonObject): string | undefined {
  const google = recordOf(call.extra_content, 'google')
  return stringOf(google, 'thought_signature') || undefined
}

/** Puts `annotations` to the texts that they lie in. */
function cite(parts: readonly Part[], annotations: readonly JsonValue[]): void {
  const texts = parts.filter((part) => part.type === 'text')
  for (const annotation of annotations) {
    const citation = parseAnnotation(annotation)
    const start = citation.startIndex ?? 0
    let offset = 0
    for (const part of texts) {
      if (start < offset + part.text.length || part === texts.at(-1)) {
        ;(part.citations ??= []).push(shiftCitation(citation, -offset))
        break
      }
      offset += part.text.length
    }
  }
}

/** A `url_citation`; of other annotations only their source is known. */
export function parseAnnotation(json: JsonValue): Citation {
  const url = recordOf(json, 'url_citation')
  return {
    url: stringOf(url, 'url'),
    title: stringOf(url, 'title') || undefined,
    citedText: stringOf(url, 'content'),
    startIndex: numberOf(url?.start_index),
    endIndex: numberOf(url?.end_index),
    source: ownSource(json),
  }
}

/** The citation with its place counted from elsewhere, by so many characters. */
export function shiftCitation(citation: Citation, by: number): Citation {
  const { startIndex, endIndex } = citation
  if (by === 0 || startIndex === undefined || endIndex === undefined) return citation
  return { ...citation, startIndex: startIndex + by, endIndex: endIndex + by }
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
