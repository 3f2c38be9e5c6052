import { countJsonElements } from '../../std/json-walk'
import { cohereChat } from '../cohere/cohere'
import { createConversion } from '../convert'
import type { Envelope } from '../envelope'
import { scanAnswer } from '../openai/answer'
import { createOpenaiProtocol } from '../openai/openai-protocol'
import { parseRequest, scanMembers } from '../openai/request'
import type { AnswerFacts, Protocol, RequestRoute } from '../protocol'
import {
  cohereRerankCodec,
  jinaRerankCodec,
  type RerankCodec,
  toRerankUsage,
  voyageRerankCodec,
} from './rerank'

const decoder = new TextDecoder()

const CODECS: Readonly<Record<string, RerankCodec>> = {
  'jina-rerank': jinaRerankCodec,
  'voyage-rerank': voyageRerankCodec,
  'cohere-rerank': cohereRerankCodec,
}

/** POST /v1/rerank, of Jina, vLLM and others: https://api.jina.ai/docs, https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html */
export const jinaRerank: Protocol = createOpenaiProtocol({
  name: 'jina-rerank',
  operation: 'rerank',
  path: '/rerank',
  parseRequest: parseRerank,
  parseAnswer: parseRanked,
  convert: convertsFrom(jinaRerankCodec),
})

/** The same of Voyage, which has other names for some of it. */
export const voyageRerank: Protocol = createOpenaiProtocol({
  name: 'voyage-rerank',
  operation: 'rerank',
  path: '/rerank',
  parseRequest: parseRerank,
  parseAnswer: parseRanked,
  convert: convertsFrom(voyageRerankCodec),
})

/** POST /v2/rerank: https://docs.cohere.com/reference/rerank */
export const cohereRerank: Protocol = {
  name: 'cohere-rerank',
  operation: 'rerank',
  client: { ...cohereChat.client, parseRequest: parseRerank },
  upstream: {
    ...cohereChat.upstream,
    path: ({ baseUrl }) => (/\/v\d+$/.test(baseUrl) ? '/rerank' : '/v2/rerank'),
    parseAnswer: parseRanked,
  },
  convert: convertsFrom(cohereRerankCodec),
}

function convertsFrom(client: RerankCodec): NonNullable<Protocol['convert']> {
  return ({ name }, envelope) => {
    const upstream = Object.hasOwn(CODECS, name) ? CODECS[name] : undefined
    return upstream && createConversion(client, upstream, envelope)
  }
}

/**
 * A search unit is a query with a hundred documents; one of more than 500 tokens counts as several. A token has a byte
 * at least. https://cohere.com/pricing
 */
const DOCUMENTS_A_UNIT = 100
const BYTES_A_DOCUMENT = 500

function parseRerank(body: Uint8Array, route: RequestRoute): Envelope {
  const { found } = scanMembers(body, ['documents'])
  const documents = found.documents ? countJsonElements(body, found.documents.start) : 0
  const most = documents + Math.floor(body.length / BYTES_A_DOCUMENT)
  const requests = Math.max(1, Math.ceil(most / DOCUMENTS_A_UNIT))
  return { ...parseRequest('rerank', body, route), units: { requests } }
}

function parseRanked(body: Uint8Array): AnswerFacts {
  const names = ['results', 'data', 'usage', 'meta']
  const { results, data, usage, meta } = scanAnswer(body, names, false)
  if (results === undefined && data === undefined) scanAnswer(body, ['results'])
  const read = (span: typeof usage): unknown =>
    span && JSON.parse(decoder.decode(body.subarray(span.start, span.end)))
  return {
    usage: toRerankUsage({ usage: read(usage), meta: read(meta) }),
    finishReasons: [],
  }
}
