import { stringOf } from '../../std/record'
import type { MediaPart } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { getObject, getText, ownObject, ownSource, parseSignature } from './members'

/**
 * Images, sounds, films and files: `inlineData` with the data in base64, `fileData` with an address. Files that were
 * uploaded to Google have addresses of their own; YouTube's and other public addresses are URLs.
 * https://ai.google.dev/api/caching#Part, https://ai.google.dev/gemini-api/docs/file-input-methods
 */

/** The part as a medium; `undefined` when it is none, or holds none. */
export function parseMedia(part: JsonObject): MediaPart | undefined {
  const inline = getObject(part, 'inlineData')
  const base64 = stringOf(inline, 'data')
  const signature = parseSignature(part)
  const common = {
    type: 'media',
    ...(signature && { signature }),
    source: ownSource(part),
  } as const
  if (inline && base64 !== undefined) {
    const mimeType = getText(inline, 'mimeType')
    return { ...common, media: kindOf(mimeType), data: { base64 }, mimeType }
  }
  const file = getObject(part, 'fileData')
  const uri = getText(file, 'fileUri')
  if (file === undefined || uri === undefined) return undefined
  const mimeType = getText(file, 'mimeType')
  const media = kindOf(mimeType ?? mimeTypeOfUrl(uri) ?? (isYoutube(uri) ? 'video/*' : undefined))
  if (isOwnFile(uri)) return { ...common, media, data: { fileId: uri }, mimeType }
  // What the address already says was put there by `renderMedia`.
  const isImplied = mimeType !== undefined && mimeType === mimeTypeOfUrl(uri)
  return { ...common, media, data: { url: uri }, mimeType: isImplied ? undefined : mimeType }
}

function kindOf(mimeType: string | undefined): MediaPart['media'] {
  const kind = mimeType?.slice(0, mimeType.indexOf('/'))
  return kind === 'image' || kind === 'audio' || kind === 'video' ? kind : 'file'
}

/** A file that only Google has: uploaded by its Files API, or in Cloud Storage. */
function isOwnFile(uri: string): boolean {
  return /^(gs:\/\/|files\/|https:\/\/generativelanguage\.googleapis\.com\/)/.test(uri)
}

function isYoutube(uri: string): boolean {
  return /^https:\/\/(www\.youtube\.com|youtu\.be)\//.test(uri)
}

const MIME_TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  flac: 'audio/flac',
  ogg: 'audio/ogg',
  mp4: 'video/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
  pdf: 'application/pdf',
  txt: 'text/plain',
}

function mimeTypeOfUrl(url: string): string | undefined {
  const extension = /^[^?#]*\.([A-Za-z0-9]+)(?:[?#]|$)/.exec(url)?.[1]?.toLowerCase()
  return extension !== undefined && Object.hasOwn(MIME_TYPES, extension)
    ? MIME_TYPES[extension]
    : undefined
}

/** How the data of common types begins, in base64. */
const BEGINNINGS: readonly [beginning: string, mimeType: string][] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['JVBERi0', 'application/pdf'],
  ['SUQz', 'audio/mp3'],
  ['T2dnUw', 'audio/ogg'],
  ['ZkxhQ', 'audio/flac'],
]

const FALLBACKS: Readonly<Record<MediaPart['media'], string>> = {
  image: 'image/jpeg',
  audio: 'audio/wav',
  video: 'video/mp4',
  file: 'application/pdf',
}

/**
 * The medium as a part, its own JSON where it came from this format; `undefined`, and reported at `path`, where the
 * format has no way to say it. Data must have a type here: one that is not told is found by its first bytes.
 */
export function renderMedia(part: MediaPart, path: string, losses: Losses): JsonObject | undefined {
  const own = ownObject(part.source)
  if (own) return own
  const { data, media } = part
  const isForeign = 'fileId' in data && !isOwnFile(data.fileId)
  if (isForeign || ('url' in data && data.url.startsWith('data:'))) {
    losses.drop(path)
    return undefined
  }
  if (part.cache) losses.drop(`${path}.cache_control`)
  if (part.name !== undefined) losses.drop(`${path}.name`)
  if (part.detail !== undefined) losses.drop(`${path}.detail`)
  if (part.transcript !== undefined) losses.drop(`${path}.transcript`)
  if ('text' in data) {
    losses.rewrite(path)
    const base64 = Buffer.from(data.text).toString('base64')
    return { inlineData: { mimeType: part.mimeType ?? 'text/plain', data: base64 } }
  }
  if ('base64' in data)
    return {
      inlineData: { mimeType: typeOfData(part, data.base64, path, losses), data: data.base64 },
    }
  const uri = 'url' in data ? data.url : data.fileId
  const mimeType = part.mimeType ?? ('url' in data ? mimeTypeOfUrl(uri) : undefined)
  const read = parseMedia({ fileData: { mimeType, fileUri: uri } })
  const isSame =
    read?.media === media &&
    read.mimeType === part.mimeType &&
    'fileId' in read.data === 'fileId' in data
  if (!isSame) losses.rewrite(path)
  return { fileData: { ...(mimeType !== undefined && { mimeType }), fileUri: uri } }
}

function typeOfData(part: MediaPart, base64: string, path: string, losses: Losses): string {
  const { media, mimeType } = part
  if (mimeType === undefined) losses.rewrite(`${path}.mime_type`)
  else if (kindOf(mimeType) !== media) losses.rewrite(path)
  if (mimeType !== undefined) return mimeType
  return BEGINNINGS.find(([beginning]) => base64.startsWith(beginning))?.[1] ?? FALLBACKS[media]
}
