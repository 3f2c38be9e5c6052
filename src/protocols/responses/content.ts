import { recordOf, stringOf } from '../../std/record'
import type { TokenLogprob } from '../answer'
import type { CacheMark, Citation, Part, TextPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { parseMedia, renderMedia } from './media'
import { asList, asNumber, asObject, ownJson, ownSource } from './responses-json'

/**
 * The content of messages, in requests and in answers.
 * https://platform.openai.com/docs/api-reference/responses/object
 */

/** What a native part that stands for content of unknown type is called, before that type. */
export const CONTENT = 'content:'

/** One piece of a message's content; one of unknown type, or without what its type stands for, is native. */
export function parseContent(json: JsonValue): Part {
  const source = ownSource(json)
  if (typeof json === 'string') return { type: 'text', text: json, source }
  const content = asObject(json)
  const known = content && parseKnown(content)
  if (!known)
    return { type: 'native', name: `${CONTENT}${stringOf(content, 'type') ?? 'unknown'}`, source }
  const cache = parseCacheMark(content)
  return cache ? { ...known, cache } : known
}

const TEXTS: ReadonlySet<JsonValue | undefined> = new Set(['input_text', 'output_text', 'text'])

function parseKnown(content: JsonObject): Part | undefined {
  const source = ownSource(content)
  if (TEXTS.has(content.type)) {
    const text = stringOf(content, 'text')
    if (text === undefined) return undefined
    const citations = asList(content.annotations).map(parseAnnotation)
    return { type: 'text', text, ...(citations.length > 0 && { citations }), source }
  }
  if (content.type === 'refusal') {
    const text = stringOf(content, 'refusal')
    return text === undefined ? undefined : { type: 'refusal', text, source }
  }
  return parseMedia(content)
}

/**
 * Marks for OpenAI's newest models: https://platform.openai.com/docs/guides/prompt-caching. Half an hour is what
 * they keep a prefix for unless told otherwise.
 */
function parseCacheMark(content: JsonObject): CacheMark | undefined {
  const mark = recordOf(content, 'prompt_cache_breakpoint')
  if (mark === undefined) return undefined
  return mark.ttl === '12h' ? { ttl: '1h' } : {}
}

/** A `url_citation` tells all; of citations of files only the name. */
export function parseAnnotation(json: JsonValue): Citation {
  const annotation = asObject(json)
  const start = asNumber(annotation?.start_index)
  const end = asNumber(annotation?.end_index)
  // Where a place has to be told and is not known, it is this one.
  const isPlaced = !(start === 0 && end === 0)
  return {
    url: stringOf(annotation, 'url'),
    title: stringOf(annotation, 'title') || stringOf(annotation, 'filename'),
    ...(isPlaced && { startIndex: start, endIndex: end }),
    source: ownSource(json),
  }
}

/** A citation as an annotation; `undefined`, and reported at `path`, where it is not one of a page. */
export function renderAnnotation(
  citation: Citation,
  path: string,
  losses: Losses
): JsonObject | undefined {
  const own = asObject(ownJson(citation.source))
  if (own) return own
  const { url, title = '', startIndex = 0, endIndex = 0, citedText, documentIndex } = citation
  if (url === undefined) {
    losses.drop(path)
    return undefined
  }
  if (citedText !== undefined) losses.drop(`${path}.cited_text`)
  if (documentIndex !== undefined) losses.drop(`${path}.document_index`)
  return { type: 'url_citation', start_index: startIndex, end_index: endIndex, title, url }
}

/** The annotations of a text; those that can't be said are reported. */
export function renderAnnotations(part: TextPart, path: string, losses: Losses): JsonObject[] {
  return (part.citations ?? [])
    .map((citation, index) => renderAnnotation(citation, `${path}.citations.${index}`, losses))
    .filter((annotation) => annotation !== undefined)
}

/** A part as content of a user's, a system's or a tool's message; what can't be said is reported. */
export function renderInputContent(
  part: Part,
  path: string,
  losses: Losses
): JsonObject | undefined {
  const own = ownJson(part.source)
  if (typeof own === 'string') return { type: 'input_text', text: own }
  if (own !== undefined) return asObject(own)
  if (part.type === 'media') return renderMedia(part, path, losses)
  if (part.type === 'refusal') {
    losses.rewrite(path)
    return { type: 'input_text', text: part.text }
  }
  if (part.type !== 'text') {
    losses.drop(path)
    return undefined
  }
  reportText(part, path, losses)
  if (part.citations?.length) losses.drop(`${path}.citations`)
  return { type: 'input_text', text: part.text }
}

/** What no text of this format can say. */
export function reportText(part: TextPart, path: string, losses: Losses): void {
  if (part.cache) losses.drop(`${path}.cache_control`)
  if (part.signature) losses.drop(`${path}.signature`)
}

/** `logprobs` of a text, or of a delta of it. */
export function parseLogprobs(json: JsonValue | undefined): TokenLogprob[] {
  const tokens: TokenLogprob[] = []
  for (const entry of asList(json)) {
    const token = parseToken(entry)
    if (token === undefined) continue
    const others = asList(asObject(entry)?.top_logprobs).map(parseToken)
    tokens.push({ ...token, top: others.filter((other) => other !== undefined) })
  }
  return tokens
}

function parseToken(json: JsonValue): Omit<TokenLogprob, 'top'> | undefined {
  const entry = asObject(json)
  const token = stringOf(entry, 'token')
  const logprob = asNumber(entry?.logprob)
  if (token === undefined || logprob === undefined) return undefined
  const bytes = asList(entry?.bytes).flatMap((byte) => asNumber(byte) ?? [])
  return { token, logprob, ...(bytes.length > 0 && { bytes }) }
}

/** Clients take the lists for granted: bytes that are not known are none. */
export function renderLogprob({ token, logprob, bytes, top }: TokenLogprob): JsonObject {
  return {
    token,
    bytes: bytes ?? [],
    logprob,
    top_logprobs: top.map(({ token, logprob, bytes }) => ({ token, bytes: bytes ?? [], logprob })),
  }
}
