import type { ExpectedCall } from './expected-call'
import { at, BEARER, chat, completions, embeddings, messages } from './expected-call'
import { ollama, responses } from './expected-call'

export const HOST_CALLS: readonly ExpectedCall[] = [
  // https://console.groq.com/docs/openai
  ...at(
    { name: 'groq', origin: 'https://api.groq.com' },
    chat('llama-3.3-70b-versatile', '/openai/v1/chat/completions'),
    responses('openai/gpt-oss-120b', '/openai/v1/responses')
  ),
  // https://inference-docs.cerebras.ai/api-reference/chat-completions
  ...at(
    { name: 'cerebras', origin: 'https://api.cerebras.ai' },
    chat('gpt-oss-120b', '/v1/chat/completions'),
    completions('llama3.1-8b', '/v1/completions')
  ),
  // https://docs.together.ai/docs/inference/openai-compatibility
  ...at(
    { name: 'together', origin: 'https://api.together.ai' },
    chat('openai/gpt-oss-120b', '/v1/chat/completions'),
    completions('openai/gpt-oss-120b', '/v1/completions'),
    embeddings('BAAI/bge-large-en-v1.5', '/v1/embeddings')
  ),
  // https://docs.fireworks.ai/tools-sdks/openai-compatibility
  ...at(
    { name: 'fireworks', origin: 'https://api.fireworks.ai' },
    chat('accounts/fireworks/models/kimi-k3', '/inference/v1/chat/completions'),
    responses('accounts/fireworks/models/kimi-k3', '/inference/v1/responses'),
    messages('accounts/fireworks/models/kimi-k3', '/inference/v1/messages', BEARER),
    completions('accounts/fireworks/models/kimi-k3', '/inference/v1/completions'),
    embeddings('nomic-ai/nomic-embed-text-v1.5', '/inference/v1/embeddings')
  ),
  // https://docs.sambanova.ai/docs/en/api-reference/overview
  ...at(
    { name: 'sambanova', origin: 'https://api.sambanova.ai' },
    chat('gpt-oss-120b', '/v1/chat/completions'),
    responses('gpt-oss-120b', '/v1/responses'),
    messages('gpt-oss-120b', '/v1/messages'),
    embeddings('E5-Mistral-7B-Instruct', '/v1/embeddings')
  ),
  // https://docs.api.nvidia.com/nim/reference/llm-apis
  ...at(
    { name: 'nvidia', origin: 'https://integrate.api.nvidia.com' },
    chat('meta/llama-3.3-70b-instruct', '/v1/chat/completions'),
    embeddings('nvidia/nv-embedqa-e5-v5', '/v1/embeddings')
  ),
  // https://huggingface.co/docs/inference-providers/index
  ...at(
    { name: 'huggingface', origin: 'https://router.huggingface.co' },
    chat('openai/gpt-oss-120b', '/v1/chat/completions'),
    responses('openai/gpt-oss-120b', '/v1/responses')
  ),
  // https://deepinfra.com/docs/openai_api
  ...at(
    { name: 'deepinfra', origin: 'https://api.deepinfra.com' },
    chat('meta-llama/Llama-3.3-70B-Instruct', '/v1/openai/chat/completions'),
    completions('meta-llama/Llama-3.3-70B-Instruct', '/v1/openai/completions'),
    embeddings('BAAI/bge-large-en-v1.5', '/v1/openai/embeddings')
  ),
  // https://docs.hyperbolic.xyz/docs/rest-api
  ...at(
    { name: 'hyperbolic', origin: 'https://api.hyperbolic.xyz' },
    chat('meta-llama/Llama-3.3-70B-Instruct', '/v1/chat/completions'),
    completions('meta-llama/Llama-3.3-70B-Instruct', '/v1/completions')
  ),
  // https://docs.tokenfactory.nebius.com/quickstart
  ...at(
    { name: 'nebius', origin: 'https://api.tokenfactory.nebius.com' },
    chat('meta-llama/Llama-3.3-70B-Instruct', '/v1/chat/completions'),
    completions('meta-llama/Llama-3.3-70B-Instruct', '/v1/completions'),
    embeddings('BAAI/bge-multilingual-gemma2', '/v1/embeddings')
  ),
  // https://novita.ai/docs/guides/llm-api, https://novita.ai/docs/guides/llm-anthropic-compatibility
  ...at(
    { name: 'novita', origin: 'https://api.novita.ai' },
    chat('deepseek/deepseek-v3.2', '/openai/v1/chat/completions'),
    messages('zai-org/glm-4.7', '/anthropic/v1/messages', BEARER),
    completions('deepseek/deepseek-v3.2', '/openai/v1/completions'),
    embeddings('baai/bge-m3', '/openai/v1/embeddings')
  ),
  // https://docs.baseten.co/development/model-apis/overview
  ...at(
    { name: 'baseten', origin: 'https://inference.baseten.co' },
    chat('zai-org/GLM-5.3', '/v1/chat/completions')
  ),
  // https://featherless.ai/docs/completions
  ...at(
    { name: 'featherless', origin: 'https://api.featherless.ai' },
    chat('featherless-ai/Qwerky-72B', '/v1/chat/completions'),
    completions('featherless-ai/Qwerky-72B', '/v1/completions')
  ),
  // https://friendli.ai/docs/openapi/serverless/chat-completions
  ...at(
    { name: 'friendli', origin: 'https://api.friendli.ai' },
    chat('zai-org/GLM-5.3', '/serverless/v1/chat/completions'),
    completions('zai-org/GLM-5.3', '/serverless/v1/completions')
  ),
  // https://docs.wandb.ai/inference/api-reference
  ...at(
    { name: 'wandb', origin: 'https://api.inference.wandb.ai' },
    chat('openai/gpt-oss-120b', '/v1/chat/completions')
  ),
  // https://docs.siliconflow.com/en/api-reference/chat-completions/chat-completions
  ...at(
    { name: 'siliconflow', origin: 'https://api.siliconflow.com' },
    chat('deepseek-ai/DeepSeek-V3.2', '/v1/chat/completions'),
    messages('deepseek-ai/DeepSeek-V3.2', '/v1/messages', BEARER),
    embeddings('BAAI/bge-m3', '/v1/embeddings')
  ),
  // https://docs.nscale.com/api-reference
  ...at(
    { name: 'nscale', origin: 'https://inference.api.nscale.com' },
    chat('openai/gpt-oss-120b', '/v1/chat/completions')
  ),
  // https://docs.ollama.com/cloud, https://docs.ollama.com/api/anthropic-compatibility
  ...at(
    { name: 'ollama-cloud', origin: 'https://ollama.com' },
    ollama('gpt-oss:120b', '/api/chat', BEARER),
    chat('gpt-oss:120b', '/v1/chat/completions'),
    responses('gpt-oss:120b', '/v1/responses'),
    messages('gpt-oss:120b', '/v1/messages', BEARER)
  ),
]
