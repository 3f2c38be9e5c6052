import type {
  MediaPart,
  Message,
  Part,
  TextPart,
  ToolCallPart,
  ToolResultPart,
} from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { ownJson, ownObject } from './chat-json'
import { renderMedia, reportMedia } from './chat-media'
import { CALL } from './chat-parts'
import { DETAIL, renderReasoning } from './chat-reasoning'

/**
 * Writes the turns of a conversation as messages; losses are told by the turn's place, e.g.
 * `messages.3.content.1`. https://platform.openai.com/docs/api-reference/chat/create
 */
export function renderMessages(messages: readonly Message[], losses: Losses): JsonValue[] {
  return messages.flatMap((message, index): JsonValue[] => {
    const own = ownObject(message.source)
    if (own) return [own]
    const path = `messages.${index}`
    if (message.role === 'assistant') return renderAssistantTurn(message, path, losses)
    if (message.role === 'user') return renderUserTurn(message, path, losses)
    // `system` is what all hosts know; OpenAI reads it as `developer` where a model wants that.
    const content = renderParts(message.parts, path, losses, renderText)
    return isLost(message, content)
      ? []
      : [{ role: 'system', content: contentOf(content), ...nameOf(message) }]
  })
}

/**
 * The tools' results go first, as messages of their own: they must follow the calls. A result can be text
 * alone, so the pictures in it follow in the user's message.
 */
function renderUserTurn(message: Message, path: string, losses: Losses): JsonValue[] {
  const results: JsonValue[] = []
  const content: JsonValue[] = []
  message.parts.forEach((part, index) => {
    const partPath = `${path}.content.${index}`
    if (part.type === 'tool_result') {
      if (content.length > 0) losses.rewrite(path)
      results.push(renderResult(part, partPath, losses))
      const moved = ownJson(part.source) === undefined ? renderMoved(part, partPath, losses) : []
      if (moved.length > 0) losses.rewrite(path)
      content.push(...moved)
    } else {
      const rendered = renderUserPart(part, partPath, losses)
      if (rendered !== undefined) content.push(rendered)
    }
  })
  if (content.length === 0 && (results.length > 0 || isLost(message, content))) return results
  return [...results, { role: 'user', content: contentOf(content), ...nameOf(message) }]
}

function renderUserPart(part: Part, path: string, losses: Losses): JsonValue | undefined {
  return part.type === 'media' ? renderMedia(part, path, losses) : renderText(part, path, losses)
}

/** A tool's message. */
function renderResult(part: ToolResultPart, path: string, losses: Losses): JsonValue {
  const own = ownObject(part.source)
  if (own) return own
  if (part.cache) losses.drop(`${path}.cache_control`)
  if (part.isError) losses.drop(`${path}.is_error`)
  return {
    role: 'tool',
    tool_call_id: part.callId,
    ...(part.name !== undefined && { name: part.name }),
    content: contentOf(renderParts(part.parts, path, losses, renderResultPart)),
  }
}

function renderResultPart(part: Part, path: string, losses: Losses): JsonValue | undefined {
  return isMoved(part) ? undefined : renderUserPart(part, path, losses)
}

function renderMoved(part: ToolResultPart, path: string, losses: Losses): JsonValue[] {
  return renderParts(part.parts, path, losses, (inner, innerPath) =>
    isMoved(inner) ? renderUserPart(inner, innerPath, losses) : undefined
  )
}

function isMoved(part: Part): boolean {
  return part.type === 'media' && ownJson(part.source) === undefined
}

function renderParts(
  parts: readonly Part[],
  path: string,
  losses: Losses,
  render: (part: Part, path: string, losses: Losses) => JsonValue | undefined
): JsonValue[] {
  return parts
    .map((part, index) => render(part, `${path}.content.${index}`, losses))
    .filter((rendered) => rendered !== undefined)
}

/** A text or own part as content; all else is dropped and reported. */
function renderText(part: Part, path: string, losses: Losses): JsonValue | undefined {
  const own = ownJson(part.source)
  if (own !== undefined) return own
  if (part.type !== 'text') {
    losses.drop(path)
    return undefined
  }
  reportText(part, path, losses)
  return { type: 'text', text: part.text }
}

/** What a text bears that the format's requests have no place for: OpenAI refuses members it doesn't know. */
function reportText(part: TextPart, path: string, losses: Losses): void {
  if (part.cache) losses.drop(`${path}.cache_control`)
  if (part.citations && part.citations.length > 0) losses.drop(`${path}.citations`)
  if (part.signature) losses.drop(`${path}.signature`)
}

/** One plain text stands as a string, which every host takes. */
function contentOf(content: readonly JsonValue[]): JsonValue {
  const [first] = content
  if (first === undefined) return ''
  if (content.length === 1 && typeof first === 'object' && first !== null && !Array.isArray(first))
    if (first.type === 'text' && Object.keys(first).length === 2 && first.text !== undefined)
      return first.text
  return [...content]
}

/** Everything in the turn was dropped: a message without content would be refused. */
function isLost(message: Message, content: readonly JsonValue[]): boolean {
  return content.length === 0 && message.parts.length > 0
}

