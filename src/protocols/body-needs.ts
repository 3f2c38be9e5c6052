import { findBytes } from '../std/bytes'

/** What a model must be able to do for a request, by the names of abilities in models/. */
export const NEEDS = [
  'tools',
  'vision',
  'schema',
  'pdf-input',
  'audio-input',
  'video-input',
] as const

export type Need = (typeof NEEDS)[number]

/** A text in quotes or the beginning of one, and what must stand around it. */
type Marker = { readonly text: Buffer; readonly before?: RegExp; readonly after?: RegExp }

const AROUND_BYTES = 48

const IS_TYPE = /"type"\s*:\s*$/
const IS_MIME = /"(?:mime_?[tT]ype|media_?[tT]ype)"\s*:\s*$/
const IS_FILLED_LIST = /^\s*:\s*\[\s*[^\]\s]/
const IS_OBJECT = /^\s*:\s*\{/
const IS_MEDIUM = /^\s*:\s*\{\s*"(?:format|source|name)"/

const type = (name: string): Marker => ({ text: Buffer.from(`"${name}"`), before: IS_TYPE })
const mime = (start: string): Marker => ({ text: Buffer.from(`"${start}`), before: IS_MIME })
const member = (name: string, after: RegExp): Marker => ({ text: Buffer.from(`"${name}"`), after })

/**
 * What shows each need in some format: OpenAI's chat and Responses, Anthropic's Messages, Google's generateContent,
 * Bedrock's Converse, Cohere's and Ollama's chat. Names within texts are written with a backslash before their quote,
 * and so are none of these.
 */
const MARKERS: Readonly<Record<Need, readonly Marker[]>> = {
  tools: [
    member('tools', IS_FILLED_LIST),
    member('functions', IS_FILLED_LIST),
    member('toolConfig', IS_OBJECT),
  ],
  vision: [
    type('image_url'),
    type('input_image'),
    type('image'),
    mime('image/'),
    member('image', IS_MEDIUM),
    member('images', IS_FILLED_LIST),
  ],
  schema: [
    type('json_schema'),
    member('responseSchema', IS_OBJECT),
    member('responseJsonSchema', IS_OBJECT),
    member('response_schema', IS_OBJECT),
    member('response_json_schema', IS_OBJECT),
  ],
  'pdf-input': [
    type('file'),
    type('input_file'),
    type('document'),
    mime('application/pdf'),
    member('document', IS_MEDIUM),
  ],
  'audio-input': [type('input_audio'), mime('audio/')],
  'video-input': [type('video_url'), mime('video/'), member('video', IS_MEDIUM)],
}

/** What one of them has in it at least: most bodies have none, and a search takes a tenth of a microsecond. */
const HINTS: Readonly<Record<Need, readonly Buffer[]>> = {
  tools: ['"tool', '"functions"'].map((text) => Buffer.from(text)),
  vision: ['image'].map((text) => Buffer.from(text)),
  schema: ['chema"'].map((text) => Buffer.from(text)),
  'pdf-input': ['file"', '"document"', '"application/pdf'].map((text) => Buffer.from(text)),
  'audio-input': ['audio'].map((text) => Buffer.from(text)),
  'video-input': ['"video'].map((text) => Buffer.from(text)),
}

/** Whether a request's body shows a need. A body in which it can't be seen needs nothing. */
export function bodyNeeds(body: Uint8Array, need: Need): boolean {
  if (!HINTS[need].some((hint) => findBytes(body, hint) >= 0)) return false
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
  return MARKERS[need].some((marker) => hasMarker(bytes, marker))
}

function hasMarker(bytes: Buffer, { text, before, after }: Marker): boolean {
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) {
    const end = at + text.length
    if (before && !before.test(bytes.toString('latin1', Math.max(0, at - AROUND_BYTES), at)))
      continue
    if (after && !after.test(bytes.toString('latin1', end, end + AROUND_BYTES))) continue
    return true
  }
  return false
}
