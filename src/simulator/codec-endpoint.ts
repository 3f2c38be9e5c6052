import type { OperationCodec } from '../protocols/convert'
import { Losses } from '../protocols/losses'
import type { Usage } from '../protocols/usage'
import { isRecord, stringOf } from '../std/record'
import { NO_USAGE } from '../protocols/usage'
import type { EmbedAnswer, EmbedCodec, EmbedRequest } from '../protocols/embed/embed'
import type { RerankAnswer, RerankCodec, RerankRequest } from '../protocols/rerank/rerank'
import { embedText } from './embed-text'
import type { Answer, Endpoint } from './protocol'
import { refused } from './scripted-endpoint'
import { countTokens } from './tokens'

/** Vectors in a format's own shape, the same for the same text in all of them. `model` is one that the path says. */
export function embedEndpoint(codec: EmbedCodec, model?: string): Endpoint {
  return codecEndpoint(codec, model, ({ texts, dimensions }: EmbedRequest): EmbedAnswer => {
    const inputTokens = texts.reduce((sum, text) => sum + countTokens(text), 0)
    const vectors = texts.map((text) => [...embedText(text, dimensions)])
    return { vectors, usage: { ...NO_USAGE, inputTokens } }
  })
}

/** Documents in the order of how near their vectors are to the query's; `counts` says what the host bills. */
export function rerankEndpoint(
  codec: RerankCodec,
  counts: 'tokens' | 'units' | ((model: string) => 'tokens' | 'units')
): Endpoint {
  return codecEndpoint(codec, undefined, (request: RerankRequest, model): RerankAnswer => {
    const { query, documents, topN = documents.length } = request
    const asked = embedText(query)
    const texts = documents.map((document) =>
      typeof document === 'string' ? document : JSON.stringify(document)
    )
    const results = texts
      .map((text, index) => ({ index, score: (1 + dot(asked, embedText(text))) / 2 }))
      .sort((a, b) => b.score - a.score || a.index - b.index)
      .slice(0, topN)
    const unit = typeof counts === 'string' ? counts : counts(model)
    const usage: Usage =
      unit === 'units'
        ? { ...NO_USAGE, requests: Math.ceil(documents.length / 100) }
        : { ...NO_USAGE, inputTokens: countTokens([query, ...texts].join(' ')) }
    return { id: 'sim-rerank', results, usage }
  })
}

function codecEndpoint<Request, Answered extends { readonly usage: Usage | undefined }>(
  codec: OperationCodec<Request, Answered>,
  model: string | undefined,
  answer: (request: Request, model: string) => Answered
): Endpoint {
  return {
    method: 'POST',
    model: (_, body) => model ?? stringOf(body, 'model') ?? '',
    answer(call): Answer {
      if (call.model === '') return refused('The request names no model.', 'model')
      if (!isRecord(call.body)) return refused('The body is no JSON object.', 'body')
      let request: Request
      try {
        request = codec.parseRequest(call.body, new Losses())
      } catch (error) {
        return refused(error instanceof Error ? error.message : String(error))
      }
      const answered = answer(request, call.model)
      const told = call.quirks.usage === 'omitted' ? { ...answered, usage: undefined } : answered
      const text = JSON.stringify(codec.renderAnswer(told, { model: call.model, request }))
      return { kind: 'whole', text, tokens: 1 }
    },
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)
}
