import { stringOf } from '../../std/record'
import type { MediaPart, Part, ToolResultPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { CONTENT, parseContent } from './content'
import { parseReasoning } from './reasoning'
import { asList, asObject, ownSource } from './responses-json'

/**
 * The items of a conversation, in requests and in answers, as parts of turns. An item that stands for several
 * parts is the source of each.
 * https://platform.openai.com/docs/api-reference/responses/create
 */

/** The item is a message: the type may be left out. */
export function isMessage(item: JsonObject): boolean {
  return item.type === 'message' || (item.type === undefined && item.role !== undefined)
}

/** Reads an item that a model made, or that stands in for one. */
export function parseOutputItem(item: JsonObject): Part[] {
  if (isMessage(item)) return parseMessageContent(item)
  if (item.type === 'reasoning') return parseReasoning(item)
  return [parseToolCall(item) ?? parseImage(item) ?? toNative(item)]
}

/** An item that only this format knows. One without a type refers to another. */
export function toNative(item: JsonObject): Part {
  const name = stringOf(item, 'type') ?? 'item_reference'
  return { type: 'native', name, source: ownSource(item) }
}

/** The content of an assistant's message, which may be a text; an empty one is an empty text. */
function parseMessageContent(item: JsonObject): Part[] {
  const source = ownSource(item)
  const { content } = item
  if (typeof content === 'string') return [{ type: 'text', text: content, source }]
  const parts = asList(content).map((json) => parseContent(json))
  for (const part of parts) part.source = source
  return parts.length > 0 ? parts : [{ type: 'text', text: '', source }]
}

function parseToolCall(item: JsonObject): Part | undefined {
  const isCustom = item.type === 'custom_tool_call'
  if (!isCustom && item.type !== 'function_call') return undefined
  const id = stringOf(item, 'call_id') || stringOf(item, 'id')
  const name = stringOf(item, 'name')
  if (!id || name === undefined) return undefined
  const source = ownSource(item)
  const written = stringOf(item, isCustom ? 'input' : 'arguments') ?? ''
  const part: Part = { type: 'tool_call', id, name, arguments: written, source }
  return isCustom ? { ...part, isCustom } : part
}

/** An image that the model had made, where the item holds it. */
function parseImage(item: JsonObject): MediaPart | undefined {
  const base64 = item.type === IMAGE_CALL ? stringOf(item, 'result') : undefined
  if (!base64) return undefined
  const format = stringOf(item, 'output_format')
  const mimeType = format === undefined ? undefined : `image/${format}`
  return { type: 'media', media: 'image', data: { base64 }, mimeType, source: ownSource(item) }
}

export const IMAGE_CALL = 'image_generation_call'

/** Reads what a client's tool gave back; `undefined` where the item is none, or names no call. */
export function parseToolResult(item: JsonObject): ToolResultPart | undefined {
  if (item.type !== 'function_call_output' && item.type !== 'custom_tool_call_output')
    return undefined
  const callId = stringOf(item, 'call_id')
  if (!callId) return undefined
  const name = stringOf(item, 'name')
  const parts = parseOutput(item.output)
  return {
    type: 'tool_result',
    callId,
    ...(name !== undefined && { name }),
    parts,
    source: ownSource(item),
  }
}

function parseOutput(output: JsonValue | undefined): ToolResultPart['parts'] {
  if (typeof output === 'string') return output === '' ? [] : [{ type: 'text', text: output }]
  return asList(output).map((json) => {
    const part = parseContent(json)
    if (part.type === 'text' || part.type === 'media' || part.type === 'native') return part
    return { type: 'native', name: `${CONTENT}${part.type}`, source: ownSource(json) }
  })
}

/** How many parts an item was read as. */
export function countParts(item: JsonObject): number {
  if (isMessage(item)) return Math.max(1, asList(item.content).length)
  return item.type === 'reasoning' ? parseReasoning(item).length : 1
}

/** The item that a part of an assistant's turn was read from; `undefined` where it has none of this format. */
export function itemOf(part: Part): JsonObject | undefined {
  const { source } = part
  return source?.protocol === 'openai-responses' ? asObject(source.json) : undefined
}

/** What is rendered of a turn: an item as it came, or a part anew, with the message it stood in. */
export type Rendering =
  { type: 'item'; item: JsonObject } | { type: 'part'; part: Part; index: number }

/**
 * The parts of an assistant's turn as they are to be rendered: an item all of whose parts are still there goes
 * as it came; of one that lost a part, those left are rendered anew.
 */
export function groupParts(parts: readonly Part[]): Rendering[] {
  const renderings: Rendering[] = []
  let index = 0
  while (index < parts.length) {
    const part = parts[index]
    if (part === undefined) break
    const item = itemOf(part)
    const count = item === undefined ? 0 : countParts(item)
    if (item && isWhole(parts, index, count, item)) {
      renderings.push({ type: 'item', item })
      index += count
    } else renderings.push({ type: 'part', part, index: index++ })
  }
  return renderings
}

function isWhole(parts: readonly Part[], from: number, count: number, item: JsonObject): boolean {
  for (let at = from + 1; at < from + count; at++) {
    const part = parts[at]
    const other = part && itemOf(part)
    // The same object, or, where a Generation was copied, one that says the same.
    if (other !== item && !Bun.deepEquals(other, item)) return false
  }
  return true
}
