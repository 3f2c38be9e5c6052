import { recordOf, stringOf } from '../../std/record'
import type { MediaPart } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { ownObject, ownSource } from './chat-json'

/**
 * Images, sounds, films and files as content parts: `image_url`, `input_audio`, `file`, and `video_url`, which
 * OpenRouter, vLLM and Qwen's hosts add.
 * https://platform.openai.com/docs/api-reference/chat/create, https://openrouter.ai/docs/features/multimodal
 */

/** The part as a medium; `undefined` when it is none, or holds none. */
export function parseMedia(part: JsonObject): MediaPart | undefined {
  const source = ownSource(part)
  if (part.type === 'image_url') {
    const url = stringOf(part.image_url, 'url') ?? stringOf(part, 'image_url')
    const detail = stringOf(part.image_url, 'detail')
    return url === undefined ? undefined : { ...fromUrl('image', url), detail, source }
  }
  if (part.type === 'video_url') {
    const url = stringOf(part.video_url, 'url') ?? stringOf(part, 'video_url')
    return url === undefined ? undefined : { ...fromUrl('video', url), source }
  }
  if (part.type === 'input_audio') return parseAudio(part)
  return part.type === 'file' ? parseFile(part) : undefined
}

function parseAudio(part: JsonObject): MediaPart | undefined {
  const data = stringOf(part.input_audio, 'data')
  if (data === undefined) return undefined
  const source = ownSource(part)
  // Qwen's hosts take URLs here, with data in them or not.
  if (/^(data|https?):/.test(data)) return { ...fromUrl('audio', data), source }
  const format = stringOf(part.input_audio, 'format')
  const mimeType = format ? (AUDIO_MIME_TYPES[format] ?? `audio/${format}`) : undefined
  return { type: 'media', media: 'audio', data: { base64: data }, mimeType, source }
}

function parseFile(part: JsonObject): MediaPart | undefined {
  const file = recordOf(part, 'file')
  const fileId = stringOf(file, 'file_id')
  const fileData = stringOf(file, 'file_data')
  const filename = stringOf(file, 'filename')
  const name = filename?.startsWith(NAMELESS) ? undefined : filename
  const source = ownSource(part)
  if (fileId !== undefined) return { type: 'media', media: 'file', data: { fileId }, name, source }
  if (fileData === undefined) return undefined
  // OpenRouter takes a URL in the place of data.
  const media: MediaPart = /^(data|https?):/.test(fileData)
    ? fromUrl('file', fileData)
    : { type: 'media', media: 'file', data: { base64: fileData } }
  return { ...media, name, source }
}

/** `data:` URLs in base64 become their data; all others stay URLs. */
function fromUrl(media: MediaPart['media'], url: string): MediaPart {
  const comma = url.startsWith('data:') ? url.indexOf(',') : -1
  const head = comma < 0 ? '' : url.slice(5, comma)
  if (!head.endsWith(';base64')) return { type: 'media', media, data: { url } }
  const mimeType = head.slice(0, head.indexOf(';')) || undefined
  return { type: 'media', media, data: { base64: url.slice(comma + 1) }, mimeType }
}

/**
 * The part as content of a user's message, its own JSON where it came from this format; `undefined`, and
 * reported at `path`, where the format has no way to say it.
 */
export function renderMedia(part: MediaPart, path: string, losses: Losses): JsonObject | undefined {
  const own = ownObject(part.source)
  if (own) return own
  reportMedia(part, path, losses)
  const rendered = renderByKind(part, path, losses)
  if (rendered === undefined) losses.drop(path)
  return rendered
}

/** Tells what a medium in a request has no place for. */
export function reportMedia(part: MediaPart, path: string, losses: Losses): void {
  if (part.cache) losses.drop(`${path}.cache_control`)
  if (part.signature) losses.drop(`${path}.signature`)
  if (part.transcript !== undefined) losses.drop(`${path}.transcript`)
  if (part.media !== 'file' && part.name !== undefined) losses.drop(`${path}.name`)
  if (part.media !== 'image' && part.detail !== undefined) losses.drop(`${path}.detail`)
}

