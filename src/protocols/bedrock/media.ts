import { stringOf } from '../../std/record'
import type { MediaPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { asList, asObject, defined, ownSource } from './converse-json'

/**
 * Images, documents, films and sounds as blocks: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html.
 * Each tells its format by a short name and has its data as base64 or in S3.
 */

const BLOCKS = ['image', 'document', 'video', 'audio'] as const
type BlockName = (typeof BLOCKS)[number]

const MEDIA: Readonly<Record<BlockName, MediaPart['media']>> = {
  image: 'image',
  document: 'file',
  video: 'video',
  audio: 'audio',
}

/** The formats and their types; the first name of a type is the one that is written. */
const FORMATS: Readonly<Record<BlockName, readonly (readonly [string, string])[]>> = {
  image: [
    ['png', 'image/png'],
    ['jpeg', 'image/jpeg'],
    ['gif', 'image/gif'],
    ['webp', 'image/webp'],
  ],
  document: [
    ['pdf', 'application/pdf'],
    ['csv', 'text/csv'],
    ['doc', 'application/msword'],
    ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ['xls', 'application/vnd.ms-excel'],
    ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    ['html', 'text/html'],
    ['txt', 'text/plain'],
    ['md', 'text/markdown'],
  ],
  video: [
    ['mp4', 'video/mp4'],
    ['mov', 'video/quicktime'],
    ['mkv', 'video/x-matroska'],
    ['webm', 'video/webm'],
    ['flv', 'video/x-flv'],
    ['mpeg', 'video/mpeg'],
    ['mpg', 'video/mpeg'],
    ['wmv', 'video/x-ms-wmv'],
    ['three_gp', 'video/3gpp'],
  ],
  audio: [
    ['mp3', 'audio/mpeg'],
    ['mpeg', 'audio/mpeg'],
    ['mpga', 'audio/mpeg'],
    ['wav', 'audio/wav'],
    ['opus', 'audio/opus'],
    ['ogg', 'audio/ogg'],
    ['aac', 'audio/aac'],
    ['flac', 'audio/flac'],
    ['m4a', 'audio/mp4'],
    ['mp4', 'audio/mp4'],
    ['webm', 'audio/webm'],
    ['mka', 'audio/x-matroska'],
    ['mkv', 'audio/x-matroska'],
    ['pcm', 'audio/pcm'],
  ],
}

/** Other names of the same types. */
const ALIASES: Readonly<Record<string, string>> = {
  'image/jpg': 'image/jpeg',
  'audio/mp3': 'audio/mpeg',
  'audio/x-wav': 'audio/wav',
  'audio/wave': 'audio/wav',
  'audio/vnd.wave': 'audio/wav',
  'audio/x-m4a': 'audio/mp4',
  'audio/x-flac': 'audio/flac',
  'text/x-markdown': 'text/markdown',
}

/** Names of documents that had none: they must have one, and no two the same. */
const NAMELESS = /^unnamed-document-\d+$/

/** The block as a medium; `undefined` when it is none, or holds none. */
export function parseMedia(block: JsonObject): MediaPart | undefined {
  for (const name of BLOCKS) {
    const inner = asObject(block[name])
    if (inner === undefined) continue
    const data = parseData(asObject(inner.source))
    if (data === undefined) return undefined
    const format = stringOf(inner, 'format')
    const mimeType = format === undefined ? undefined : mimeTypeOf(name, format)
    const media = MEDIA[name]
    const title = name === 'document' ? stringOf(inner, 'name') : undefined
    const part: MediaPart = { type: 'media', media, data, mimeType, source: ownSource(block) }
    return title === undefined || NAMELESS.test(title) ? part : { ...part, name: title }
  }
  return undefined
}

function parseData(source: JsonObject | undefined): MediaPart['data'] | undefined {
  const base64 = stringOf(source, 'bytes')
  if (base64 !== undefined) return { base64 }
  const text = stringOf(source, 'text')
  if (text !== undefined) return { text }
  const url = stringOf(asObject(source?.s3Location), 'uri')
  if (url !== undefined) return { url }
  if (!Array.isArray(source?.content)) return undefined
  return { text: joinTexts(source.content) }
}

function joinTexts(blocks: readonly JsonValue[]): string {
  return blocks.map((block) => stringOf(block, 'text') ?? '').join('\n')
}

/** The type that a format's name stands for; a name that is not known stands for itself. */
export function mimeTypeOf(block: BlockName, format: string): string {
  const known = FORMATS[block].find(([name]) => name === format)
  return known ? known[1] : `${block === 'document' ? 'application' : block}/${format}`
}

/** Gives each document of a request the name that it must have. */
export class DocumentNames {
  readonly #taken = new Set<string>()
  #nameless = 0

  /** A name that is taken by a document that is written as it came. */
  keep(name: string): void {
    this.#taken.add(name.toLowerCase())
  }

  /** Letters, digits, single spaces, hyphens and brackets; unique within the request, whatever the case. */
  choose(name: string | undefined): string {
    const legal = toLegalName(name ?? '')
    if (!/[A-Za-z0-9]/.test(legal)) return this.#number('unnamed-document', ++this.#nameless)
    if (!this.#taken.has(legal.toLowerCase())) {
      this.keep(legal)
      return legal
    }
    return this.#number(legal, 2)
  }

  #number(stem: string, from: number): string {
    for (let number = from; ; number++) {
      const name = `${stem.slice(0, MAX_NAME - 12)}-${number}`
      if (this.#taken.has(name.toLowerCase())) continue
      this.keep(name)
      return name
    }
  }
}

const MAX_NAME = 200

function toLegalName(name: string): string {
  return name
    .replaceAll(/[^A-Za-z0-9\s()[\]-]+/g, '-')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_NAME)
    .trim()
}

