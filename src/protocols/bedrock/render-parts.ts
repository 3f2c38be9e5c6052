import type {
  Citation,
  MediaPart,
  Part,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  ToolResultPart,
} from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { asObject, defined, ownJson, ownObject, parseJson } from './converse-json'
import { type DocumentNames, documentName, nestedBlocks, renderMedia } from './media'
import { isAnthropicModel, isNovaModel } from './models'
import { toToolName, toToolUseId, withCachePoint } from './tools'

/** What the blocks of one request have to agree on. */
export type BlockContext = {
  /** As the upstream knows it. */
  model: string
  role: 'user' | 'assistant'
  names: DocumentNames
  /** The tools' names by the ids of their calls, as far as the conversation has come. */
  calls: Map<string, string>
  losses: Losses
}

/**
 * A part of a turn as content blocks, the block that it came from where that was this format; none, and reported at
 * `path`, where the format has no way to say it.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
 */
export function renderBlocks(part: Part, path: string, context: BlockContext): JsonValue[] {
  if (part.type === 'tool_call') context.calls.set(part.id, part.name)
  const own = ownJson(part.source)
  if (own !== undefined) return keepOwn(own, part, context)
  const blocks = renderForeign(part, path, context)
  if (part.cache === undefined) return blocks
  const last = blocks.pop()
  if (last === undefined) {
    context.losses.drop(`${path}.cache_control`)
    return []
  }
  return [...blocks, ...withCachePoint(last, part.cache)]
}

function keepOwn(own: JsonValue, part: Part, { names }: BlockContext): JsonValue[] {
  const blocks = withCachePoint(own, part.cache)
  for (const block of blocks)
    for (const json of [block, ...nestedBlocks(block)]) {
      const name = documentName(json)
      if (name !== undefined) names.keep(name)
    }
  return blocks
}

function renderForeign(part: Part, path: string, context: BlockContext): JsonValue[] {
  const { losses } = context
  switch (part.type) {
    case 'text':
      return renderText(part, path, losses)
    case 'media':
      return renderTurnMedia(part, path, context)
    case 'tool_call':
      return [renderToolCall(part, path, losses)]
    case 'tool_result':
      return [renderToolResult(part, path, context)]
    case 'reasoning':
      return renderReasoning(part, path, context)
    case 'refusal':
      losses.rewrite(path)
      return part.text.trim() === '' ? [] : [{ text: part.text }]
    case 'native':
      losses.drop(path)
      return []
    default:
      return part satisfies never
  }
}

/** A text as a block, or none: empty texts are refused, and so are those of white space alone. */
export function renderText(part: TextPart, path: string, losses: Losses): JsonValue[] {
  if (part.signature) losses.drop(`${path}.signature`)
  if (part.citations && part.citations.length > 0) losses.drop(`${path}.citations`)
  if (part.text.trim() !== '') return [{ text: part.text }]
  if (part.text !== '') losses.drop(path)
  return []
}

/** Only a user can show something. */
function renderTurnMedia(part: MediaPart, path: string, context: BlockContext): JsonValue[] {
  if (context.role === 'assistant') {
    context.losses.drop(path)
    return []
  }
  const block = renderMedia(part, path, context.names, context.losses)
  return block === undefined ? [] : [block]
}

function renderToolCall(part: ToolCallPart, path: string, losses: Losses): JsonObject {
  const name = toToolName(part.name)
  if (name !== part.name) losses.rewrite(`${path}.name`)
  if (part.signature) losses.drop(`${path}.signature`)
  return {
    toolUse: {
      toolUseId: toToolUseId(part.id),
      name,
      input: renderInput(part, path, losses),
    },
  }
}

/** Bedrock takes an object: text of a custom tool, and what a model wrote that is none, goes as a member of one. */
function renderInput(part: ToolCallPart, path: string, losses: Losses): JsonObject {
  const text = part.arguments
  if (part.isCustom) {
    losses.rewrite(path)
    return { input: text }
  }
  const value = text.trim() === '' ? {} : parseJson(text)
  const input = asObject(value)
  if (input) return input
  losses.rewrite(`${path}.arguments`)
  return { arguments: value ?? text }
}

function renderToolResult(part: ToolResultPart, path: string, context: BlockContext): JsonObject {
  const { losses, calls, model } = context
  if (part.name !== undefined && calls.get(part.callId) !== part.name) losses.drop(`${path}.name`)
  // Other models refuse it.
  const knowsStatus = isAnthropicModel(model) || isNovaModel(model)
  if (part.isError !== undefined && !knowsStatus) losses.drop(`${path}.is_error`)
  return {
    toolResult: defined({
      toolUseId: toToolUseId(part.callId),
      content: part.parts.flatMap((inner, index) =>
        renderResultBlock(inner, `${path}.content.${index}`, context)
      ),
      status: part.isError !== undefined && knowsStatus ? statusOf(part.isError) : undefined,
    }),
  }
}

function statusOf(isError: boolean): string {
  return isError ? 'error' : 'success'
}

function renderResultBlock(
  part: ToolResultPart['parts'][number],
  path: string,
  { names, losses }: BlockContext
): JsonValue[] {
  const own = ownJson(part.source)
  if (own !== undefined) return [own]
  if (part.cache) losses.drop(`${path}.cache_control`)
  if (part.type === 'text') return renderText(part, path, losses)
  // A tool's result knows no sounds.
  if (part.type === 'native' || part.media === 'audio') {
    losses.drop(path)
    return []
  }
  const block = renderMedia(part, path, names, losses)
  return block === undefined ? [] : [block]
}