function nameOf({ name }: Message): JsonObject {
  return name === undefined ? {} : { name }
}

/** The members of an assistant's message stand in no order, so this one is what a reader takes them for. */
const ORDER: Readonly<Record<Part['type'], number>> = {
  reasoning: 0,
  text: 1,
  native: 1,
  refusal: 2,
  media: 3,
  tool_call: 4,
  tool_result: 4,
}

type AssistantPieces = {
  reasoning: Parameters<typeof renderReasoning>[0][number][]
  content: JsonValue[]
  refusals: string[]
  audio: JsonValue | undefined
  images: JsonValue[]
  calls: JsonValue[]
}

function renderAssistantTurn(message: Message, path: string, losses: Losses): JsonValue[] {
  const pieces: AssistantPieces = {
    reasoning: [],
    content: [],
    refusals: [],
    audio: undefined,
    images: [],
    calls: [],
  }
  let last = 0
  message.parts.forEach((part, index) => {
    const partPath = `${path}.content.${index}`
    const order = isCall(part) ? ORDER.tool_call : ORDER[part.type]
    if (order < last) losses.rewrite(path)
    last = Math.max(last, order)
    addPiece(pieces, part, partPath, losses)
  })
  const { reasoning, content, refusals, audio, images, calls } = pieces
  if (refusals.length > 1) losses.rewrite(path)
  const rendered: JsonObject = {
    ...renderReasoning(reasoning, false),
    ...(refusals.length > 0 && { refusal: refusals.join('') }),
    ...(audio !== undefined && { audio }),
    ...(images.length > 0 && { images }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
  const isEmpty = content.length === 0 && Object.keys(rendered).length === 0
  if (isEmpty && message.parts.length > 0) return []
  // Mistral refuses an empty text beside calls, OpenAI the lack of both.
  const said = content.length === 0 && !isEmpty ? null : contentOf(content)
  return [{ role: 'assistant', content: said, ...rendered, ...nameOf(message) }]
}

function isCall(part: Part): boolean {
  return part.type === 'native' && part.name.startsWith(CALL)
}

function addPiece(pieces: AssistantPieces, part: Part, path: string, losses: Losses): void {
  const own = ownObject(part.source)
  if (part.type === 'tool_call') pieces.calls.push(renderCall(part, path, losses))
  else if (part.type === 'reasoning') {
    // Mistral's stands in the content.
    if (own?.type === 'thinking') pieces.content.push(own)
    else {
      if (part.cache) losses.drop(`${path}.cache_control`)
      pieces.reasoning.push(part)
    }
  } else if (part.type === 'native' && own && part.name.startsWith(DETAIL))
    pieces.reasoning.push(part)
  else if (own && isCall(part)) pieces.calls.push(own)
  else if (part.type === 'refusal') {
    if (own) pieces.content.push(own)
    else pieces.refusals.push(part.text)
    if (part.cache) losses.drop(`${path}.cache_control`)
  } else if (part.type === 'media') addMedia(pieces, part, path, losses)
  else {
    const rendered = renderText(part, path, losses)
    if (rendered !== undefined) pieces.content.push(rendered)
  }
}

/** What a model said goes back by its id, images by OpenRouter's extension; else its words remain. */
function addMedia(pieces: AssistantPieces, part: MediaPart, path: string, losses: Losses): void {
  const own = ownObject(part.source)
  if (own && own.type === undefined) {
    // A sound is sent back by its id; the data is only in answers.
    pieces.audio = own.id === undefined ? own : { id: own.id }
    return
  }
  if (part.media === 'image' && !('fileId' in part.data)) {
    const image = renderMedia(part, path, losses)
    if (image !== undefined) pieces.images.push(image)
    return
  }
  if (part.media === 'audio' && 'fileId' in part.data && pieces.audio === undefined) {
    pieces.audio = { id: part.data.fileId }
    reportMedia(part, path, losses)
    if (part.mimeType !== undefined) losses.drop(`${path}.mime_type`)
    return
  }
  if (part.transcript === undefined) return losses.drop(path)
  losses.rewrite(path)
  pieces.content.push({ type: 'text', text: part.transcript })
}

/** An entry of `tool_calls`; no arguments at all are an empty object. */
export function renderCall(part: ToolCallPart, path: string, losses: Losses): JsonObject {
  const own = ownObject(part.source)
  if (own) return own.id === part.id ? own : { type: 'function', ...own, id: part.id }
  if (part.cache) losses.drop(`${path}.cache_control`)
  const { id, name, signature } = part
  if (signature && signature.maker !== 'google') losses.drop(`${path}.signature`)
  const state = signature?.maker === 'google' ? renderThoughtSignature(signature.value) : {}
  if (part.isCustom)
    return { id, type: 'custom', custom: { name, input: part.arguments }, ...state }
  const text = part.arguments === '' ? '{}' : part.arguments
  return { id, type: 'function', function: { name, arguments: text }, ...state }
}

/** Where Gemini's own OpenAI-like API has it: https://ai.google.dev/gemini-api/docs/thought-signatures */
export function renderThoughtSignature(value: string): JsonObject {
  return { extra_content: { google: { thought_signature: value } } }
}
