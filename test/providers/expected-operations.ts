import type { WireFormat } from '../../src/config/provider-row'
import type { ExpectedCall } from './expected-call'
import { addressed, API_KEY, at, BEARER, header, KEY } from './expected-call'

/** A call without a stream. */
function once(format: WireFormat, model: string, path: string, credential = BEARER) {
  return addressed(format, model, { whole: path, stream: undefined }, credential, {})
}

const images = (model: string, path: string, credential = BEARER) =>
  once('openai-images', model, path, credential)
const speech = (model: string, path: string, credential = BEARER) =>
  once('openai-speech', model, path, credential)
const edits = (model: string, path: string, credential = BEARER) =>
  once('openai-image-edits', model, path, credential)
const heard = (model: string, path: string, credential = BEARER) =>
  once('openai-transcriptions', model, path, credential)
const translated = (model: string, path: string, credential = BEARER) =>
  once('openai-translations', model, path, credential)
const moderations = (model: string, path: string) => once('openai-moderations', model, path)
const jina = (model: string, path: string, credential = BEARER) =>
  once('jina-rerank', model, path, credential)

const GOOGLE_KEY = header('x-goog-api-key', KEY)
const AZURE = {
  origin: 'https://my-resource.openai.azure.com',
  settings: { account: 'my-resource' },
}
const DEPLOYED = '/openai/deployments'
const VERSION = '?api-version=2024-10-21'

