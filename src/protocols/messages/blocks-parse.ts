import { stringOf } from '../../std/record'
import type { CacheMark, Citation, MediaPart, Part, ToolResultPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { asList, asObject, invalid, ownSource } from './own'

/**
 * Reads content, a string or blocks, into parts. `path` names it in errors.
 * https://platform.claude.com/docs/en/api/messages
 */
export function parseContent(content: JsonValue | undefined, path: string): Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  if (!Array.isArray(content)) throw invalid(path, 'must be a string or a list of blocks')
  return content.map((json, index) => {
    const block = asObject(json)
    if (block === undefined) throw invalid(`${path}.${index}`, 'must be an object')
    return parseBlock(block, `${path}.${index}`)
  })
}

/** One block as a part; what the neutral model does not know is native. */
export function parseBlock(block: JsonObject, path: string): Part {
  const node = { ...markOf(block), source: ownSource(block) }
  switch (block.type) {
    case 'text': {
      if (typeof block.text !== 'string') throw invalid(`${path}.text`, 'must be a string')
      const citations = asList(block.citations).flatMap((json) => parseCitation(json))
      return { type: 'text', text: block.text, ...(citations.length > 0 && { citations }), ...node }
    }
    case 'thinking':
      return {
        type: 'reasoning',
        text: stringOf(block, 'thinking') ?? '',
        ...signed(stringOf(block, 'signature')),
        ...node,
      }
    case 'redacted_thinking':
      return {
        type: 'reasoning',
        text: '',
        encrypted: { maker: 'anthropic', value: stringOf(block, 'data') ?? '' },
        ...node,
      }
    case 'tool_use':
      return {
        type: 'tool_call',
        id: stringOf(block, 'id') ?? '',
        name: stringOf(block, 'name') ?? '',
        arguments: JSON.stringify(block.input ?? {}),
        ...node,
      }
    case 'tool_result':
      return parseResult(block, path)
    case 'image':
    case 'document':
      return parseMedia(block) ?? native(block)
    default:
      return native(block)
  }
}

/** A citation in an answer; those that say nothing are none. */
export function parseCitation(json: JsonValue): Citation[] {
  const citation = asObject(json)
  if (citation === undefined) return []
  const documentIndex = citation.document_index
  return [
    {
      url: stringOf(citation, 'url') ?? stringOf(citation, 'source'),
      title: stringOf(citation, 'title') ?? stringOf(citation, 'document_title'),
      citedText: stringOf(citation, 'cited_text'),
      documentIndex: typeof documentIndex === 'number' ? documentIndex : undefined,
      source: ownSource(citation),
    },
  ]
}

function signed(value: string | undefined) {
  return value ? { signature: { maker: 'anthropic', value } as const } : {}
}

/** The cache mark of a block or tool. */
export function markOf(block: JsonObject): { cache?: CacheMark } {
  const control = asObject(block.cache_control)
  if (control === undefined) return {}
  const ttl = stringOf(control, 'ttl')
  return { cache: ttl === undefined ? {} : { ttl } }
}

function native(block: JsonObject): Part {
  return {
    type: 'native',
    name: stringOf(block, 'type') ?? 'unknown',
    ...markOf(block),
    source: ownSource(block),
  }
}

function parseResult(block: JsonObject, path: string): ToolResultPart {
  const callId = stringOf(block, 'tool_use_id')
  if (callId === undefined) throw invalid(`${path}.tool_use_id`, 'must be a string')
  const { content } = block
  const parts = content === undefined ? [] : parseContent(content, `${path}.content`)
  return {
    type: 'tool_result',
    callId,
    parts: parts.map((part) =>
      part.type === 'text' || part.type === 'media' || part.type === 'native'
        ? part
        : { type: 'native', name: part.type, source: part.source ?? ownSource({}) }
    ),
    ...(block.is_error === true && { isError: true }),
    ...markOf(block),
    source: ownSource(block),
  }
}

function parseMedia(block: JsonObject): MediaPart | undefined {
  const source = asObject(block.source)
  const data = source && parseData(source)
  if (data === undefined) return undefined
  const name = stringOf(block, 'title')
  const mimeType = stringOf(source, 'media_type')
  return {
    type: 'media',
    media: block.type === 'image' ? 'image' : 'file',
    data,
    ...(mimeType !== undefined && { mimeType }),
    ...(name !== undefined && { name }),
    ...markOf(block),
    source: ownSource(block),
  }
}

function parseData(source: JsonObject): MediaPart['data'] | undefined {
  const data = stringOf(source, 'data')
  if (source.type === 'base64' && data !== undefined) return { base64: data }
  if (source.type === 'text' && data !== undefined) return { text: data }
  const url = stringOf(source, 'url')
  if (source.type === 'url' && url !== undefined) return { url }
  const fileId = stringOf(source, 'file_id')
  return source.type === 'file' && fileId !== undefined ? { fileId } : undefined
}
