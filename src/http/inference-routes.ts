import { anthropicCount, anthropicMessages } from '../protocols/messages/messages'
import { bedrockConverse, bedrockCount, bedrockInvoke } from '../protocols/bedrock/bedrock'
import { geminiCount, responsesCount } from '../protocols/chat-protocols'
import { cohereChat } from '../protocols/cohere/cohere'
import {
  bedrockEmbed,
  cohereEmbed,
  cohereFirstEmbed,
  geminiBatchEmbed,
  geminiEmbed,
} from '../protocols/embed/protocols'
import { gemini, geminiArray } from '../protocols/gemini/gemini'
import { geminiPredict } from '../protocols/gemini/predict'
import { openaiTranscriptions, openaiTranslations } from '../protocols/openai/audio'
import { openaiImageEdits, openaiImages, openaiImageVariations } from '../protocols/openai/images'
import { openaiModerations } from '../protocols/openai/moderations'
import { openaiChat, openaiCompletions, openaiEmbeddings } from '../protocols/openai/openai'
import { openaiSpeech } from '../protocols/openai/speech'
import type { Protocol, RequestRoute } from '../protocols/protocol'
import { cohereRerank, jinaRerank } from '../protocols/rerank/protocols'
import { responsesCompact } from '../protocols/responses/compact'
import { openaiResponses } from '../protocols/responses/responses'

/** What is asked for at a path: in which format, and what the path itself says. */
export type InferencePath = { protocol: Protocol; route: RequestRoute }

/** Finds what is served at a path behind its prefix; `query` with its question mark, or empty. */
type Finder = (path: string, query: string) => InferencePath | undefined

const NO_ROUTE: RequestRoute = {}

/** What Azure has at a deployment. */
const DEPLOYED: Readonly<Record<string, Protocol>> = {
  '/chat/completions': openaiChat,
  '/completions': openaiCompletions,
  '/embeddings': openaiEmbeddings,
  '/images/generations': openaiImages,
  '/audio/speech': openaiSpeech,
  '/audio/transcriptions': openaiTranscriptions,
  '/audio/translations': openaiTranslations,
  '/images/edits': openaiImageEdits,
  '/images/variations': openaiImageVariations,
}

/** OpenAI's paths behind the version. */
const OPENAI: Readonly<Record<string, Protocol>> = {
  '/chat/completions': openaiChat,
  '/completions': openaiCompletions,
  '/embeddings': openaiEmbeddings,
  '/moderations': openaiModerations,
  '/images/generations': openaiImages,
  '/audio/speech': openaiSpeech,
  '/audio/transcriptions': openaiTranscriptions,
  '/audio/translations': openaiTranslations,
  '/images/edits': openaiImageEdits,
  '/images/variations': openaiImageVariations,
  '/rerank': jinaRerank,
  '/responses': openaiResponses,
  '/responses/input_tokens': responsesCount,
  '/responses/compact': responsesCompact,
}

const openai: Finder = (path) => exact(OPENAI, path)
const openaiV1: Finder = (path) => (path.startsWith('/v1/') ? openai(path.slice(3), '') : undefined)
const ANTHROPIC: Readonly<Record<string, Protocol>> = {
  '/v1/messages': anthropicMessages,
  '/v1/messages/count_tokens': anthropicCount,
}

const anthropic: Finder = (path) => exact(ANTHROPIC, path)

/** https://learn.microsoft.com/azure/ai-foundry/openai/reference: the deployment is the model. */
const azure: Finder = (path) => {
  const [, deployment, rest] = /^\/deployments\/([^/]+)(\/.+)$/.exec(path) ?? []
  const found = rest === undefined ? undefined : exact(DEPLOYED, rest)
  return found && { ...found, route: { model: decode(deployment) } }
}

const COHERE: Readonly<Record<string, Protocol>> = {
  '/v2/chat': cohereChat,
  '/v2/embed': cohereEmbed,
  '/v1/embed': cohereFirstEmbed,
  '/v2/rerank': cohereRerank,
  '/v1/rerank': jinaRerank,
}

/** Cohere's own paths, and its paths for OpenAI's SDKs: https://docs.cohere.com/docs/compatibility-api */
const cohere: Finder = (path) => {
  const own = exact(COHERE, path)
  if (own) return own
  const prefix = '/compatibility'
  return path.startsWith(prefix) ? openaiV1(path.slice(prefix.length), '') : undefined
}