/** What hosts do beside chats and OpenAI's embeddings. */
export const OPERATION_CALLS: readonly ExpectedCall[] = [
  // https://platform.openai.com/docs/api-reference
  ...at(
    { name: 'openai', origin: 'https://api.openai.com' },
    moderations('omni-moderation-latest', '/v1/moderations'),
    images('gpt-image-1', '/v1/images/generations'),
    speech('tts-1', '/v1/audio/speech'),
    edits('gpt-image-1', '/v1/images/edits'),
    once('openai-image-variations', 'dall-e-2', '/v1/images/variations'),
    heard('whisper-1', '/v1/audio/transcriptions'),
    translated('whisper-1', '/v1/audio/translations')
  ),
  // https://learn.microsoft.com/en-us/azure/foundry/openai/latest
  ...at(
    { name: 'azure', ...AZURE },
    images('my-image', '/openai/v1/images/generations', API_KEY),
    speech('my-voice', '/openai/v1/audio/speech', API_KEY),
    edits('my-image', '/openai/v1/images/edits', API_KEY),
    heard('my-whisper', '/openai/v1/audio/transcriptions', API_KEY),
    translated('my-whisper', '/openai/v1/audio/translations', API_KEY)
  ),
  // https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference
  ...at(
    { name: 'azure-deployments', ...AZURE },
    images('my-image', `${DEPLOYED}/my-image/images/generations${VERSION}`, API_KEY),
    speech('my-voice', `${DEPLOYED}/my-voice/audio/speech${VERSION}`, API_KEY),
    heard('my-ear', `${DEPLOYED}/my-ear/audio/transcriptions${VERSION}`, API_KEY),
    translated('my-ear', `${DEPLOYED}/my-ear/audio/translations${VERSION}`, API_KEY)
  ),
  // https://ai.google.dev/api/embeddings, https://ai.google.dev/gemini-api/docs/imagen, …/openai
  ...at(
    { name: 'gemini', origin: 'https://generativelanguage.googleapis.com' },
    once(
      'gemini-embed',
      'gemini-embedding-001',
      '/v1beta/models/gemini-embedding-001:embedContent',
      GOOGLE_KEY
    ),
    once(
      'gemini-batch-embed',
      'gemini-embedding-001',
      '/v1beta/models/gemini-embedding-001:batchEmbedContents',
      GOOGLE_KEY
    ),
    once('gemini-predict', 'imagen-4', '/v1beta/models/imagen-4:predict', GOOGLE_KEY),
    images('gemini-2.5-flash-image', '/v1beta/openai/images/generations')
  ),
  // https://docs.mistral.ai/api/endpoint/classifiers, …/audio/transcriptions
  ...at(
    { name: 'mistral', origin: 'https://api.mistral.ai' },
    moderations('mistral-moderation-latest', '/v1/moderations'),
    heard('voxtral-mini-latest', '/v1/audio/transcriptions')
  ),
  // https://docs.cohere.com/reference/embed, …/rerank, https://docs.cohere.com/v1/reference/embed
  ...at(
    { name: 'cohere', origin: 'https://api.cohere.com' },
    once('cohere-embed', 'embed-v4.0', '/v2/embed'),
    once('cohere-embed-v1', 'embed-v4.0', '/v1/embed'),
    once('cohere-rerank', 'rerank-v4.0-pro', '/v2/rerank')
  ),
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
  ...at(
    {
      name: 'bedrock',
      origin: 'https://bedrock-runtime.eu-west-1.amazonaws.com',
      settings: { region: 'eu-west-1' },
    },
    once(
      'bedrock-embed',
      'amazon.titan-embed-text-v2:0',
      '/model/amazon.titan-embed-text-v2%3A0/invoke'
    )
  ),
  // https://docs.x.ai/docs/guides/image-generations
  ...at(
    { name: 'xai', origin: 'https://api.x.ai' },
    images('grok-2-image', '/v1/images/generations')
  ),
  // https://docs.voyageai.com/reference/reranker-api
  ...at(
    { name: 'voyage', origin: 'https://api.voyageai.com' },
    once('voyage-rerank', 'rerank-2.5', '/v1/rerank')
  ),
  // https://api.jina.ai/docs
  ...at({ name: 'jina', origin: 'https://api.jina.ai' }, jina('jina-reranker-v3', '/v1/rerank')),
  // https://console.groq.com/docs/text-to-speech, …/speech-to-text
  ...at(
    { name: 'groq', origin: 'https://api.groq.com' },
    speech('playai-tts', '/openai/v1/audio/speech'),
    heard('whisper-large-v3', '/openai/v1/audio/transcriptions'),
    translated('whisper-large-v3', '/openai/v1/audio/translations')
  ),
  // https://docs.together.ai/reference/post-images-generations, …/audio-speech, …/audio-transcriptions, …/rerank
  ...at(
    { name: 'together', origin: 'https://api.together.ai' },
    images('black-forest-labs/FLUX.1-schnell', '/v1/images/generations'),
    speech('cartesia/sonic', '/v1/audio/speech'),
    heard('openai/whisper-large-v3', '/v1/audio/transcriptions'),
    translated('openai/whisper-large-v3', '/v1/audio/translations'),
    once('cohere-rerank', 'Salesforce/Llama-Rank-V1', '/v1/rerank')
  ),
  // https://docs.fireworks.ai/api-reference/rerank-documents
  ...at(
    { name: 'fireworks', origin: 'https://api.fireworks.ai' },
    jina('fireworks/qwen3-reranker-8b', '/inference/v1/rerank')
  ),
  // https://deepinfra.com/docs/openai_api
  ...at(
    { name: 'deepinfra', origin: 'https://api.deepinfra.com' },
    images('black-forest-labs/FLUX-1-schnell', '/v1/openai/images/generations'),
    speech('hexgrad/Kokoro-82M', '/v1/openai/audio/speech'),
    heard('openai/whisper-large-v3', '/v1/openai/audio/transcriptions'),
    translated('openai/whisper-large-v3', '/v1/openai/audio/translations')
  ),
  // https://docs.tokenfactory.nebius.com/api-reference/images
  ...at(
    { name: 'nebius', origin: 'https://api.tokenfactory.nebius.com' },
    images('black-forest-labs/flux-schnell', '/v1/images/generations')
  ),
  // https://docs.siliconflow.com/en/api-reference
  ...at(
    { name: 'siliconflow', origin: 'https://api.siliconflow.com' },
    images('black-forest-labs/FLUX.1-schnell', '/v1/images/generations'),
    speech('FunAudioLLM/CosyVoice2-0.5B', '/v1/audio/speech'),
    heard('FunAudioLLM/SenseVoiceSmall', '/v1/audio/transcriptions'),
    jina('BAAI/bge-reranker-v2-m3', '/v1/rerank')
  ),
  // https://docs.n1n.ai
  ...at(
    { name: 'n1n', origin: 'https://api.n1n.ai' },
    moderations('omni-moderation-latest', '/v1/moderations'),
    images('gpt-image-1', '/v1/images/generations'),
    speech('tts-1', '/v1/audio/speech')
  ),
  // https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
  ...at(
    { name: 'vllm', origin: 'http://127.0.0.1:8000' },
    heard('openai/whisper-large-v3', '/v1/audio/transcriptions'),
    translated('openai/whisper-large-v3', '/v1/audio/translations'),
    jina('BAAI/bge-reranker-v2-m3', '/v1/rerank')
  ),
  // https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
  ...at(
    { name: 'llamacpp', origin: 'http://127.0.0.1:8080' },
    jina('bge-reranker-v2-m3', '/v1/rerank')
  ),
  // https://docs.litellm.ai/docs/supported_endpoints
  ...at(
    { name: 'litellm', origin: 'http://127.0.0.1:4000' },
    moderations('my-model', '/v1/moderations'),
    images('my-model', '/v1/images/generations'),
    speech('my-model', '/v1/audio/speech'),
    edits('my-model', '/v1/images/edits'),
    heard('my-model', '/v1/audio/transcriptions'),
    translated('my-model', '/v1/audio/translations'),
    jina('my-model', '/v1/rerank')
  ),
  ...at(
    { name: 'tollgate', origin: 'http://127.0.0.1:8080' },
    moderations('my-model', '/v1/moderations'),
    images('my-model', '/v1/images/generations'),
    speech('my-model', '/v1/audio/speech'),
    edits('my-model', '/v1/images/edits'),
    once('openai-image-variations', 'my-model', '/v1/images/variations'),
    heard('my-model', '/v1/audio/transcriptions'),
    translated('my-model', '/v1/audio/translations'),
    jina('my-model', '/v1/rerank')
  ),
]
