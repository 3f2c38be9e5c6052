import { countOf, recordOf } from '../../std/record'
import { asAnswer, dropRest, malformed, onlyAtHome, readCount } from '../convert'
import type { JsonObject, JsonValue } from '../json'
import { NO_USAGE, type Usage } from '../usage'
import {
  type EmbedCodec,
  type EmbedPurpose,
  type EmbedRequest,
  readVector,
  toWanted,
} from './embed'

const PURPOSES: Readonly<Record<string, EmbedPurpose>> = {
  search_query: 'query',
  search_document: 'document',
  classification: 'classification',
  clustering: 'clustering',
}

const INPUT_TYPES: Readonly<Record<EmbedPurpose, string>> = {
  query: 'search_query',
  document: 'search_document',
  similarity: 'clustering',
  classification: 'classification',
  clustering: 'clustering',
}

const TRUNCATES = { NONE: 'none', START: 'start', END: 'end' } as const

/** Embeddings as Cohere has them: https://docs.cohere.com/reference/embed */
export const cohereEmbedCodec: EmbedCodec = {
  parseRequest(body, losses) {
    const {
      model: _model,
      texts,
      input_type: purpose,
      output_dimension: dimensions,
      ...more
    } = body
    const { truncate, embedding_types: types, images, inputs, ...rest } = more
    if (images || inputs) throw onlyAtHome(images ? 'images' : 'inputs', 'holds images')
    if (!Array.isArray(texts)) throw onlyAtHome('texts', 'must be a list of texts')
    dropRest(rest, losses)
    const wanted = typesOf(types)
    for (const type of wanted)
      if (type !== 'float' && type !== 'base64') losses.drop(`embedding_types.${type}`)
    return {
      texts: texts.map(readText),
      isSingle: false,
      dimensions: readCount(dimensions, 'output_dimension'),
      purpose: typeof purpose === 'string' ? PURPOSES[purpose] : undefined,
      truncate: truncateOf(truncate),
      isBase64: wanted.length === 1 && wanted[0] === 'base64',
    }
  },

  renderRequest({ texts, dimensions, purpose = 'document', truncate, isBase64 }, model) {
    return {
      model,
      texts: [...texts],
      input_type: INPUT_TYPES[purpose],
      embedding_types: [isBase64 ? 'base64' : 'float'],
      ...(dimensions !== undefined && { output_dimension: dimensions }),
      ...(truncate && { truncate: truncate.toUpperCase() }),
    }
  },

  parseAnswer(json) {
    const { embeddings, meta } = asAnswer(json)
    const byType = Array.isArray(embeddings) ? embeddings : firstOf(embeddings)
    if (!Array.isArray(byType)) throw malformed('no embeddings')
    return { vectors: byType.map(readVector), usage: toBilled(meta) }
  },

  renderAnswer({ vectors, usage }, { request }) {
    const type = request.isBase64 ? 'base64' : 'float'
    return {
      ...shared(request, usage),
      embeddings: { [type]: vectors.map((vector) => toWanted(vector, request.isBase64)) },
      response_type: 'embeddings_by_type',
    }
  },
}

/** The same of its first version, whose clients read plain lists: https://docs.cohere.com/v1/reference/embed */
export const cohereFirstEmbedCodec: EmbedCodec = {
  ...cohereEmbedCodec,
  renderAnswer({ vectors, usage }, { request }) {
    return {
      ...shared(request, usage),
      embeddings: vectors.map((vector) => toWanted(vector, request.isBase64)),
      response_type: 'embeddings_floats',
    }
  },
}

/** What the host bills, as its answers say: https://docs.cohere.com/reference/embed */
export function toBilled(meta: unknown): Usage | undefined {
  const inputTokens = countOf(recordOf(meta, 'billed_units'), 'input_tokens')
  return inputTokens === undefined ? undefined : { ...NO_USAGE, inputTokens }
}

function shared({ texts }: EmbedRequest, usage: Usage | undefined): JsonObject {
  return {
    id: crypto.randomUUID(),
    texts: [...texts],
    meta: {
      api_version: { version: '2' },
      billed_units: { input_tokens: usage?.inputTokens ?? 0 },
    },
  }
}

function typesOf(types: JsonValue | undefined): string[] {
  if (!Array.isArray(types)) return []
  return types.filter((type) => typeof type === 'string')
}

function readText(text: JsonValue): string {
  if (typeof text === 'string') return text
  throw onlyAtHome('texts', 'must be a list of texts')
}

function truncateOf(word: JsonValue | undefined): EmbedRequest['truncate'] {
  for (const [theirs, ours] of Object.entries(TRUNCATES)) if (word === theirs) return ours
  return undefined
}

/** Of several types one was asked for. */
function firstOf(embeddings: JsonValue | undefined): JsonValue | undefined {
  if (typeof embeddings !== 'object' || embeddings === null || Array.isArray(embeddings))
    return undefined
  return embeddings.float ?? embeddings.base64
}
