import { countOf, recordOf } from '../../std/record'
import { asAnswer, dropRest, malformed, onlyAtHome, readCount } from '../convert'
import { toResourceName } from '../gemini/request'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { NO_USAGE, type Usage } from '../usage'
import {
  type EmbedCodec,
  type EmbedPurpose,
  type EmbedRequest,
  readVector,
  toWanted,
} from './embed'

const PURPOSES: Readonly<Record<string, EmbedPurpose>> = {
  RETRIEVAL_QUERY: 'query',
  QUESTION_ANSWERING: 'query',
  FACT_VERIFICATION: 'query',
  CODE_RETRIEVAL_QUERY: 'query',
  RETRIEVAL_DOCUMENT: 'document',
  SEMANTIC_SIMILARITY: 'similarity',
  CLASSIFICATION: 'classification',
  CLUSTERING: 'clustering',
}

const TASKS: Readonly<Record<EmbedPurpose, string>> = {
  query: 'RETRIEVAL_QUERY',
  document: 'RETRIEVAL_DOCUMENT',
  similarity: 'SEMANTIC_SIMILARITY',
  classification: 'CLASSIFICATION',
  clustering: 'CLUSTERING',
}

/** Many texts at once: https://ai.google.dev/api/embeddings#method:-models.batchembedcontents */
export const geminiBatchEmbedCodec: EmbedCodec = {
  parseRequest(body, losses) {
    const { requests } = body
    if (!Array.isArray(requests) || requests.length === 0)
      throw onlyAtHome('requests', 'must be a list of what to embed')
    const read = requests.map((request) => readOne(asRequest(request), losses))
    const [first] = read
    return { ...first, texts: read.flatMap(({ texts }) => texts), isSingle: false, isBase64: false }
  },

  renderRequest(request, model, losses) {
    if (request.truncate) losses.drop('truncate')
    return {
      requests: request.texts.map((text) => ({
        model: toResourceName(model),
        ...renderOne(text, request),
      })),
    }
  },

  parseAnswer(json) {
    const answer = asAnswer(json)
    const { embeddings, embedding } = answer
    const list = Array.isArray(embeddings) ? embeddings : embedding ? [embedding] : undefined
    if (list === undefined) throw malformed('no embeddings')
    return { vectors: list.map((item) => readVector(valuesOf(item))), usage: toUsage(answer) }
  },

  renderAnswer({ vectors, usage }) {
    return {
      embeddings: vectors.map((vector) => ({ values: toWanted(vector, false) })),
      ...renderUsage(usage),
    }
  },
}

/** One text: https://ai.google.dev/api/embeddings#method:-models.embedcontent */
export const geminiEmbedCodec: EmbedCodec = {
  ...geminiBatchEmbedCodec,
  parseRequest: (body, losses) => ({ ...readOne(body, losses), isSingle: true, isBase64: false }),
  renderAnswer({ vectors, usage }) {
    return {
      embedding: { values: toWanted(vectors[0] ?? [], false) },
      ...renderUsage(usage),
    }
  },
}

/** What an answer counted; many count nothing. */
export function toUsage(answer: unknown): Usage | undefined {
  const inputTokens = countOf(recordOf(answer, 'usageMetadata'), 'promptTokenCount')
  return inputTokens === undefined ? undefined : { ...NO_USAGE, inputTokens }
}

function renderUsage(usage: Usage | undefined): JsonObject {
  const tokens = usage?.inputTokens
  return tokens === undefined ? {} : { usageMetadata: { promptTokenCount: tokens } }
}

type OneRequest = Pick<EmbedRequest, 'texts' | 'dimensions' | 'purpose'>

function readOne(request: JsonObject, losses: Losses): OneRequest {
  const { model: _model, content, taskType, task_type: snake, title, ...more } = request
  const { outputDimensionality, output_dimensionality: snakeSize, ...rest } = more
  dropRest({ ...rest, title }, losses)
  const task = taskType ?? snake
  return {
    texts: [readContent(content)],
    dimensions: readCount(outputDimensionality ?? snakeSize, 'outputDimensionality'),
    purpose: typeof task === 'string' ? PURPOSES[task] : undefined,
  }
}

function renderOne(text: string, { dimensions, purpose }: EmbedRequest): JsonObject {
  return {
    content: { parts: [{ text }] },
    ...(purpose && { taskType: TASKS[purpose] }),
    ...(dimensions !== undefined && { outputDimensionality: dimensions }),
  }
}

function asRequest(value: JsonValue): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw onlyAtHome('requests', 'must be a list of objects')
}

/** The parts of a content are one text together. */
function readContent(content: JsonValue | undefined): string {
  if (typeof content === 'string') return content
  const isObject = typeof content === 'object' && content !== null && !Array.isArray(content)
  const parts = isObject ? content.parts : undefined
  const texts = (Array.isArray(parts) ? parts : [parts]).map((part) =>
    typeof part === 'object' && part !== null && !Array.isArray(part) ? part.text : part
  )
  if (texts.every((text) => typeof text === 'string')) return texts.join('\n')
  throw onlyAtHome('content', 'must hold nothing but texts; it has other media')
}

function valuesOf(item: JsonValue): JsonValue | undefined {
  return typeof item === 'object' && item !== null && !Array.isArray(item) ? item.values : undefined
}
