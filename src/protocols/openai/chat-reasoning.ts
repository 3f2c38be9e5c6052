import { stringOf } from '../../std/record'
import type { NativePart, ReasoningPart, Signature } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { asList, asObject, ownJson, ownSource } from './chat-json'

/**
 * Reasoning, which OpenAI's own chat format has no place for, in the extensions of its hosts: as one text in
 * `reasoning_content` (DeepSeek, vLLM, Qwen, Moonshot, xAI) or `reasoning` (OpenRouter, Groq), and with
 * signatures and encrypted forms in OpenRouter's `reasoning_details`.
 * https://api-docs.deepseek.com/guides/thinking_mode, https://openrouter.ai/docs/use-cases/reasoning-tokens
 */

/** One text fragment of reasoning in a message or delta, by the name that the host gives it. */
export function flatReasoning(
  message: JsonObject
): { name: 'reasoning_content' | 'reasoning'; text: string } | undefined {
  const content = stringOf(message, 'reasoning_content')
  if (content !== undefined) return { name: 'reasoning_content', text: content }
  const text = stringOf(message, 'reasoning')
  return text === undefined ? undefined : { name: 'reasoning', text }
}

/**
 * The reasoning of a message. An empty one is kept where `keepEmpty`: DeepSeek wants it back with tool calls.
 */
export function parseReasoning(
  message: JsonObject,
  keepEmpty: boolean
): (ReasoningPart | NativePart)[] {
  const flat = flatReasoning(message)
  const parts = mergeDetails(asList(message.reasoning_details))
  const isTold = parts.some((part) => part.type === 'reasoning' && part.text !== '')
  if (flat === undefined || isTold || (flat.text === '' && (parts.length > 0 || !keepEmpty)))
    return parts
  const source = ownSource({ [flat.name]: flat.text })
  return [{ type: 'reasoning', text: flat.text, source }, ...parts]
}

/** Details of one index are one part: clients send back the fragments of a stream as they came. */
function mergeDetails(details: readonly JsonValue[]): (ReasoningPart | NativePart)[] {
  const parts: (ReasoningPart | NativePart)[] = []
  const byIndex = new Map<JsonValue, { part: ReasoningPart; sources: JsonValue[] }>()
  for (const json of details) {
    const detail = parseDetail(json)
    if (detail === undefined) {
      const name = `${DETAIL}${stringOf(json, 'type') ?? 'unknown'}`
      parts.push({ type: 'native', name, source: ownSource(json) })
      continue
    }
    const open = detail.index === undefined ? undefined : byIndex.get(detail.index)
    if (open && !(open.part.encrypted && detail.encrypted)) {
      open.sources.push(json)
      addDetail(open.part, detail)
      continue
    }
    const sources = [json]
    const part: ReasoningPart = { type: 'reasoning', text: '', source: ownSource(sources) }
    addDetail(part, detail)
    parts.push(part)
    if (detail.index !== undefined) byIndex.set(detail.index, { part, sources })
  }
  return parts
}

/** What a native part that stands for a detail of unknown type is called, before that type. */
export const DETAIL = 'reasoning_details:'

/** An entry of `reasoning_details`, or a fragment of one. */
export type ReasoningDetail = {
  index: number | undefined
  text: string
  isSummary: boolean
  id: string | undefined
  signature: Signature | undefined
  encrypted: Signature | undefined
}

/** `undefined` for an entry of another type than OpenRouter documents for reasoning. */
export function parseDetail(json: JsonValue): ReasoningDetail | undefined {
  const detail = asObject(json)
  const type = detail?.type
  if (!detail || (type !== TEXT && type !== SUMMARY && type !== ENCRYPTED)) return undefined
  const maker = makerOf(stringOf(detail, 'format'))
  const signature = stringOf(detail, 'signature')
  const encrypted = type === ENCRYPTED ? stringOf(detail, 'data') : undefined
  return {
    index: typeof detail.index === 'number' ? detail.index : undefined,
    text: (type === SUMMARY ? stringOf(detail, 'summary') : stringOf(detail, 'text')) ?? '',
    isSummary: type === SUMMARY,
    id: stringOf(detail, 'id'),
    signature: signature ? { maker, value: signature } : undefined,
    encrypted: encrypted ? { maker, value: encrypted } : undefined,
  }
}

