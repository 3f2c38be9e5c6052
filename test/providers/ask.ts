import type { WireFormat } from '../../src/config/provider-row'

const QUESTION = 'What is a tollgate?'
const MESSAGES = [{ role: 'user', content: QUESTION }]
const CONVERSE = { messages: [{ role: 'user', content: [{ text: QUESTION }] }] }
const INVOKE = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 50, messages: MESSAGES }

const FORMS: Partial<Record<WireFormat, [path: string, file: string]>> = {
  'openai-image-edits': ['/v1/images/edits', 'image'],
  'openai-image-variations': ['/v1/images/variations', 'image'],
  'openai-transcriptions': ['/v1/audio/transcriptions', 'file'],
  'openai-translations': ['/v1/audio/translations', 'file'],
}

/** The same of formats that take forms; `undefined` for all others. */
export function toClientForm(
  format: WireFormat,
  model: string
): { path: string; body: FormData } | undefined {
  const [path, name] = FORMS[format] ?? []
  if (path === undefined || name === undefined) return undefined
  const body = new FormData()
  body.append('model', model)
  body.append('prompt', QUESTION)
  body.append(name, new File([new Uint8Array(1_000)], 'a'))
  return { path, body }
}

/** A request to the gateway in a format's own client API, or in Google's where the gateway has no such API. */
export function toClientRequest(
  format: WireFormat,
  model: string,
  stream: boolean
): { path: string; body: Record<string, unknown> } {
  const streamed = stream ? { stream: true } : {}
  const inPath = encodeURIComponent(model)
  switch (format) {
    case 'openai-chat':
      return { path: '/v1/chat/completions', body: { model, messages: MESSAGES, ...streamed } }
    case 'openai-responses':
      return { path: '/v1/responses', body: { model, input: QUESTION, ...streamed } }
    case 'openai-completions':
      return { path: '/v1/completions', body: { model, prompt: QUESTION, ...streamed } }
    case 'openai-embeddings':
      return { path: '/v1/embeddings', body: { model, input: QUESTION } }
    case 'anthropic-messages':
      return {
        path: '/v1/messages',
        body: { model, max_tokens: 50, messages: MESSAGES, ...streamed },
      }
    // Told to Ollama in its own format: it speaks OpenAI's and Anthropic's too.
    case 'ollama-chat':
    case 'gemini': {
      const verb = stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
      const contents = [{ role: 'user', parts: [{ text: QUESTION }] }]
      return { path: `/v1beta/models/${model}:${verb}`, body: { contents } }
    }
    case 'bedrock-converse':
      return { path: `/bedrock/model/${inPath}/converse${stream ? '-stream' : ''}`, body: CONVERSE }
    case 'bedrock-invoke': {
      const verb = stream ? 'invoke-with-response-stream' : 'invoke'
      return { path: `/bedrock/model/${inPath}/${verb}`, body: INVOKE }
    }
    case 'cohere-chat':
      return { path: '/v2/chat', body: { model, messages: MESSAGES, ...streamed } }
    default:
      return { ...toOther(format, model, inPath) }
  }
}

/** What is no chat has no stream. */
function toOther(
  format: WireFormat,
  model: string,
  inPath: string
): { path: string; body: Record<string, unknown> } {
  const ranked = { model, query: QUESTION, documents: ['a gate', 'a bridge'] }
  const parts = { content: { parts: [{ text: QUESTION }] } }
  const known: Partial<Record<WireFormat, [path: string, body: Record<string, unknown>]>> = {
    'openai-moderations': ['/v1/moderations', { model, input: QUESTION }],
    'openai-images': ['/v1/images/generations', { model, prompt: QUESTION }],
    'openai-speech': ['/v1/audio/speech', { model, input: QUESTION, voice: 'alloy' }],
    'gemini-embed': [`/v1beta/models/${model}:embedContent`, parts],
    'gemini-batch-embed': [
      `/v1beta/models/${model}:batchEmbedContents`,
      { requests: [{ model: `models/${model}`, ...parts }] },
    ],
    'gemini-predict': [
      `/v1beta/models/${model}:predict`,
      { instances: [{ prompt: QUESTION }], parameters: { sampleCount: 1 } },
    ],
    'bedrock-embed': [`/bedrock/model/${inPath}/invoke`, { inputText: QUESTION }],
    'cohere-embed': ['/v2/embed', { model, texts: [QUESTION], input_type: 'search_query' }],
    'cohere-embed-v1': ['/v1/embed', { model, texts: [QUESTION], input_type: 'search_query' }],
    'cohere-rerank': ['/v2/rerank', ranked],
    'jina-rerank': ['/v1/rerank', ranked],
    'voyage-rerank': ['/v1/rerank', ranked],
  }
  const [path, body] = known[format] ?? ['/v1/unknown', {}]
  return { path, body }
}
