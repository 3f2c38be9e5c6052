import type { ExpectedCall } from './expected-call'
import { addressed, API_KEY, at, BEARER, chat, completions } from './expected-call'
import { embeddings, identity, messages, responses } from './expected-call'

const CLAUDE = 'anthropic.claude-sonnet-4-5-20250929-v1:0'
const CLAUDE_PATH = '/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0'

const GOOGLE = identity('google')

/** Calls of Vertex AI at one location; `place` is its path up to the location's name. */
function vertexAt(origin: string, region: string): ExpectedCall[] {
  const place = `/v1/projects/my-project/locations/${region}`
  const google = `${place}/publishers/google/models/gemini-3.5-flash`
  const anthropic = `${place}/publishers/anthropic/models/claude-sonnet-4-5%4020250929`
  return at(
    { name: 'vertex', origin, settings: { account: 'my-project', region } },
    // https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
    addressed(
      'gemini',
      'gemini-3.5-flash',
      {
        whole: `${google}:generateContent`,
        stream: `${google}:streamGenerateContent?alt=sse`,
      },
      GOOGLE
    ),
    // https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
    addressed(
      'anthropic-messages',
      'claude-sonnet-4-5@20250929',
      { whole: `${anthropic}:rawPredict`, stream: `${anthropic}:streamRawPredict` },
      GOOGLE,
      { has: { anthropic_version: 'vertex-2023-10-16' }, hasNot: ['model'] }
    ),
    // https://cloud.google.com/vertex-ai/generative-ai/docs/maas/call-open-model-apis
    chat('meta/llama-3.3-70b-instruct-maas', `${place}/endpoints/openapi/chat/completions`, GOOGLE)
  )
}

