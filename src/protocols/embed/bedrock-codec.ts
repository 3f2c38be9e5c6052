import { GatewayError } from '../../errors/gateway-error'
import { countOf } from '../../std/record'
import { asAnswer, dropRest, malformed, onlyAtHome, readCount } from '../convert'
import type { JsonObject } from '../json'
import { NO_USAGE } from '../usage'
import { cohereEmbedCodec } from './cohere-codec'
import { type EmbedCodec, readVector, toWanted } from './embed'

/** Amazon's own, one text a call: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html */
const titan: EmbedCodec = {
  parseRequest(body, losses) {
    const { inputText, dimensions, embeddingTypes, ...rest } = body
    if (typeof inputText !== 'string') throw onlyAtHome('inputText', 'must be a text')
    if (Array.isArray(embeddingTypes) && embeddingTypes.includes('binary'))
      losses.drop('embeddingTypes.binary')
    dropRest(rest, losses)
    return {
      texts: [inputText],
      isSingle: true,
      dimensions: readCount(dimensions, 'dimensions'),
      isBase64: false,
    }
  },

  renderRequest({ texts, dimensions, purpose, truncate }, model, losses) {
    const [inputText, ...more] = texts
    if (inputText === undefined || more.length > 0)
      throw new GatewayError(
        'invalid_request',
        `the model '${model}' embeds one text a request, not ${texts.length}: send them one by one, or name a model that takes many`,
        { param: 'input' }
      )
    if (purpose) losses.drop('purpose')
    if (truncate) losses.drop('truncate')
    return { inputText, ...(dimensions !== undefined && { dimensions }) }
  },

  parseAnswer(json) {
    const answer = asAnswer(json)
    if (answer.embedding === undefined) throw malformed('no embedding')
    const inputTokens = countOf(answer, 'inputTextTokenCount')
    return {
      vectors: [readVector(answer.embedding)],
      usage: inputTokens === undefined ? undefined : { ...NO_USAGE, inputTokens },
    }
  },

  renderAnswer({ vectors, usage }) {
    const embedding = toWanted(vectors[0] ?? [], false)
    return {
      embedding,
      embeddingsByType: { float: embedding },
      inputTextTokenCount: usage?.inputTokens ?? 0,
    }
  },
}

/** Cohere's there, where the path says the model: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v4.html */
const cohere: EmbedCodec = {
  ...cohereEmbedCodec,
  renderRequest(request, model, losses): JsonObject {
    const { model: _model, ...body } = cohereEmbedCodec.renderRequest(request, model, losses)
    return body
  },
}

/** InvokeModel of what embeds: each family has bodies of its own. */
export const bedrockEmbedCodec: EmbedCodec = {
  parseRequest: (body, losses) =>
    'inputText' in body ? titan.parseRequest(body, losses) : cohere.parseRequest(body, losses),
  renderRequest: (request, model, losses) =>
    (isCohere(model) ? cohere : titan).renderRequest(request, model, losses),
  parseAnswer: (json) => ('embeddings' in asAnswer(json) ? cohere : titan).parseAnswer(json),
  renderAnswer: (answer, context) =>
    (context.request.isSingle ? titan : cohere).renderAnswer(answer, context),
}

function isCohere(model: string): boolean {
  return /(^|[./])cohere\./.test(model)
}
