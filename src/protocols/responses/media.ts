import { stringOf } from '../../std/record'
import type { MediaPart } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { ownSource, withoutUndefined } from './responses-json'

/**
 * Images, sounds and files as content of a message: `input_image`, `input_file`, `input_audio`.
 * https://platform.openai.com/docs/guides/pdf-files, https://platform.openai.com/docs/guides/images-vision
 */

/** The content as a medium; `undefined` when it is none, or holds none. */
export function parseMedia(content: JsonObject): MediaPart | undefined {
  const { type } = content
  const source = ownSource(content)
  if (type === 'input_image') {
    const media = fromMember('image', content, 'image_url')
    return media && { ...media, detail: stringOf(content, 'detail'), source }
  }
  if (type === 'input_audio') {
    const base64 = stringOf(content.input_audio, 'data')
    const format = stringOf(content.input_audio, 'format')
    if (base64 === undefined) return undefined
    const mimeType = format ? (AUDIO_MIME_TYPES[format] ?? `audio/${format}`) : undefined
    return { type: 'media', media: 'audio', data: { base64 }, mimeType, source }
  }
  if (type !== 'input_file') return undefined
  const media = fromMember('file', content, 'file_data') ?? fromMember('file', content, 'file_url')
  const filename = stringOf(content, 'filename')
  const name = filename?.startsWith(NAMELESS) ? undefined : filename
  return media && { ...media, name, detail: stringOf(content, 'detail'), source }
}

/** The medium that stands in a member as a URL, with data in it or not, or else at the provider. */
function fromMember(
  media: 'image' | 'file',
  content: JsonObject,
  member: string
): MediaPart | undefined {
  const url = stringOf(content, member)
  const fileId = stringOf(content, 'file_id')
  if (!url) return fileId ? { type: 'media', media, data: { fileId } } : undefined
  const comma = url.startsWith('data:') ? url.indexOf(',') : -1
  const head = comma < 0 ? '' : url.slice(5, comma)
  if (head.endsWith(';base64')) {
    const mimeType = head.slice(0, head.indexOf(';')) || undefined
    return { type: 'media', media, data: { base64: url.slice(comma + 1) }, mimeType }
  }
  // Some clients give a file's data alone.
  if (member === 'file_data' && comma < 0) return { type: 'media', media, data: { base64: url } }
  return { type: 'media', media, data: { url } }
}

/**
 * The medium as content of a user's or a tool's message; `undefined`, and reported at `path`, where the format
 * has no way to say it.
 */
export function renderMedia(part: MediaPart, path: string, losses: Losses): JsonObject | undefined {
  const { media, name, detail, transcript } = part
  if (part.cache) losses.drop(`${path}.cache_control`)
  if (part.signature) losses.drop(`${path}.signature`)
  if (transcript !== undefined) losses.drop(`${path}.transcript`)
  if (media !== 'file' && name !== undefined) losses.drop(`${path}.name`)
  if (media === 'audio' && detail !== undefined) losses.drop(`${path}.detail`)
  const rendered = renderByKind(part, path, losses)
  if (rendered === undefined) losses.drop(path)
  return rendered
}

function renderByKind(part: MediaPart, path: string, losses: Losses): JsonObject | undefined {
  if (part.media === 'image') return renderImage(part, path, losses)
  if (part.media === 'file') return renderFile(part, path, losses)
  return part.media === 'audio' ? renderAudio(part, path, losses) : undefined
}

function renderImage(part: MediaPart, path: string, losses: Losses): JsonObject | undefined {
  const { data, detail, mimeType } = part
  if ('text' in data || !isReachable(part)) return undefined
  if (!('base64' in data) && mimeType !== undefined) losses.drop(`${path}.mime_type`)
  return withoutUndefined({
    type: 'input_image',
    file_id: 'fileId' in data ? data.fileId : undefined,
    image_url: 'url' in data ? data.url : undefined,
    ...('base64' in data && { image_url: toDataUrl(data.base64, mimeType, path, losses) }),
    detail,
  })
}

function renderFile(part: MediaPart, path: string, losses: Losses): JsonObject | undefined {
  const { data, mimeType, name, detail } = part
  if (!isReachable(part)) return undefined
  if ('text' in data) {
    losses.rewrite(path)
    const base64 = Buffer.from(data.text).toString('base64')
    const filename = name ?? `${NAMELESS}txt`
    return { type: 'input_file', filename, file_data: `data:text/plain;base64,${base64}` }
  }
  if ('base64' in data) {
    // Data without a name is refused; the name of one that has none is known again when it comes back.
    const extension = /^[^/]*\/([a-z0-9]+)/.exec(mimeType ?? '')?.[1] ?? 'pdf'
    const filename = name ?? `${NAMELESS}${extension}`
    const fileData = toDataUrl(data.base64, mimeType, path, losses)
    return withoutUndefined({ type: 'input_file', filename, file_data: fileData, detail })
  }
  if (mimeType !== undefined) losses.drop(`${path}.mime_type`)
  const place = 'url' in data ? { file_url: data.url } : { file_id: data.fileId }
  return withoutUndefined({ type: 'input_file', ...place, filename: name, detail })
}

const NAMELESS = 'unnamed-file.'

function renderAudio(part: MediaPart, path: string, losses: Losses): JsonObject | undefined {
  const { data, mimeType } = part
  if (!('base64' in data) || !mimeType?.startsWith('audio/')) return undefined
  const format = AUDIO_FORMATS[mimeType] ?? mimeType.slice('audio/'.length)
  // The format has one name for what has several.
  if ((AUDIO_MIME_TYPES[format] ?? `audio/${format}`) !== mimeType) losses.rewrite(path)
  return { type: 'input_audio', input_audio: { data: data.base64, format } }
}

/** Files kept at another provider, and in a cloud's own storage, are out of reach. */
function isReachable({ data, source }: MediaPart): boolean {
  if ('url' in data) return /^(https?|data):/i.test(data.url)
  return !('fileId' in data) || source === undefined || source.protocol.startsWith('openai-')
}

/** A type that the sender left open is not known here either: the other end reads it off the data. */
function toDataUrl(
  base64: string,
  mimeType: string | undefined,
  path: string,
  losses: Losses
): string {
  if (mimeType === undefined) losses.rewrite(path)
  return `data:${mimeType ?? 'application/octet-stream'};base64,${base64}`
}

const AUDIO_MIME_TYPES: Readonly<Record<string, string>> = { wav: 'audio/wav', mp3: 'audio/mpeg' }

const AUDIO_FORMATS: Readonly<Record<string, string>> = {
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/wave': 'wav',
  'audio/vnd.wave': 'wav',
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
}