/** A model takes back the thoughts alone that it has signed, or that only it can read. */
function renderReasoning(part: ReasoningPart, path: string, context: BlockContext): JsonValue[] {
  const { losses, model, role } = context
  const { signature, encrypted } = part
  const isSigned = signature?.maker === 'anthropic'
  const isEncrypted = encrypted?.maker === 'anthropic' && isBase64(encrypted.value)
  if (role !== 'assistant' || !isAnthropicModel(model) || (!isSigned && !isEncrypted)) {
    losses.drop(path)
    return []
  }
  if (part.isSummary) losses.drop(`${path}.summary`)
  if (part.id !== undefined) losses.drop(`${path}.id`)
  if (signature && !isSigned) losses.drop(`${path}.signature`)
  if (encrypted && !isEncrypted) losses.drop(`${path}.encrypted`)
  if (isEncrypted && (isSigned || part.text !== '')) losses.rewrite(path)
  return [
    ...(isSigned ? [reasoningText(part.text, signature.value)] : []),
    ...(isEncrypted ? [{ reasoningContent: { redactedContent: encrypted.value } }] : []),
  ]
}

function reasoningText(text: string, signature: string | undefined): JsonObject {
  return { reasoningContent: { reasoningText: defined({ text, signature }) } }
}

/** SDKs refuse what is none where a format has bytes. */
function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)
}

/**
 * A part of an answer as content blocks. What can't stand in an answer of this format is reported at `path`.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseOutput.html
 */
export function renderAnswerBlocks(part: Part, path: string, losses: Losses): JsonValue[] {
  const own = ownJson(part.source)
  if (own !== undefined) return Array.isArray(own) ? own.slice(0, 1) : [own]
  switch (part.type) {
    case 'text':
      return renderAnswerText(part, path, losses)
    case 'refusal':
      losses.rewrite(path)
      return part.text === '' ? [] : [{ text: part.text }]
    case 'tool_call':
      return [renderAnsweredCall(part, path, losses)]
    case 'reasoning':
      return renderAnsweredReasoning(part, path, losses)
    case 'media':
      return renderAnsweredMedia(part, path, losses)
    default:
      losses.drop(path)
      return []
  }
}

function renderAnswerText(part: TextPart, path: string, losses: Losses): JsonValue[] {
  const { text, citations = [] } = part
  if (part.signature) losses.drop(`${path}.signature`)
  if (citations.length === 0) return text === '' ? [] : [{ text }]
  const rendered = citations.map((citation) => renderCitation(citation, path, losses))
  return [{ citationsContent: { content: [{ text }], citations: rendered } }]
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Citation.html */
export function renderCitation(citation: Citation, path: string, losses: Losses): JsonObject {
  const own = ownObject(citation.source)
  if (own) return own
  const { url, title, citedText, documentIndex, startIndex, endIndex } = citation
  if (startIndex !== undefined || endIndex !== undefined) losses.drop(`${path}.citations`)
  // A place is one or the other.
  if (url !== undefined && documentIndex !== undefined) losses.drop(`${path}.citations`)
  return defined({
    title,
    sourceContent: citedText === undefined ? undefined : [{ text: citedText }],
    location: renderLocation(url, documentIndex),
  })
}

function renderLocation(
  url: string | undefined,
  documentIndex: number | undefined
): JsonObject | undefined {
  if (url !== undefined) return { web: { url } }
  return documentIndex === undefined ? undefined : { documentChar: { documentIndex } }
}

function renderAnsweredCall(part: ToolCallPart, path: string, losses: Losses): JsonObject {
  if (part.signature) losses.drop(`${path}.signature`)
  const { id, name } = part
  return { toolUse: { toolUseId: id, name, input: renderAnsweredInput(part, path, losses) } }
}

/** What a model wrote that is no JSON can't be shown in an answer that is. */
function renderAnsweredInput(part: ToolCallPart, path: string, losses: Losses): JsonValue {
  const text = part.arguments
  if (!part.isCustom) {
    const value = text.trim() === '' ? {} : parseJson(text)
    if (value !== undefined) return value
  }
  losses.rewrite(path)
  return part.isCustom ? { input: text } : { arguments: text }
}

/** Readable thoughts and encrypted ones are blocks of their own. */
export function renderAnsweredReasoning(
  part: ReasoningPart,
  path: string,
  losses: Losses
): JsonObject[] {
  const { text, signature, encrypted } = part
  const signed = signature?.maker === 'anthropic' ? signature.value : undefined
  const isEncrypted = encrypted?.maker === 'anthropic' && isBase64(encrypted.value)
  if (signature && signed === undefined) losses.drop(`${path}.signature`)
  if (encrypted && !isEncrypted) losses.drop(`${path}.encrypted`)
  if (part.isSummary) losses.drop(`${path}.summary`)
  return [
    ...(text !== '' || signed !== undefined ? [reasoningText(text, signed)] : []),
    ...(isEncrypted ? [{ reasoningContent: { redactedContent: encrypted.value } }] : []),
  ]
}

/** A picture, by its data; no stream of this format has sounds or films. */
export function renderAnsweredMedia(part: MediaPart, path: string, losses: Losses): JsonObject[] {
  const { data, mimeType, name } = part
  const format = /^image\/(png|jpeg|gif|webp)$/.exec(mimeType ?? '')?.[1]
  if (part.media !== 'image' || !('base64' in data) || format === undefined) {
    losses.drop(path)
    return []
  }
  if (part.signature) losses.drop(`${path}.signature`)
  if (name !== undefined) losses.drop(`${path}.name`)
  return [{ image: { format, source: { bytes: data.base64 } } }]
}
