import { anthropicCount, anthropicMessages } from './messages/messages'
import { bedrockConverse, bedrockCount, bedrockInvoke } from './bedrock/bedrock'
import type { ChatProtocol } from './chat-protocol'
import { cohereChat } from './cohere/cohere'
import {
  bedrockEmbed,
  cohereEmbed,
  cohereFirstEmbed,
  geminiBatchEmbed,
  geminiEmbed,
} from './embed/protocols'
import { geminiPredict } from './gemini/predict'
import { cohereRerank, jinaRerank, voyageRerank } from './rerank/protocols'
import { createCountProtocol } from './count-protocol'
import { geminiCount as geminiCounting } from './gemini/count'
import { gemini } from './gemini/gemini'
import { isRecord } from '../std/record'
import { CHAT_PROTOCOLS, type ChatProtocolName } from './generation'
import {
  anthropicBatches,
  anthropicFiles,
  geminiBatches,
  openaiBatches,
  openaiFiles,
} from './objects/protocols'
import { openaiTranscriptions, openaiTranslations } from './openai/audio'
import { openaiImageEdits, openaiImages, openaiImageVariations } from './openai/images'
import { openaiModerations } from './openai/moderations'
import { openaiChat, openaiCompletions, openaiEmbeddings } from './openai/openai'
import { openaiSpeech } from './openai/speech'
import { ollamaChat } from './ollama/ollama'
import type { Protocol } from './protocol'
import { openaiResponses, responsesInputTokens } from './responses/responses'

/** The formats that an upstream can be told a chat in, whatever the client speaks. */
const UPSTREAM_CHAT: Readonly<Record<ChatProtocolName, ChatProtocol>> = {
  'openai-chat': openaiChat,
  'openai-responses': openaiResponses,
  'anthropic-messages': anthropicMessages,
  gemini,
  'bedrock-converse': bedrockConverse,
  'cohere-chat': cohereChat,
  'ollama-chat': ollamaChat,
}

const geminiBase = createCountProtocol(gemini, geminiCounting)

/** POST models/NAME:countTokens, of turns or of a whole request: https://ai.google.dev/api/tokens */
export const geminiCount: ChatProtocol = {
  ...geminiBase,
  chat: {
    ...geminiBase.chat,
    parseGeneration(body, route) {
      const whole = body.generateContentRequest
      return gemini.chat.parseGeneration(isRecord(whole) ? whole : body, route)
    },
  },
}

/** POST /v1/responses/input_tokens: https://platform.openai.com/docs/api-reference/responses/input-tokens */
export const responsesCount: ChatProtocol = createCountProtocol(
  openaiResponses,
  responsesInputTokens
)

const COUNTS: Readonly<Record<string, ChatProtocol>> = {
  'openai-responses': responsesCount,
  'anthropic-messages': anthropicCount,
  gemini: geminiCount,
  'bedrock-converse': bedrockCount,
}

const UPSTREAM: Readonly<Record<string, Protocol>> = {
  ...UPSTREAM_CHAT,
  'openai-completions': openaiCompletions,
  'openai-embeddings': openaiEmbeddings,
  'openai-moderations': openaiModerations,
  'openai-images': openaiImages,
  'openai-speech': openaiSpeech,
  'openai-transcriptions': openaiTranscriptions,
  'openai-translations': openaiTranslations,
  'openai-image-edits': openaiImageEdits,
  'openai-image-variations': openaiImageVariations,
  'openai-files': openaiFiles.json,
  'openai-batches': openaiBatches.json,
  'anthropic-files': anthropicFiles.json,
  'anthropic-batches': anthropicBatches.json,
  'bedrock-invoke': bedrockInvoke,
  'bedrock-embed': bedrockEmbed,
  'cohere-embed': cohereEmbed,
  'cohere-embed-v1': cohereFirstEmbed,
  'cohere-rerank': cohereRerank,
  'jina-rerank': jinaRerank,
  'voyage-rerank': voyageRerank,
  'gemini-embed': geminiEmbed,
  'gemini-batch-embed': geminiBatchEmbed,
  'gemini-predict': geminiPredict,
  'gemini-batches': geminiBatches.json,
}

/** Chats can be translated into and from the format of this name. */
export function isChatProtocol(name: string): name is ChatProtocolName {
  return CHAT_PROTOCOLS.some((known) => known === name)
}

/** The wire format of a name in configurations; `undefined` for none. */
export function upstreamProtocol(name: string): Protocol | undefined {
  return Object.hasOwn(UPSTREAM, name) ? UPSTREAM[name] : undefined
}

/** How an upstream that speaks a format counts tokens; `undefined` where it can't. */
export function countProtocol(name: string): ChatProtocol | undefined {
  return Object.hasOwn(COUNTS, name) ? COUNTS[name] : undefined
}
