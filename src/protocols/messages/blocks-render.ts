import type { CacheMark, MediaPart, Part, ToolCallPart, ToolResultPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { asObject, ownObject, toLegalId } from './own'

/** Where blocks stand: who speaks, and their path in reports. */
export type Place = { role: 'system' | 'user' | 'assistant' | 'result'; path: string }

/** Writes parts as blocks; what the format can't say there is dropped and reported. */
export function renderParts(parts: readonly Part[], place: Place, losses: Losses): JsonObject[] {
  return parts.flatMap((part, index) => {
    const block = renderPart(part, { ...place, path: `${place.path}.content.${index}` }, losses)
    return block === undefined ? [] : [block]
  })
}

function renderPart(part: Part, place: Place, losses: Losses): JsonObject | undefined {
  const own = ownObject(part.source)
  if (own) return own
  const mark = renderMark(part.cache)
  switch (part.type) {
    case 'text':
      // The API refuses empty texts.
      if (part.text === '') return undefined
      if (part.citations && part.citations.length > 0) losses.drop(`${place.path}.citations`)
      if (part.signature) losses.drop(`${place.path}.signature`)
      return { type: 'text', text: part.text, ...mark }
    case 'refusal':
      losses.rewrite(place.path)
      return part.text === '' ? undefined : { type: 'text', text: part.text, ...mark }
    case 'media':
      return renderMedia(part, place, losses)
    case 'tool_call':
      return renderCall(part, place.path, losses)
    case 'tool_result':
      return renderResult(part, place.path, losses)
    case 'reasoning':
      if (part.encrypted?.maker === 'anthropic')
        return { type: 'redacted_thinking', data: part.encrypted.value }
      if (part.signature?.maker === 'anthropic')
        return { type: 'thinking', thinking: part.text, signature: part.signature.value }
      // Thoughts without the maker's own signature are refused.
      losses.drop(place.path)
      return undefined
    case 'native':
      losses.drop(place.path)
      return undefined
  }
}

export function renderMark(cache: CacheMark | undefined): JsonObject {
  if (cache === undefined) return {}
  const { ttl } = cache
  return { cache_control: { type: 'ephemeral', ...(ttl !== undefined && { ttl }) } }
}

const LEGAL_NAME = /^[a-zA-Z0-9_-]{1,128}$/

/** A tool's name as the format takes it. */
export function toLegalName(name: string): string {
  if (LEGAL_NAME.test(name)) return name
  return name.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, 128) || '_'
}

function renderCall(part: ToolCallPart, path: string, losses: Losses): JsonObject {
  const { id, name, signature } = part
  if (signature && signature.maker !== 'anthropic') losses.drop(`${path}.signature`)
  const legalName = toLegalName(name)
  if (legalName !== name || part.isCustom) losses.rewrite(path)
  return {
    type: 'tool_use',
    id: toLegalId(id),
    name: legalName,
    input: renderInput(part, path, losses),
    ...renderMark(part.cache),
  }
}

/** Arguments as an object; text that is none stands in one. */
export function renderInput(part: ToolCallPart, path: string, losses: Losses): JsonObject {
  if (part.isCustom) return { input: part.arguments }
  if (part.arguments.trim() === '') return {}
  try {
    const value: JsonValue = JSON.parse(part.arguments)
    const input = asObject(value)
    if (input) return input
  } catch {
    // Said below.
  }
  losses.rewrite(`${path}.arguments`)
  return { input: part.arguments }
}

function renderResult(part: ToolResultPart, path: string, losses: Losses): JsonObject {
  const blocks = renderParts(part.parts, { role: 'result', path }, losses)
  const [only] = part.parts
  const content =
    part.parts.length === 1 && only?.type === 'text' && !only.cache ? only.text : blocks
  return {
    type: 'tool_result',
    tool_use_id: toLegalId(part.callId),
    content,
    ...(part.isError && { is_error: true }),
    ...renderMark(part.cache),
  }
}

const IMAGES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

function renderMedia(part: MediaPart, place: Place, losses: Losses): JsonObject | undefined {
  const { media, data, mimeType, name, detail, cache } = part
  const source = place.role === 'assistant' ? undefined : renderSource(part)
  if (source === undefined) {
    losses.drop(place.path)
    return undefined
  }
  if (detail !== undefined && detail !== 'auto') losses.drop(`${place.path}.detail`)
  if (part.transcript !== undefined) losses.drop(`${place.path}.transcript`)
  if (part.signature) losses.drop(`${place.path}.signature`)
  if (media === 'image') {
    if (name !== undefined) losses.drop(`${place.path}.name`)
    return { type: 'image', source, ...renderMark(cache) }
  }
  // A document by its address has no type of its own to say.
  if (mimeType !== undefined && !('base64' in data) && !('text' in data))
    losses.drop(`${place.path}.mime_type`)
  return {
    type: 'document',
    source,
    ...(name !== undefined && { title: name }),
    ...renderMark(cache),
  }
}

/** Images of four types, PDFs and plain texts; sounds and films can't be said. */
function renderSource({ media, data, mimeType }: MediaPart): JsonObject | undefined {
  if (media === 'audio' || media === 'video') return undefined
  if ('url' in data) return { type: 'url', url: data.url }
  if ('fileId' in data) return { type: 'file', file_id: data.fileId }
  if ('text' in data)
    return media === 'file'
      ? { type: 'text', media_type: 'text/plain', data: data.text }
      : undefined
  const type = mimeType ?? (media === 'image' ? 'image/png' : 'application/pdf')
  const isTaken = media === 'image' ? IMAGES.has(type) : type === 'application/pdf'
  return isTaken ? { type: 'base64', media_type: type, data: data.base64 } : undefined
}
