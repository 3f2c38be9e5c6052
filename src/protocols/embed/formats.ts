import { createConversion } from '../convert'
import type { Protocol } from '../protocol'
import { bedrockEmbedCodec } from './bedrock-codec'
import { cohereEmbedCodec } from './cohere-codec'
import type { EmbedCodec } from './embed'
import { geminiBatchEmbedCodec } from './gemini-codec'
import { openaiEmbedCodec } from './openai-codec'

/** What any client's texts can be told in. */
const UPSTREAM: Readonly<Record<string, EmbedCodec>> = {
  'openai-embeddings': openaiEmbedCodec,
  'cohere-embed': cohereEmbedCodec,
  'gemini-batch-embed': geminiBatchEmbedCodec,
  'bedrock-embed': bedrockEmbedCodec,
}

/** How requests of a format are told in the others. */
export function convertsFrom(client: EmbedCodec): NonNullable<Protocol['convert']> {
  return ({ name }, envelope) => {
    const upstream = Object.hasOwn(UPSTREAM, name) ? UPSTREAM[name] : undefined
    return upstream && createConversion(client, upstream, envelope)
  }
}