function renderByKind(part: MediaPart, path: string, losses: Losses): JsonObject | undefined {
  const { data, media } = part
  // A document that is plain text goes as text: hosts take PDFs alone as files.
  if ('text' in data) {
    losses.rewrite(path)
    return { type: 'text', text: data.text }
  }
  if (media === 'file') return renderFile(part, path, losses)
  if ('fileId' in data) return undefined
  if (media === 'audio') return renderAudio(part, path, losses)
  if ('url' in data && part.mimeType !== undefined) losses.drop(`${path}.mime_type`)
  const url = 'url' in data ? data.url : toDataUrl(data.base64, part.mimeType, path, losses)
  if (media === 'video') return { type: 'video_url', video_url: { url } }
  return { type: 'image_url', image_url: { url, ...(part.detail && { detail: part.detail }) } }
}

function renderAudio(part: MediaPart, path: string, losses: Losses): JsonObject | undefined {
  if (!('base64' in part.data)) return undefined
  const { base64: data } = part.data
  const mimeType = part.mimeType ?? sniff(data)
  if (!mimeType?.startsWith('audio/')) return undefined
  const format = AUDIO_FORMATS[mimeType] ?? mimeType.slice('audio/'.length)
  // The format has one name for what has several, and none for what is left to the other end.
  if ((AUDIO_MIME_TYPES[format] ?? `audio/${format}`) !== part.mimeType) losses.rewrite(path)
  return { type: 'input_audio', input_audio: { data, format } }
}

function renderFile(part: MediaPart, path: string, losses: Losses): JsonObject | undefined {
  const { data, name, mimeType } = part
  const filename = name === undefined ? {} : { filename: name }
  if ('fileId' in data) {
    if (mimeType !== undefined) losses.drop(`${path}.mime_type`)
    return { type: 'file', file: { file_id: data.fileId, ...filename } }
  }
  if (!('base64' in data)) return undefined
  const fileData = toDataUrl(data.base64, mimeType, path, losses)
  // Data without a name is refused; the name of one that has none is known again when it comes back.
  const extension = /^[^/]*\/([a-z0-9]+)/.exec(mimeType ?? '')?.[1] ?? 'pdf'
  return {
    type: 'file',
    file: { filename: name ?? `${NAMELESS}${extension}`, file_data: fileData },
  }
}

const NAMELESS = 'unnamed-file.'

/** The data as a URL; a type that the sender left open is read off the data, and reported. */
function toDataUrl(
  base64: string,
  mimeType: string | undefined,
  path: string,
  losses: Losses
): string {
  if (mimeType === undefined) losses.rewrite(path)
  return `data:${mimeType ?? sniff(base64) ?? UNKNOWN_TYPE};base64,${base64}`
}

const UNKNOWN_TYPE = 'application/octet-stream'

/** An image that an answer brings, as the URL that `message.images` wants. */
export function imageUrl(part: MediaPart): string | undefined {
  if ('url' in part.data) return part.data.url
  if (!('base64' in part.data)) return undefined
  const { base64 } = part.data
  return `data:${part.mimeType ?? sniff(base64) ?? UNKNOWN_TYPE};base64,${base64}`
}

/** The type that the first bytes give away: https://en.wikipedia.org/wiki/List_of_file_signatures */
function sniff(base64: string): string | undefined {
  for (const [start, mimeType] of SIGNATURES) if (base64.startsWith(start)) return mimeType
  return base64.startsWith('UklGR') ? RIFF[base64.slice(12, 16)] : undefined
}

const SIGNATURES: readonly (readonly [string, string])[] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['JVBERi0', 'application/pdf'],
  ['SUQz', 'audio/mpeg'],
  ['//v', 'audio/mpeg'],
]

/** Bytes 9 to 11 of a RIFF file in base64: what is left of "WEBP" and "WAVE". */
const RIFF: Readonly<Record<string, string>> = { RUJQ: 'image/webp', QVZF: 'audio/wav' }

const AUDIO_MIME_TYPES: Readonly<Record<string, string>> = { wav: 'audio/wav', mp3: 'audio/mpeg' }

const AUDIO_FORMATS: Readonly<Record<string, string>> = {
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/wave': 'wav',
  'audio/vnd.wave': 'wav',
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
}
