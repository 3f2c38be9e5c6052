import { stringOf } from '../../std/record'
import type {
  CacheMark,
  Citation,
  NativePart,
  Part,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  ToolResultPart,
} from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { asList, asNumber, asObject, ownSource } from './converse-json'
import { parseMedia } from './media'

/**
 * Content blocks, in requests and in answers:
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
 */

/**
 * The blocks of a turn. A cache point marks the block before it, whose source then is the list of both; one that has
 * nothing before it is native.
 */
export function parseBlocks(content: JsonValue | undefined): Part[] {
  const parts: Part[] = []
  for (const block of asList(content)) {
    const mark = parseCachePoint(block)
    const last = parts.at(-1)
    if (mark && last && !last.cache && !isCachePoint(last)) {
      last.cache = mark
      last.source = ownSource([last.source?.json ?? null, block])
    } else parts.push(parseBlock(block))
  }
  return parts
}

function isCachePoint(part: Part): boolean {
  return part.type === 'native' && part.name === 'cachePoint'
}

/** The mark that a `cachePoint` block is; `undefined` for other blocks. */
export function parseCachePoint(block: JsonValue | undefined): CacheMark | undefined {
  const point = asObject(asObject(block)?.cachePoint)
  if (point === undefined) return undefined
  const ttl = stringOf(point, 'ttl')
  return ttl === undefined ? {} : { ttl }
}

/** A content block; one of unknown kind, or without what its kind stands for, is native. */
export function parseBlock(json: JsonValue): Part {
  const block = asObject(json)
  return (block && parseKnownBlock(block)) ?? toNative(json)
}

function toNative(json: JsonValue): NativePart {
  const block = asObject(json)
  const [name = 'unknown'] = Object.keys(block ?? {})
  const type = stringOf(asObject(block?.[name]), 'type')
  // What a tool of the provider's own was asked and said, told from the client's tools by this member alone.
  const isServerSide = (name === 'toolUse' || name === 'toolResult') && type !== undefined
  return { type: 'native', name: isServerSide ? type : name, source: ownSource(json) }
}

function parseKnownBlock(block: JsonObject): Part | undefined {
  const text = stringOf(block, 'text')
  if (text !== undefined) return { type: 'text', text, source: ownSource(block) }
  if (block.toolUse !== undefined) return parseToolUse(block)
  if (block.toolResult !== undefined) return parseToolResult(block)
  if (block.reasoningContent !== undefined) return parseReasoning(block)
  if (block.citationsContent !== undefined) return parseCitations(block)
  return parseMedia(block)
}

function parseToolUse(block: JsonObject): ToolCallPart | undefined {
  const call = asObject(block.toolUse)
  const id = stringOf(call, 'toolUseId')
  if (call === undefined || !id || call.type !== undefined) return undefined
  return {
    type: 'tool_call',
    id,
    name: stringOf(call, 'name') ?? '',
    arguments: JSON.stringify(call.input ?? {}),
    source: ownSource(block),
  }
}

function parseToolResult(block: JsonObject): ToolResultPart | undefined {
  const result = asObject(block.toolResult)
  const callId = stringOf(result, 'toolUseId')
  if (result === undefined || !callId || result.type !== undefined) return undefined
  const part: ToolResultPart = {
    type: 'tool_result',
    callId,
    parts: asList(result.content).map(parseResultBlock),
    source: ownSource(block),
  }
  const { status } = result
  return status === 'error' || status === 'success'
    ? { ...part, isError: status === 'error' }
    : part
}

function parseResultBlock(json: JsonValue): ToolResultPart['parts'][number] {
  const block = asObject(json)
  const text = stringOf(block, 'text')
  const source = ownSource(json)
  if (text !== undefined) return { type: 'text', text, source }
  if (block?.json !== undefined) return { type: 'text', text: JSON.stringify(block.json), source }
  return (block && parseMedia(block)) ?? toNative(json)
}

/** Reasoning that can be read, or that only its provider can; the signatures that Bedrock gives are Anthropic's. */
function parseReasoning(block: JsonObject): ReasoningPart | undefined {
  const reasoning = asObject(block.reasoningContent)
  const source = ownSource(block)
  const redacted = stringOf(reasoning, 'redactedContent')
  if (redacted !== undefined)
    return {
      type: 'reasoning',
      text: '',
      encrypted: { maker: 'anthropic', value: redacted },
      source,
    }
  const readable = asObject(reasoning?.reasoningText)
  const text = stringOf(readable, 'text')
  const signature = stringOf(readable, 'signature')
  if (readable === undefined || (text === undefined && signature === undefined)) return undefined
  const part: ReasoningPart = { type: 'reasoning', text: text ?? '', source }
  return signature ? { ...part, signature: { maker: 'anthropic', value: signature } } : part
}

function parseCitations(block: JsonObject): TextPart | undefined {
  const cited = asObject(block.citationsContent)
  if (cited === undefined) return undefined
  const text = asList(cited.content)
    .map((piece) => stringOf(piece, 'text') ?? '')
    .join('')
  const citations = asList(cited.citations).map(parseCitation)
  return { type: 'text', text, citations, source: ownSource(block) }
}

/** Where a text has it from: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Citation.html */
export function parseCitation(json: JsonValue): Citation {
  const citation = asObject(json)
  const location = asObject(citation?.location)
  const url = stringOf(location?.web, 'url')
  const title = stringOf(citation, 'title')
  const cited = asList(citation?.sourceContent).map((piece) => stringOf(piece, 'text') ?? '')
  const documentIndex = documentIndexOf(location)
  return {
    ...(url !== undefined && { url }),
    ...(title !== undefined && { title }),
    ...(cited.length > 0 && { citedText: cited.join('') }),
    ...(documentIndex !== undefined && { documentIndex }),
    source: ownSource(json),
  }
}

function documentIndexOf(location: JsonObject | undefined): number | undefined {
  const place = location?.documentChar ?? location?.documentPage ?? location?.documentChunk
  return asNumber(asObject(place)?.documentIndex)
}
