import { recordOf, stringOf } from '../../std/record'
import type { Citation, NativePart, Part } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { asList, asObject, ownObject, ownSource } from './own'

/** What a native part that holds a citation of no text is called. */
export const CITATION = 'citation'

/**
 * Reads one citation: an entry for each source it names, or one without any, all of the same JSON. The place is
 * counted in the text that cites; `text` is a piece of that text, so the words cited are the document's own.
 * https://docs.cohere.com/v2/docs/rag-citations
 */
export function parseCitation(json: JsonValue): Citation[] {
  const citation = asObject(json)
  if (citation === undefined) return []
  const source = ownSource(citation)
  const startIndex = numberOf(citation.start)
  const endIndex = numberOf(citation.end)
  const sources = asList(citation.sources)
  if (sources.length === 0) return [{ startIndex, endIndex, source }]
  return sources.map((cited) => {
    const document = recordOf(cited, 'document')
    return {
      url: stringOf(document, 'url'),
      title: stringOf(document, 'title'),
      citedText: stringOf(document, 'text') ?? stringOf(document, 'snippet'),
      documentIndex: documentIndexOf(stringOf(cited, 'id')),
      startIndex,
      endIndex,
      source,
    }
  })
}

/** Documents without an id of their own are called by their place: `doc:0`. */
function documentIndexOf(id: string | undefined): number | undefined {
  const [, index] = /^doc:(\d{1,9})$/.exec(id ?? '') ?? []
  return index === undefined ? undefined : Number(index)
}

function numberOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}

/** Which part of a message a citation stands in; thoughts hold none in the neutral model. */
export type CitationPlace = {
  in: 'content' | 'plan' | 'thoughts'
  contentIndex: number | undefined
}

/** Reads where a citation belongs. */
export function citationPlace(citation: JsonObject): CitationPlace {
  const contentIndex = numberOf(citation.content_index)
  if (citation.type === 'PLAN') return { in: 'plan', contentIndex }
  return { in: citation.type === 'THINKING_CONTENT' ? 'thoughts' : 'content', contentIndex }
}

/** A citation that no text of the neutral model can hold, as a part of its own. */
export function toNativeCitation(citation: JsonObject): NativePart {
  return { type: 'native', name: CITATION, source: ownSource(citation) }
}

/** A text's citations as this format has them, each once. */
export function ownCitations(part: Part): JsonObject[] {
  const found = new Set<JsonObject>()
  if (part.type !== 'text') return []
  for (const { source } of part.citations ?? []) {
    const own = ownObject(source)
    if (own) found.add(own)
  }
  return [...found]
}
