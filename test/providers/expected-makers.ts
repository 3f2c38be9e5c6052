import type { ExpectedCall } from './expected-call'
import { addressed, at, BEARER, chat, cohere, completions } from './expected-call'
import { embeddings, header, KEY, messages, responses } from './expected-call'

export const MAKER_CALLS: readonly ExpectedCall[] = [
  // https://platform.openai.com/docs/api-reference
  ...at(
    { name: 'openai', origin: 'https://api.openai.com' },
    chat('gpt-5.5', '/v1/chat/completions'),
    responses('gpt-5.5', '/v1/responses'),
    completions('gpt-3.5-turbo-instruct', '/v1/completions'),
    embeddings('text-embedding-3-small', '/v1/embeddings')
  ),
  // https://platform.claude.com/docs/en/api/messages
  ...at(
    { name: 'anthropic', origin: 'https://api.anthropic.com' },
    messages('claude-sonnet-5', '/v1/messages')
  ),
  // https://ai.google.dev/api/generate-content, https://ai.google.dev/gemini-api/docs/openai
  ...at(
    { name: 'gemini', origin: 'https://generativelanguage.googleapis.com' },
    addressed(
      'gemini',
      'gemini-3.5-flash',
      {
        whole: '/v1beta/models/gemini-3.5-flash:generateContent',
        stream: '/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse',
      },
      header('x-goog-api-key', KEY)
    ),
    embeddings('gemini-embedding-001', '/v1beta/openai/embeddings')
  ),
  // https://docs.mistral.ai/api
  ...at(
    { name: 'mistral', origin: 'https://api.mistral.ai' },
    chat('mistral-large-latest', '/v1/chat/completions', BEARER, { hasNot: ['stream_options'] }),
    embeddings('mistral-embed', '/v1/embeddings')
  ),
  // https://docs.cohere.com/reference/chat, https://docs.cohere.com/docs/compatibility-api
  ...at(
    { name: 'cohere', origin: 'https://api.cohere.com' },
    cohere('command-a-03-2025', '/v2/chat'),
    embeddings('embed-v4.0', '/compatibility/v1/embeddings')
  ),
  // https://api-docs.deepseek.com, https://api-docs.deepseek.com/guides/anthropic_api
  ...at(
    { name: 'deepseek', origin: 'https://api.deepseek.com' },
    chat('deepseek-flash', '/chat/completions'),
    messages('deepseek-flash', '/anthropic/v1/messages')
  ),
  // https://docs.x.ai/docs/api-reference
  ...at(
    { name: 'xai', origin: 'https://api.x.ai' },
    chat('grok-4.7', '/v1/chat/completions'),
    responses('grok-4.7', '/v1/responses')
  ),
  // https://docs.perplexity.ai/guides/chat-completions-guide
  ...at(
    { name: 'perplexity', origin: 'https://api.perplexity.ai' },
    chat('sonar-pro', '/chat/completions')
  ),
  // https://docs.ai21.com/reference/jamba-1-6-api-ref
  ...at(
    { name: 'ai21', origin: 'https://api.ai21.com' },
    chat('jamba-large', '/studio/v1/chat/completions')
  ),
  // https://docs.inceptionlabs.ai/get-started/get-started
  ...at(
    { name: 'inception', origin: 'https://api.inceptionlabs.ai' },
    chat('mercury-2', '/v1/chat/completions')
  ),
  // https://console.upstage.ai/docs/capabilities/generate/chat
  ...at(
    { name: 'upstage', origin: 'https://api.upstage.ai' },
    chat('solar-pro3', '/v1/chat/completions'),
    embeddings('embedding-query', '/v1/embeddings')
  ),
  // https://docs.voyageai.com/reference/embeddings-api
  ...at(
    { name: 'voyage', origin: 'https://api.voyageai.com' },
    embeddings('voyage-3.5', '/v1/embeddings')
  ),
  // https://jina.ai/embeddings/
  ...at(
    { name: 'jina', origin: 'https://api.jina.ai' },
    embeddings('jina-embeddings-v4', '/v1/embeddings')
  ),
  // https://platform.kimi.ai/docs/api/overview
  ...at(
    { name: 'moonshot', origin: 'https://api.moonshot.ai' },
    chat('kimi-k3', '/v1/chat/completions'),
    responses('kimi-k3', '/v1/responses'),
    messages('kimi-k3', '/anthropic/v1/messages', BEARER)
  ),
  // https://docs.z.ai/api-reference/llm/chat-completion
  ...at(
    { name: 'zai', origin: 'https://api.z.ai' },
    chat('glm-5.3', '/api/paas/v4/chat/completions'),
    messages('glm-5.3', '/api/anthropic/v1/messages', BEARER)
  ),
  // https://docs.bigmodel.cn/cn/guide/develop/openai/introduction
  ...at(
    { name: 'zhipu', origin: 'https://open.bigmodel.cn' },
    chat('glm-5.3', '/api/paas/v4/chat/completions'),
    messages('glm-5.3', '/api/anthropic/v1/messages', BEARER),
    embeddings('embedding-3', '/api/paas/v4/embeddings')
  ),
  // https://platform.minimax.io/docs/api-reference/text-openai-api
  ...at(
    { name: 'minimax', origin: 'https://api.minimax.io' },
    chat('MiniMax-M3', '/v1/chat/completions'),
    responses('MiniMax-M3', '/v1/responses'),
    messages('MiniMax-M3', '/anthropic/v1/messages', BEARER)
  ),
  // https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope
  ...at(
    { name: 'dashscope', origin: 'https://dashscope-intl.aliyuncs.com' },
    chat('qwen-plus', '/compatible-mode/v1/chat/completions'),
    embeddings('text-embedding-v4', '/compatible-mode/v1/embeddings')
  ),
  ...at(
    {
      name: 'dashscope',
      origin: 'https://dashscope-us.aliyuncs.com',
      settings: { region: 'us' },
    },
    chat('qwen-plus', '/compatible-mode/v1/chat/completions')
  ),
  ...at(
    { name: 'dashscope', origin: 'https://dashscope.aliyuncs.com', settings: { region: 'cn' } },
    chat('qwen-plus', '/compatible-mode/v1/chat/completions')
  ),
  ...at(
    {
      name: 'dashscope',
      origin: 'https://cn-hongkong.dashscope.aliyuncs.com',
      settings: { region: 'hk' },
    },
    chat('qwen-plus', '/compatible-mode/v1/chat/completions')
  ),
  // https://www.volcengine.com/docs/82379/1494384
  ...at(
    { name: 'volcengine', origin: 'https://ark.cn-beijing.volces.com' },
    chat('doubao-seed-2-1-pro-260915', '/api/v3/chat/completions'),
    responses('doubao-seed-2-1-pro-260915', '/api/v3/responses'),
    embeddings('doubao-embedding-large-text-250515', '/api/v3/embeddings')
  ),
  // https://platform.stepfun.ai/docs/en/guides/developer/openai
  ...at(
    { name: 'stepfun', origin: 'https://api.stepfun.ai' },
    chat('step-3.5-flash', '/v1/chat/completions')
  ),
]