/**
 * The part as a block; `undefined`, and reported at `path`, where Bedrock has no way to say it. It takes no URLs but
 * those of S3, and no ids of files.
 */
export function renderMedia(
  part: MediaPart,
  path: string,
  names: DocumentNames,
  losses: Losses
): JsonObject | undefined {
  if (part.signature) losses.drop(`${path}.signature`)
  if (part.transcript !== undefined) losses.drop(`${path}.transcript`)
  if (part.detail !== undefined) losses.drop(`${path}.detail`)
  if (part.media !== 'file' && part.name !== undefined) losses.drop(`${path}.name`)
  const block = part.media === 'file' ? 'document' : part.media
  const source = renderData(part)
  const format = source && formatOf(part, block)
  // Only a document may leave its format to the other end.
  if (source === undefined || (format === undefined && !mayBeFormatless(part))) {
    losses.drop(path)
    return undefined
  }
  if (format !== undefined && mimeTypeOf(block, format) !== part.mimeType) losses.rewrite(path)
  if (block !== 'document') return { [block]: { format, source } }
  const name = names.choose(part.name)
  if (part.name !== undefined && part.name !== name) losses.rewrite(`${path}.name`)
  return { document: defined({ format, name, source }) }
}

function mayBeFormatless({ media, mimeType }: MediaPart): boolean {
  return media === 'file' && mimeType === undefined
}

function renderData({ data, media }: MediaPart): JsonObject | undefined {
  if ('base64' in data) return { bytes: data.base64 }
  if ('url' in data)
    return data.url.startsWith('s3://') ? { s3Location: { uri: data.url } } : undefined
  return 'text' in data && media === 'file' ? { text: data.text } : undefined
}

/** Bedrock's name for the part's type; one that nobody told is read off the data. */
function formatOf(part: MediaPart, block: BlockName): string | undefined {
  const { data } = part
  const told = part.mimeType ?? ('base64' in data ? sniff(data.base64) : undefined)
  const [essence = ''] = told?.toLowerCase().split(';') ?? []
  const mimeType = ALIASES[essence.trim()] ?? essence.trim()
  return FORMATS[block].find(([, known]) => known === mimeType)?.[0]
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

/** The name of a document that is written as it came; `undefined` for other blocks. */
export function documentName(block: JsonValue): string | undefined {
  return stringOf(asObject(asObject(block)?.document), 'name')
}

/** The documents within a tool's result. */
export function nestedBlocks(block: JsonValue): JsonValue[] {
  return asList(asObject(asObject(block)?.toolResult)?.content)
}