function addDetail(part: ReasoningPart, detail: ReasoningDetail): void {
  part.text += detail.text
  if (detail.isSummary) part.isSummary = true
  if (detail.id !== undefined) part.id ??= detail.id
  if (detail.signature) part.signature = detail.signature
  if (detail.encrypted) part.encrypted = detail.encrypted
}

/**
 * Reasoning as members of a message. `reasoning_details` stands there in answers, as it does in their streams,
 * where no one knows yet what comes; in requests only where `reasoning_content` can't say everything.
 */
export function renderReasoning(
  parts: readonly (ReasoningPart | NativePart)[],
  isAnswer: boolean
): JsonObject {
  const [first] = parts
  if (first === undefined) return {}
  const own = parts.length === 1 ? asObject(ownJson(first.source)) : undefined
  if (own && first.type === 'reasoning') return own
  const text = parts.map((part) => (part.type === 'reasoning' ? part.text : '')).join('')
  const needsDetails = isAnswer || parts.length > 1 || !isPlain(first)
  return {
    ...((text !== '' || !needsDetails) && { reasoning_content: text }),
    ...(needsDetails && { reasoning_details: parts.flatMap(renderDetails) }),
  }
}

function isPlain(part: ReasoningPart | NativePart): boolean {
  if (part.type === 'native') return false
  const { signature, encrypted, id, isSummary } = part
  return !signature && !encrypted && id === undefined && !isSummary
}

function renderDetails(part: ReasoningPart | NativePart, index: number): JsonValue[] {
  const own = ownJson(part.source)
  if (Array.isArray(own)) return own
  if (part.type === 'native') return [part.source.json]
  const details: JsonValue[] = []
  const { text, signature, encrypted, isSummary } = part
  if (text !== '' || signature || isSummary || !encrypted) details.push(renderText(part, index))
  if (encrypted) details.push(renderEncrypted(encrypted, part.id, index))
  return details
}

/** A detail of readable reasoning, or a fragment of one. */
export function renderText(
  part: Pick<ReasoningPart, 'text' | 'isSummary' | 'signature' | 'id'>,
  index: number
): JsonObject {
  const { text, isSummary, signature, id } = part
  return {
    type: isSummary ? SUMMARY : TEXT,
    [isSummary ? 'summary' : 'text']: text,
    ...(signature && { signature: signature.value, format: FORMATS[signature.maker] }),
    ...(id !== undefined && { id }),
    index,
  }
}

/** A detail of reasoning that only its provider can read. */
export function renderEncrypted(
  encrypted: Signature,
  id: string | undefined,
  index: number
): JsonObject {
  return {
    type: ENCRYPTED,
    data: encrypted.value,
    format: FORMATS[encrypted.maker],
    ...(id !== undefined && { id }),
    index,
  }
}

const TEXT = 'reasoning.text'
const SUMMARY = 'reasoning.summary'
const ENCRYPTED = 'reasoning.encrypted'

const FORMATS: Readonly<Record<Signature['maker'], string>> = {
  anthropic: 'anthropic-claude-v1',
  google: 'google-gemini-v1',
  openai: 'openai-responses-v1',
  other: 'unknown',
}

/** OpenRouter names the format of opaque state by its maker, API and version. */
function makerOf(format: string | undefined): Signature['maker'] {
  if (format?.startsWith('anthropic-')) return 'anthropic'
  if (format?.startsWith('google-')) return 'google'
  return format?.includes('openai-') ? 'openai' : 'other'
}
