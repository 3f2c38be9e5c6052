import type { ExpectedCall } from './expected-call'
import { addressed, at, BEARER, chat, cohere, completions } from './expected-call'
import { embeddings, header, KEY, messages, NO_KEY, ollama, responses } from './expected-call'

const GOOGLE_KEY = header('x-goog-api-key', KEY)

/** Services that pass on, and programs that people run themselves. */
export const ROUTER_CALLS: readonly ExpectedCall[] = [
  // https://openrouter.ai/docs/api-reference/overview
  ...at(
    { name: 'openrouter', origin: 'https://openrouter.ai' },
    chat('openrouter/auto', '/api/v1/chat/completions'),
    responses('openrouter/auto', '/api/v1/responses'),
    messages('openrouter/auto', '/api/v1/messages', BEARER),
    completions('openrouter/auto', '/api/v1/completions'),
    embeddings('openai/text-embedding-3-small', '/api/v1/embeddings')
  ),
  // https://docs.n1n.ai
  ...at(
    { name: 'n1n', origin: 'https://api.n1n.ai' },
    chat('gpt-4o', '/v1/chat/completions'),
    responses('gpt-4o', '/v1/responses'),
    messages('claude-sonnet-4-5', '/v1/messages'),
    completions('gpt-3.5-turbo-instruct', '/v1/completions'),
    embeddings('text-embedding-3-small', '/v1/embeddings')
  ),
  // https://vercel.com/docs/ai-gateway/openai-compat
  ...at(
    { name: 'vercel', origin: 'https://ai-gateway.vercel.sh' },
    chat('openai/gpt-5.4', '/v1/chat/completions'),
    responses('openai/gpt-5.4', '/v1/responses'),
    messages('anthropic/claude-sonnet-5', '/v1/messages'),
    embeddings('openai/text-embedding-3-small', '/v1/embeddings')
  ),
  // https://docs.venice.ai/api-reference/api-spec
  ...at(
    { name: 'venice', origin: 'https://api.venice.ai' },
    chat('venice-uncensored', '/api/v1/chat/completions'),
    embeddings('text-embedding-bge-m3', '/api/v1/embeddings')
  ),
  // https://docs.ollama.com/api/chat, https://docs.ollama.com/api/openai-compatibility
  ...at(
    { name: 'ollama', origin: 'http://127.0.0.1:11434', settings: { api_key: 'none' } },
    ollama('qwen3-coder', '/api/chat', NO_KEY),
    chat('qwen3-coder', '/v1/chat/completions', NO_KEY),
    responses('qwen3-coder', '/v1/responses', NO_KEY),
    messages('qwen3-coder', '/v1/messages', NO_KEY),
    completions('qwen3-coder', '/v1/completions', NO_KEY),
    embeddings('embeddinggemma', '/v1/embeddings', NO_KEY)
  ),
  // https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
  ...at(
    { name: 'vllm', origin: 'http://127.0.0.1:8000' },
    chat('openai/gpt-oss-120b', '/v1/chat/completions'),
    responses('openai/gpt-oss-120b', '/v1/responses'),
    messages('openai/gpt-oss-120b', '/v1/messages', BEARER),
    completions('openai/gpt-oss-120b', '/v1/completions'),
    embeddings('BAAI/bge-m3', '/v1/embeddings')
  ),
  // https://docs.sglang.io/docs/basic_usage/anthropic_api
  ...at(
    { name: 'sglang', origin: 'http://127.0.0.1:30000' },
    chat('zai-org/GLM-5.2-FP8', '/v1/chat/completions'),
    messages('zai-org/GLM-5.2-FP8', '/v1/messages', BEARER),
    completions('zai-org/GLM-5.2-FP8', '/v1/completions'),
    embeddings('Alibaba-NLP/gte-Qwen2-1.5B-instruct', '/v1/embeddings')
  ),
  // https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
  ...at(
    { name: 'llamacpp', origin: 'http://127.0.0.1:8080' },
    chat('gpt-oss-20b', '/v1/chat/completions'),
    responses('gpt-oss-20b', '/v1/responses'),
    messages('gpt-oss-20b', '/v1/messages'),
    completions('gpt-oss-20b', '/v1/completions'),
    embeddings('bge-m3', '/v1/embeddings')
  ),
  // https://lmstudio.ai/docs/developer/openai-compat, https://lmstudio.ai/docs/developer/anthropic-compat
  ...at(
    { name: 'lmstudio', origin: 'http://127.0.0.1:1234' },
    chat('ibm/granite-4-micro', '/v1/chat/completions'),
    responses('ibm/granite-4-micro', '/v1/responses'),
    messages('ibm/granite-4-micro', '/v1/messages'),
    completions('ibm/granite-4-micro', '/v1/completions'),
    embeddings('text-embedding-nomic-embed-text-v1.5', '/v1/embeddings')
  ),
  // https://docs.litellm.ai/docs/supported_endpoints
  ...at(
    { name: 'litellm', origin: 'http://127.0.0.1:4000' },
    chat('my-model', '/v1/chat/completions'),
    responses('my-model', '/v1/responses'),
    messages('my-model', '/v1/messages'),
    addressed(
      'gemini',
      'my-model',
      {
        whole: '/v1beta/models/my-model:generateContent',
        stream: '/v1beta/models/my-model:streamGenerateContent?alt=sse',
      },
      GOOGLE_KEY
    ),
    completions('my-model', '/v1/completions'),
    embeddings('my-model', '/v1/embeddings')
  ),
  // What this gateway itself serves.
  ...at(
    { name: 'tollgate', origin: 'http://127.0.0.1:8080' },
    chat('my-model', '/v1/chat/completions'),
    responses('my-model', '/v1/responses'),
    messages('my-model', '/v1/messages'),
    addressed(
      'gemini',
      'my-model',
      {
        whole: '/v1beta/models/my-model:generateContent',
        stream: '/v1beta/models/my-model:streamGenerateContent?alt=sse',
      },
      GOOGLE_KEY
    ),
    addressed(
      'bedrock-converse',
      'my-model',
      { whole: '/model/my-model/converse', stream: '/model/my-model/converse-stream' },
      BEARER
    ),
    cohere('my-model', '/v2/chat'),
    completions('my-model', '/v1/completions'),
    embeddings('my-model', '/v1/embeddings')
  ),
]
