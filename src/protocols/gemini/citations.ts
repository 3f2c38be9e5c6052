import { countOf, recordOf, stringOf } from '../../std/record'
import type { Citation } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { asList, asObject, ownSource } from './members'

/**
 * What an answer is grounded on (`groundingMetadata`) or repeats (`citationMetadata`), which stand beside its text
 * and count in bytes. https://ai.google.dev/api/generate-content#GroundingMetadata
 */

/** A citation before its place is known in characters. */
export type Grounding = {
  /** The part that cites, among all of the candidate. */
  partIndex: number
  startByte: number | undefined
  endByte: number | undefined
  citation: Citation
}

/** The citations of a candidate, of an answer or a frame: chunk by chunk, in the order of what they support. */
export function parseGroundings(candidate: JsonObject): Grounding[] {
  const metadata = asObject(candidate.groundingMetadata)
  const supports = asList(metadata?.groundingSupports)
  const groundings = asList(metadata?.groundingChunks).flatMap((chunk, index) => {
    const found = parseChunk(chunk)
    if (found === undefined) return []
    const supported = supports.filter((support) =>
      asList(asObject(support)?.groundingChunkIndices).includes(index)
    )
    if (supported.length === 0)
      return [toGrounding({ ...found, source: ownSource(chunk) }, undefined)]
    return supported.map((support) =>
      toGrounding({ ...found, source: ownSource({ chunk, support }) }, recordOf(support, 'segment'))
    )
  })
  const recited = asObject(candidate.citationMetadata)
  // The second name is an older one.
  for (const json of asList(recited?.citations ?? recited?.citationSources)) {
    const url = stringOf(json, 'uri')
    const title = stringOf(json, 'title')
    groundings.push(toGrounding({ url, title, source: ownSource(json) }, asObject(json)))
  }
  return groundings
}

function parseChunk(json: JsonValue): Omit<Citation, 'source'> | undefined {
  const found =
    recordOf(json, 'web') ?? recordOf(json, 'retrievedContext') ?? recordOf(json, 'maps')
  if (found === undefined) return undefined
  return {
    url: stringOf(found, 'uri'),
    title: stringOf(found, 'title'),
    citedText: stringOf(found, 'text'),
  }
}

function toGrounding(citation: Citation, segment: Record<string, unknown> | undefined): Grounding {
  const endByte = countOf(segment, 'endIndex')
  return {
    partIndex: countOf(segment, 'partIndex') ?? 0,
    // Google leaves out what is 0.
    startByte: endByte === undefined ? undefined : (countOf(segment, 'startIndex') ?? 0),
    endByte,
    citation,
  }
}

/** The citation with its place in the characters of the text that cites. */
export function placeCitation({ citation, startByte, endByte }: Grounding, text: string): Citation {
  if (startByte === undefined || endByte === undefined) return citation
  const bytes = Buffer.from(text)
  const toIndex = (byte: number) => bytes.subarray(0, byte).toString().length
  return { ...citation, startIndex: toIndex(startByte), endIndex: toIndex(endByte) }
}

/** A text of an answer that cites, where it stands among the parts, and what it is called in losses. */
export type CitingText = {
  text: string
  citations: readonly Citation[]
  partIndex: number
  /** Bytes of the part before this text, where several became one. */
  offset: number
  path: string
  /** No other part of text follows: a source without a place is read as one of the last. */
  isLast: boolean
}

/** `groundingMetadata` of the texts that cite; `undefined` when none does. */
export function renderGrounding(
  texts: readonly CitingText[],
  losses: Losses
): JsonObject | undefined {
  const groundingChunks: JsonObject[] = []
  const groundingSupports: JsonObject[] = []
  for (const citing of texts)
    for (const citation of citing.citations) {
      const chunk = renderChunk(citation, citing.path, losses)
      if (chunk === undefined) continue
      const segment = renderSegment(citation, citing, losses)
      if (segment)
        groundingSupports.push({ segment, groundingChunkIndices: [groundingChunks.length] })
      groundingChunks.push(chunk)
    }
  if (groundingChunks.length === 0) return undefined
  return { groundingChunks, ...(groundingSupports.length > 0 && { groundingSupports }) }
}

function renderChunk(citation: Citation, path: string, losses: Losses): JsonObject | undefined {
  const { url, title, citedText, documentIndex } = citation
  if (documentIndex !== undefined) losses.drop(`${path}.citations`)
  const named = { ...(url !== undefined && { uri: url }), ...(title !== undefined && { title }) }
  if (url !== undefined && citedText === undefined) return { web: named }
  if (citedText !== undefined) return { retrievedContext: { ...named, text: citedText } }
  if (title !== undefined) return { retrievedContext: named }
  losses.drop(`${path}.citations`)
  return undefined
}

/**
 * Where the citation stands in the part. What is quoted for a text without a place in it, as Anthropic does, is quoted
 * for the whole text; what is not is a source of the answer, and has no place.
 */
function renderSegment(
  { startIndex, endIndex, citedText }: Citation,
  { text, offset, partIndex, path, isLast }: CitingText,
  losses: Losses
): JsonObject | undefined {
  const hasPlace = startIndex !== undefined && endIndex !== undefined
  const isWithin = hasPlace && startIndex <= endIndex && endIndex <= text.length
  const isSource = startIndex === undefined && endIndex === undefined && citedText === undefined
  if (offset > 0 || (!isWithin && !(isSource && isLast))) losses.rewrite(`${path}.citations`)
  if (isSource || (!isWithin && text === '')) return undefined
  const [start, end] = isWithin ? [startIndex, endIndex] : [0, text.length]
  return {
    partIndex,
    startIndex: offset + Buffer.byteLength(text.slice(0, start)),
    endIndex: offset + Buffer.byteLength(text.slice(0, end)),
    text: text.slice(start, end),
  }
}
