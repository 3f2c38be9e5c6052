import { recordOf, stringOf } from '../../std/record'
import type { MediaPart, Part, TextPart, ToolCallPart, ToolResultPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { citationPlace, parseCitation, toNativeCitation } from './citations'
import { asList, asObject, invalid, ownSource } from './own'

/**
 * Reads content, a string or a list, into parts; an empty string is none. `path` names it in errors.
 * https://docs.cohere.com/v2/reference/chat
 */
export function parseContent(content: JsonValue | undefined, path: string): Part[] {
  if (content === undefined || content === null || content === '') return []
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (!Array.isArray(content)) throw invalid(path, 'must be a string or a list')
  return content.map((json, index) => parsePart(json, `${path}.${index}`))
}

/** One entry of a list of content; what the neutral model does not know is native. Throws `invalid_request`. */
function parsePart(json: JsonValue, path: string): Part {
  if (typeof json === 'string') return { type: 'text', text: json, source: ownSource(json) }
  const part = asObject(json)
  if (part === undefined) throw invalid(path, 'must be an object')
  const source = ownSource(part)
  const known = parseKnown(part)
  return known ? { ...known, source } : { type: 'native', name: nameOf(part), source }
}

const nameOf = (part: JsonObject) => stringOf(part, 'type') ?? 'unknown'

function parseKnown(part: JsonObject): Part | undefined {
  const text = stringOf(part, 'text')
  if (part.type === 'text' && text !== undefined) return { type: 'text', text }
  const thinking = stringOf(part, 'thinking')
  if (part.type === 'thinking' && thinking !== undefined)
    return { type: 'reasoning', text: thinking }
  if (part.type === 'image_url') return parseImage(part)
  return part.type === 'document' ? parseDocument(part) : undefined
}

/** `data:` URLs in base64 become their data; all others stay URLs. */
function parseImage(part: JsonObject): MediaPart | undefined {
  const url = stringOf(part.image_url, 'url')
  if (url === undefined) return undefined
  const detail = stringOf(part.image_url, 'detail')
  const [, mimeType, base64] = /^data:([^;,]*);base64,([^]*)$/.exec(url) ?? []
  return {
    type: 'media',
    media: 'image',
    data: base64 === undefined ? { url } : { base64 },
    ...(mimeType && { mimeType }),
    ...(detail !== undefined && { detail }),
  }
}

/** A tool's result may be documents, whose data is text or an object of it. */
function parseDocument(part: JsonObject): TextPart | undefined {
  const document = asObject(part.document)
  if (document === undefined) return undefined
  const { data } = document
  return { type: 'text', text: typeof data === 'string' ? data : JSON.stringify(data ?? null) }
}

/** A message of the role `tool`, as a part of the user's turn. Throws `invalid_request`. */
export function parseResult(
  message: JsonObject,
  path: string,
  names: ReadonlyMap<string, string>
): ToolResultPart {
  const callId = stringOf(message, 'tool_call_id')
  if (callId === undefined) throw invalid(`${path}.tool_call_id`, 'must be a string')
  const name = names.get(callId)
  return {
    type: 'tool_result',
    callId,
    ...(name !== undefined && { name }),
    parts: parseContent(message.content, `${path}.content`).map((part) =>
      part.type === 'text' || part.type === 'media' || part.type === 'native'
        ? part
        : { type: 'native', name: part.type, source: part.source ?? ownSource(null) }
    ),
    source: ownSource(message),
  }
}

/**
 * The parts of an assistant's message: its content, then its plan, then its calls. `path` names it in errors, and
 * calls without an id are called after it. Throws `invalid_request`.
 */
export function parseAssistant(message: JsonObject, path: string): Part[] {
  const parts = parseContent(message.content, `${path}.content`)
  const contents = [...parts]
  const plan = parsePlan(message)
  if (plan) parts.push(plan)
  for (const json of asList(message.citations)) cite(json, contents, plan, parts)
  asList(message.tool_calls).forEach((json, index) => {
    const call = asObject(json)
    if (call === undefined) throw invalid(`${path}.tool_calls.${index}`, 'must be an object')
    parts.push(parseCall(call, `call_${path.replaceAll('.', '_')}_${index}`))
  })
  return parts
}

/** What the model says before its calls; its source is a member of its name alone. */
function parsePlan(message: JsonObject): TextPart | undefined {
  const plan = stringOf(message, 'tool_plan')
  if (!plan) return undefined
  return { type: 'text', text: plan, source: ownSource({ tool_plan: plan }) }
}

/** Puts a citation to the text it stands in; where that is none, it is a part of its own. */
function cite(
  json: JsonValue,
  contents: readonly Part[],
  plan: TextPart | undefined,
  parts: Part[]
): void {
  const citation = asObject(json)
  if (citation === undefined) return
  const place = citationPlace(citation)
  const cited =
    place.contentIndex === undefined
      ? contents.find(({ type }) => type === 'text')
      : contents[place.contentIndex]
  const text = place.in === 'plan' ? plan : cited
  if (place.in !== 'thoughts' && text?.type === 'text')
    (text.citations ??= []).push(...parseCitation(citation))
  else parts.push(toNativeCitation(citation))
}

/** An entry of `tool_calls`; `madeId` is its id where it has none. */
export function parseCall(call: JsonObject, madeId: string): ToolCallPart {
  const called = recordOf(call, 'function')
  const text = stringOf(called, 'arguments') ?? ''
  return {
    type: 'tool_call',
    id: stringOf(call, 'id') || madeId,
    name: stringOf(called, 'name') ?? '',
    // Said for functions that have no arguments.
    arguments: text.trim() === 'null' ? '{}' : text,
    source: ownSource(call),
  }
}
