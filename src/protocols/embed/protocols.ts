import { readJsonCount } from '../../std/json-scan'
import { isRecord } from '../../std/record'
import { bedrockInvoke } from '../bedrock/bedrock'
import { cohereChat } from '../cohere/cohere'
import type { Envelope } from '../envelope'
import { gemini } from '../gemini/gemini'
import { renderPath, renderRequest as renderGemini, toResourceName } from '../gemini/request'
import { scanAnswer } from '../openai/answer'
import { invalid, readModel, scanMembers } from '../openai/request'
import type { Protocol, RequestChanges, RequestRoute } from '../protocol'
import { NO_USAGE, type Usage } from '../usage'
import { bedrockEmbedCodec } from './bedrock-codec'
import { cohereEmbedCodec, cohereFirstEmbedCodec, toBilled } from './cohere-codec'
import type { EmbedCodec } from './embed'
import { convertsFrom } from './formats'
import { geminiBatchEmbedCodec, geminiEmbedCodec, toUsage } from './gemini-codec'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** POST /v2/embed: https://docs.cohere.com/reference/embed */
export const cohereEmbed: Protocol = createCohere('cohere-embed', '/embed', cohereEmbedCodec)

/** POST /v1/embed, its first version: https://docs.cohere.com/v1/reference/embed */
export const cohereFirstEmbed: Protocol = createCohere(
  'cohere-embed-v1',
  '/v1/embed',
  cohereFirstEmbedCodec
)

/** POST models/NAME:embedContent: https://ai.google.dev/api/embeddings */
export const geminiEmbed: Protocol = createGemini('gemini-embed', 'embedContent', geminiEmbedCodec)

/** POST models/NAME:batchEmbedContents */
export const geminiBatchEmbed: Protocol = createGemini(
  'gemini-batch-embed',
  'batchEmbedContents',
  geminiBatchEmbedCodec
)

/** POST model/NAME/invoke of what embeds: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html */
export const bedrockEmbed: Protocol = {
  name: 'bedrock-embed',
  operation: 'embed',
  client: { ...bedrockInvoke.client, parseRequest: parsePathRequest },
  upstream: {
    ...bedrockInvoke.upstream,
    renderRequest: ({ body }) => body,
    parseAnswer(body) {
      // Cohere's answer in the plural; what it counted stands in a header there.
      const isMany = scanAnswer(body, ['embeddings'], false).embeddings !== undefined
      const found = scanAnswer(body, [isMany ? 'embeddings' : 'embedding', 'inputTextTokenCount'])
      const inputTokens = readJsonCount(body, found.inputTextTokenCount)
      const usage = inputTokens === undefined ? undefined : { ...NO_USAGE, inputTokens }
      return { usage, finishReasons: [] }
    },
  },
  convert: convertsFrom(bedrockEmbedCodec),
}

function createCohere(name: string, path: string, codec: EmbedCodec): Protocol {
  return {
    name,
    operation: 'embed',
    client: { ...cohereChat.client, parseRequest: parseCohere },
    upstream: {
      ...cohereChat.upstream,
      // A base URL that ends in a version has it already.
      path: ({ baseUrl }) =>
        path.startsWith('/v1') || /\/v\d+$/.test(baseUrl) ? path : `/v2${path}`,
      parseAnswer: (body) => ({
        usage: readUsage(body, ['embeddings', 'meta'], toBilled),
        finishReasons: [],
      }),
    },
    convert: convertsFrom(codec),
  }
}

function createGemini(
  name: string,
  verb: 'embedContent' | 'batchEmbedContents',
  codec: EmbedCodec
): Protocol {
  const answers = verb === 'embedContent' ? 'embedding' : 'embeddings'
  return {
    name,
    operation: 'embed',
    client: { ...gemini.client, parseRequest: parsePathRequest },
    upstream: {
      ...gemini.upstream,
      path: ({ model, baseUrl }) => renderPath(verb, model, baseUrl),
      renderRequest: verb === 'embedContent' ? renderGemini : renderBatch,
      parseAnswer: (body) => ({
        usage: readUsage(body, [answers, 'usageMetadata'], (usageMetadata) =>
          toUsage({ usageMetadata })
        ),
        finishReasons: [],
      }),
    },
    convert: convertsFrom(codec),
  }
}

/** Each request of a batch names the model of the path again. */
function renderBatch({ body, model }: Envelope, changes: RequestChanges): Uint8Array {
  if (changes.model === model) return body
  const batch: unknown = JSON.parse(decoder.decode(body))
  const requests = isRecord(batch) ? batch.requests : undefined
  if (!Array.isArray(requests)) return body
  for (const request of requests)
    if (isRecord(request)) request.model = toResourceName(changes.model)
  return encoder.encode(JSON.stringify(batch))
}

/** Reads the one member that counts, without building the vectors. */
function readUsage(
  body: Uint8Array,
  [answers, counts]: readonly [string, string],
  read: (value: unknown) => Usage | undefined
): Usage | undefined {
  const member = scanAnswer(body, [answers, counts])[counts]
  return member && read(JSON.parse(decoder.decode(body.subarray(member.start, member.end))))
}

const READ = ['model', 'fallbacks'] as const

function parseCohere(body: Uint8Array): Envelope {
  const { found, closeAt } = scanMembers(body, READ)
  return {
    ...toEnvelope(readModel(body, found), body, closeAt),
    ...(found.fallbacks && { fallbacksSpan: found.fallbacks }),
    modelSpan: found.model,
  }
}

function parsePathRequest(body: Uint8Array, { model }: RequestRoute): Envelope {
  if (!model) throw invalid('model', 'must stand in the path')
  return toEnvelope(model, body, scanMembers(body, []).closeAt)
}

function toEnvelope(model: string, body: Uint8Array, closeAt: number): Envelope {
  return {
    operation: 'embed',
    model,
    stream: false,
    includesUsage: true,
    choices: 1,
    outputLimit: undefined,
    body,
    modelSpan: undefined,
    streamOptionsSpan: undefined,
    closeAt,
  }
}
