import { isRecord, recordOf, stringOf } from '../../std/record'
import {
  asAnswer,
  dropRest,
  malformed,
  onlyAtHome,
  type OperationCodec,
  readCount,
} from '../convert'
import type { JsonObject, JsonValue } from '../json'
import { countOf } from '../../std/record'
import { NO_USAGE, type Usage } from '../usage'

/** Documents that are to be put into the order of what they have to do with a query. */
export type RerankRequest = {
  readonly query: string
  /** Texts, or objects of whose members some are texts. */
  readonly documents: readonly JsonValue[]
  /** How many of the best are wanted; left out for all. */
  readonly topN?: number | undefined
  readonly returnDocuments: boolean
  readonly maxTokensPerDocument?: number | undefined
}

type RankedDocument = {
  readonly index: number
  readonly score: number
  readonly document?: JsonValue | undefined
}

export type RerankAnswer = {
  readonly id: string | undefined
  /** The best first. */
  readonly results: readonly RankedDocument[]
  readonly usage: Usage | undefined
}

export type RerankCodec = OperationCodec<RerankRequest, RerankAnswer>

/**
 * Jina's, which Voyage's and the first version of Cohere's differ little from: `top_k` is read too, and clients of any of
 * them find what they read in an answer. https://api.jina.ai/docs, https://docs.voyageai.com/reference/reranker-api,
 * https://docs.cohere.com/v1/reference/rerank
 */
export const jinaRerankCodec: RerankCodec = {
  parseRequest(body, losses) {
    const { model: _model, query, documents, top_n: topN, top_k: topK, ...more } = body
    const { return_documents: returns, max_tokens_per_doc: most, ...others } = more
    // What some hosts take as said already: texts are cut where they are too long.
    const { truncation: _cut, truncate: _cutToo, ...rest } = others
    dropRest(rest, losses)
    if (typeof query !== 'string') throw onlyAtHome('query', 'must be a text')
    if (!Array.isArray(documents)) throw onlyAtHome('documents', 'must be a list of texts')
    return {
      query,
      documents,
      topN: readCount(topN ?? topK, topN === undefined ? 'top_k' : 'top_n'),
      returnDocuments: returns === true,
      maxTokensPerDocument: readCount(most, 'max_tokens_per_doc'),
    }
  },

  renderRequest({ query, documents, topN, returnDocuments, maxTokensPerDocument }, model, losses) {
    if (maxTokensPerDocument !== undefined) losses.drop('max_tokens_per_doc')
    return {
      model,
      query,
      documents: [...documents],
      ...(topN !== undefined && { top_n: topN }),
      return_documents: returnDocuments,
    }
  },

  parseAnswer(json) {
    const answer = asAnswer(json)
    return {
      id: stringOf(answer, 'id'),
      results: readResults(answer.results ?? answer.data),
      usage: toRerankUsage(answer),
    }
  },

  renderAnswer({ id, results, usage }, { model, request }) {
    const rendered = results.map((result) => renderResult(result, request))
    return {
      id: id ?? crypto.randomUUID(),
      object: 'list',
      model,
      results: rendered,
      data: rendered,
      usage: { total_tokens: usage?.inputTokens ?? 0 },
      ...renderMeta(usage),
    }
  },
}

/** Voyage's: https://docs.voyageai.com/reference/reranker-api */
export const voyageRerankCodec: RerankCodec = {
  ...jinaRerankCodec,
  renderRequest(request, model, losses) {
    const { top_n: topN, ...body } = jinaRerankCodec.renderRequest(request, model, losses)
    return { ...body, ...(topN !== undefined && { top_k: topN }) }
  },
}

/** Cohere's second version: https://docs.cohere.com/reference/rerank */
export const cohereRerankCodec: RerankCodec = {
  ...jinaRerankCodec,
  renderRequest({ query, documents, topN, maxTokensPerDocument }, model) {
    return {
      model,
      query,
      documents: documents.map(toText),
      ...(topN !== undefined && { top_n: topN }),
      ...(maxTokensPerDocument !== undefined && { max_tokens_per_doc: maxTokensPerDocument }),
    }
  },
  renderAnswer({ id, results, usage }, { request }) {
    return {
      id: id ?? crypto.randomUUID(),
      results: results.map((result) => renderResult(result, request)),
      ...renderMeta(usage),
    }
  },
}

/** What an answer was counted as: Cohere's search units, or tokens. */
export function toRerankUsage(answer: unknown): Usage | undefined {
  const billed = recordOf(recordOf(answer, 'meta'), 'billed_units')
  const requests = countOf(billed, 'search_units')
  const usage = recordOf(answer, 'usage')
  const inputTokens = countOf(usage, 'total_tokens') ?? countOf(billed, 'input_tokens')
  if (requests === undefined && inputTokens === undefined) return undefined
  return { ...NO_USAGE, inputTokens, ...(requests !== undefined && { requests }) }
}

function readResults(list: JsonValue | undefined): RankedDocument[] {
  if (!Array.isArray(list)) throw malformed('no list of results')
  return list.map((item) => {
    const index = countOf(item, 'index')
    const score = isRecord(item) ? item.relevance_score : undefined
    if (index === undefined || typeof score !== 'number')
      throw malformed('a result without index or relevance_score')
    return { index, score }
  })
}

/** The client's own document, whichever way the host would have said it. */
function renderResult(
  { index, score }: RankedDocument,
  { documents, returnDocuments }: RerankRequest
): JsonObject {
  const document = documents[index]
  return {
    index,
    relevance_score: score,
    ...(returnDocuments &&
      document !== undefined && {
        document: typeof document === 'string' ? { text: document } : document,
      }),
  }
}

function renderMeta(usage: Usage | undefined): JsonObject {
  const units = usage?.requests
  return {
    meta: {
      api_version: { version: '2' },
      billed_units: units === undefined ? { search_units: 1 } : { search_units: units },
    },
  }
}

/** Objects go as texts that models read well: https://docs.cohere.com/docs/rerank-overview */
function toText(document: JsonValue): string {
  if (typeof document === 'string') return document
  const text = stringOf(document, 'text')
  return text ?? Bun.YAML.stringify(document, null, 2)
}