export const CLOUD_CALLS: readonly ExpectedCall[] = [
  // https://learn.microsoft.com/en-us/azure/foundry/openai/api-version-lifecycle
  ...at(
    {
      name: 'azure',
      origin: 'https://my-resource.openai.azure.com',
      settings: { account: 'my-resource' },
    },
    chat('my-gpt', '/openai/v1/chat/completions', API_KEY),
    responses('my-gpt', '/openai/v1/responses', API_KEY),
    embeddings('my-embedding', '/openai/v1/embeddings', API_KEY)
  ),
  // https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference
  ...at(
    {
      name: 'azure-deployments',
      origin: 'https://my-resource.openai.azure.com',
      settings: { account: 'my-resource' },
    },
    chat('my-gpt', '/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21', API_KEY),
    completions(
      'my-instruct',
      '/openai/deployments/my-instruct/completions?api-version=2024-10-21',
      API_KEY
    ),
    embeddings(
      'my-embedding',
      '/openai/deployments/my-embedding/embeddings?api-version=2024-10-21',
      API_KEY
    )
  ),
  ...at(
    {
      name: 'azure-deployments',
      origin: 'https://my-resource.openai.azure.com',
      settings: { account: 'my-resource', api_version: '2025-04-01-preview' },
    },
    chat(
      'my-gpt',
      '/openai/deployments/my-gpt/chat/completions?api-version=2025-04-01-preview',
      API_KEY
    )
  ),
  // https://platform.claude.com/docs/en/build-with-claude/claude-in-microsoft-foundry
  ...at(
    {
      name: 'azure-anthropic',
      origin: 'https://my-resource.services.ai.azure.com',
      settings: { account: 'my-resource' },
    },
    messages('my-claude', '/anthropic/v1/messages')
  ),
  ...vertexAt('https://aiplatform.googleapis.com', 'global'),
  ...vertexAt('https://europe-west4-aiplatform.googleapis.com', 'europe-west4'),
  ...vertexAt('https://aiplatform.eu.rep.googleapis.com', 'eu'),
  ...vertexAt('https://aiplatform.us.rep.googleapis.com', 'us'),
  // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
  // https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html
  ...at(
    {
      name: 'bedrock',
      origin: 'https://bedrock-runtime.eu-west-1.amazonaws.com',
      settings: { region: 'eu-west-1' },
    },
    addressed(
      'bedrock-converse',
      CLAUDE,
      { whole: `${CLAUDE_PATH}/converse`, stream: `${CLAUDE_PATH}/converse-stream` },
      BEARER
    ),
    addressed(
      'bedrock-invoke',
      CLAUDE,
      {
        whole: `${CLAUDE_PATH}/invoke`,
        stream: `${CLAUDE_PATH}/invoke-with-response-stream`,
      },
      BEARER
    ),
    addressed(
      'bedrock-converse',
      CLAUDE,
      { whole: `${CLAUDE_PATH}/converse`, stream: `${CLAUDE_PATH}/converse-stream` },
      identity('aws')
    )
  ),
  // https://docs.databricks.com/aws/en/machine-learning/model-serving/query-anthropic-messages
  ...at(
    {
      name: 'databricks',
      origin: 'https://dbc-a1b2c3d4-e5f6.cloud.databricks.com',
      settings: { account: 'dbc-a1b2c3d4-e5f6.cloud.databricks.com' },
    },
    chat('databricks-meta-llama-3-3-70b-instruct', '/serving-endpoints/chat/completions', BEARER, {
      hasNot: ['stream_options'],
    }),
    completions('databricks-meta-llama-3-3-70b-instruct', '/serving-endpoints/completions'),
    messages('databricks-claude-sonnet-4-5', '/serving-endpoints/anthropic/v1/messages', BEARER),
    embeddings('databricks-bge-large-en', '/serving-endpoints/embeddings')
  ),
  // https://www.ibm.com/docs/en/watsonx/saas?topic=generation-inferencing-gateway-models
  ...at(
    { name: 'watsonx', origin: 'https://eu-de.ml.cloud.ibm.com', settings: { region: 'eu-de' } },
    chat('ibm/granite-4-h-small', '/ml/gateway/v1/chat/completions', identity('ibm')),
    completions('ibm/granite-4-h-small', '/ml/gateway/v1/completions', identity('ibm')),
    embeddings('ibm/granite-embedding', '/ml/gateway/v1/embeddings', identity('ibm'))
  ),
  // https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-rest-api
  ...at(
    {
      name: 'snowflake',
      origin: 'https://myorg-account.snowflakecomputing.com',
      settings: { account: 'myorg-account' },
    },
    chat('llama3.1-70b', '/api/v2/cortex/v1/chat/completions'),
    messages('claude-sonnet-4-5', '/api/v2/cortex/v1/messages', BEARER)
  ),
  // https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/
  ...at(
    {
      name: 'cloudflare',
      origin: 'https://api.cloudflare.com',
      settings: { account: '0123456789abcdef' },
    },
    chat(
      '@cf/meta/llama-3.1-8b-instruct',
      '/client/v4/accounts/0123456789abcdef/ai/v1/chat/completions'
    ),
    responses('@cf/openai/gpt-oss-120b', '/client/v4/accounts/0123456789abcdef/ai/v1/responses'),
    embeddings(
      '@cf/baai/bge-large-en-v1.5',
      '/client/v4/accounts/0123456789abcdef/ai/v1/embeddings'
    )
  ),
  // https://docs.github.com/en/rest/models/inference
  ...at(
    { name: 'github', origin: 'https://models.github.ai' },
    chat('openai/gpt-4.1', '/inference/chat/completions'),
    embeddings('openai/text-embedding-3-small', '/inference/embeddings')
  ),
  // https://www.scaleway.com/en/docs/generative-apis/api-cli/using-chat-api
  ...at(
    { name: 'scaleway', origin: 'https://api.scaleway.ai' },
    chat('llama-3.3-70b-instruct', '/v1/chat/completions'),
    responses('gpt-oss-120b', '/v1/responses'),
    embeddings('bge-multilingual-gemma2', '/v1/embeddings')
  ),
  // https://ovh.github.io/apache-airflow-provider-ovhcloud-ai/ai-endpoints
  ...at(
    { name: 'ovhcloud', origin: 'https://oai.endpoints.kepler.ai.cloud.ovh.net' },
    chat('gpt-oss-120b', '/v1/chat/completions'),
    embeddings('bge-m3', '/v1/embeddings')
  ),
  // https://docs.digitalocean.com/products/gradient-ai-platform/how-to/use-serverless-inference/
  ...at(
    { name: 'digitalocean', origin: 'https://inference.do-ai.run' },
    chat('llama3.3-70b-instruct', '/v1/chat/completions')
  ),
]