const GOOGLE_ONCE: ReadonlyMap<string, Protocol> = new Map([
  ['embedContent', geminiEmbed],
  ['batchEmbedContents', geminiBatchEmbed],
  ['predict', geminiPredict],
])

/** The model's name may hold slashes and colons, so the last colon tells the verb. */
const google: Finder = (path, query) => {
  const [, model, verb] = /^\/v1(?:beta|alpha)?\/(?:models\/)?(.+):([A-Za-z]+)$/.exec(path) ?? []
  if (model === undefined) return undefined
  const named = { model: decode(model) }
  if (verb === 'generateContent') return { protocol: gemini, route: { ...named, stream: false } }
  const once = GOOGLE_ONCE.get(verb ?? '')
  if (once) return { protocol: once, route: { ...named, stream: false } }
  if (verb === 'countTokens') return { protocol: geminiCount, route: { ...named, stream: false } }
  if (verb !== 'streamGenerateContent') return undefined
  const isSse = new URLSearchParams(query).get('alt') === 'sse'
  return { protocol: isSse ? gemini : geminiArray, route: { ...named, stream: true } }
}

const BEDROCK: Readonly<Record<string, [Protocol, boolean]>> = {
  converse: [bedrockConverse, false],
  'converse-stream': [bedrockConverse, true],
  invoke: [bedrockInvoke, false],
  'invoke-with-response-stream': [bedrockInvoke, true],
  'count-tokens': [bedrockCount, false],
}

const bedrock: Finder = (path) => {
  const [, model, verb = ''] = /^\/model\/(.+)\/([a-z-]+)$/.exec(path) ?? []
  const found = Object.hasOwn(BEDROCK, verb) ? BEDROCK[verb] : undefined
  if (model === undefined || found === undefined) return undefined
  const [protocol, stream] = found
  const name = decode(model)
  // What embeds has bodies of its own, by the same verb.
  if (protocol === bedrockInvoke && !stream && /embed/i.test(name))
    return { protocol: bedrockEmbed, route: { model: name, stream } }
  return { protocol, route: { model: name, stream } }
}

/** What is served under each prefix: the SDK of each wants no more than a base URL. */
const GROUPS: readonly [prefix: string, finders: readonly Finder[]][] = [
  ['/openai', [openaiV1, openai, azure]],
  ['/anthropic', [anthropic]],
  ['/genai', [google]],
  ['/bedrock', [bedrock]],
  ['/cohere', [cohere]],
  ['', [openaiV1, anthropic, google, bedrock, cohere]],
]

/** Prefixes that change nothing behind them. */
const ALIASES = ['/litellm', '/langchain']

/** The path without such a prefix. */
export function withoutAlias(pathname: string): string {
  for (const alias of ALIASES)
    if (pathname.startsWith(`${alias}/`)) return pathname.slice(alias.length)
  return pathname
}

/**
 * The inference endpoint at a path, whatever the method; `undefined` for none. `query` is the URL's, with its
 * question mark.
 */
export function findInference(pathname: string, query: string): InferencePath | undefined {
  const path = withoutAlias(pathname)
  for (const [prefix, finders] of GROUPS) {
    if (!path.startsWith(`${prefix}/`)) continue
    for (const find of finders) {
      const found = find(path.slice(prefix.length), query)
      if (found) return found
    }
  }
  return undefined
}

/** The format that a client at this path most likely reads errors in. */
export function guessProtocol(pathname: string, headers: Headers): Protocol {
  const path = withoutAlias(pathname)
  if (/^\/(anthropic|v1\/messages)(\/|$)/.test(path)) return anthropicMessages
  if (/^\/(genai|v1beta|v1alpha)(\/|$)/.test(path)) return gemini
  if (/^\/(bedrock|model)(\/|$)/.test(path)) return bedrockConverse
  if (/^\/(cohere\/)?v2(\/|$)|^\/(cohere\/)?v1\/embed(\/|$)/.test(path)) return cohereChat
  if (/^\/openai(\/|$)/.test(path)) return openaiChat
  if (headers.has('anthropic-version')) return anthropicMessages
  return headers.has('x-goog-api-key') ? gemini : openaiChat
}

function exact(paths: Readonly<Record<string, Protocol>>, path: string): InferencePath | undefined {
  const protocol = Object.hasOwn(paths, path) ? paths[path] : undefined
  return protocol && { protocol, route: NO_ROUTE }
}

function decode(segment: string | undefined): string {
  try {
    return decodeURIComponent(segment ?? '')
  } catch {
    return segment ?? ''
  }
}
