import { countOf } from '../../std/record'
import { asAnswer, dropRest, malformed, onlyAtHome, readCount } from '../convert'
import type { JsonValue } from '../json'
import { toEmbeddingUsage } from '../openai/usage'
import { type EmbedCodec, readVector, toWanted } from './embed'

/** Embeddings as OpenAI has them: https://platform.openai.com/docs/api-reference/embeddings */
export const openaiEmbedCodec: EmbedCodec = {
  parseRequest(body, losses) {
    const { model: _model, input, dimensions, encoding_format: encoding, user, ...rest } = body
    dropRest({ ...rest, user }, losses)
    return {
      texts: readTexts(input),
      isSingle: false,
      dimensions: readCount(dimensions, 'dimensions'),
      isBase64: encoding === 'base64',
    }
  },

  renderRequest({ texts, dimensions, isBase64, purpose, truncate }, model, losses) {
    if (purpose) losses.drop('purpose')
    if (truncate) losses.drop('truncate')
    return {
      model,
      input: [...texts],
      ...(dimensions !== undefined && { dimensions }),
      ...(isBase64 && { encoding_format: 'base64' }),
    }
  },

  parseAnswer(json) {
    const { data, usage } = asAnswer(json)
    if (!Array.isArray(data)) throw malformed('no list of embeddings')
    const vectors = data
      .map((item, at) => ({ at: countOf(item, 'index') ?? at, vector: readVector(memberOf(item)) }))
      .sort((a, b) => a.at - b.at)
      .map(({ vector }) => vector)
    return { vectors, usage: toEmbeddingUsage(usage) }
  },

  renderAnswer({ vectors, usage }, { model, request }) {
    const tokens = usage?.inputTokens ?? 0
    return {
      object: 'list',
      data: vectors.map((vector, index) => ({
        object: 'embedding',
        index,
        embedding: toWanted(vector, request.isBase64),
      })),
      model,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    }
  },
}

function memberOf(item: JsonValue): JsonValue | undefined {
  return typeof item === 'object' && item !== null && !Array.isArray(item)
    ? item.embedding
    : undefined
}

function readTexts(input: JsonValue | undefined): string[] {
  const inputs = Array.isArray(input) ? input : [input]
  return inputs.map((text) => {
    if (typeof text === 'string') return text
    throw onlyAtHome('input', 'must be a text or texts; it holds tokens')
  })
}
