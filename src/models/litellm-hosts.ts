/** Where an entry of LiteLLM's list belongs in ours. */
export type LiteLlmPlace = {
  readonly provider: string
  /** As the host knows it. */
  readonly model: string
  /** Of two entries for one model the lower counts. */
  readonly rank: number
}

type Host = {
  readonly provider: string
  /** What stands before the model's name in keys, unless it is what the row is called. */
  readonly prefix?: string
  readonly rank?: number
}

/**
 * What LiteLLM calls the hosts that the catalog has. The ranks put what a host sells under its own name before what
 * it sells beside it: https://docs.litellm.ai/docs/providers
 */
const HOSTS: Readonly<Record<string, Host>> = {
  openai: { provider: 'openai' },
  'text-completion-openai': { provider: 'openai', prefix: 'openai' },
  azure: { provider: 'azure' },
  azure_text: { provider: 'azure', prefix: 'azure' },
  azure_ai: { provider: 'azure', rank: 2 },
  anthropic: { provider: 'anthropic' },
  gemini: { provider: 'gemini' },
  bedrock: { provider: 'bedrock' },
  bedrock_converse: { provider: 'bedrock', prefix: 'bedrock' },
  bedrock_mantle: { provider: 'bedrock', rank: 2 },
  mistral: { provider: 'mistral' },
  cohere: { provider: 'cohere' },
  cohere_chat: { provider: 'cohere', prefix: 'cohere' },
  deepseek: { provider: 'deepseek' },
  xai: { provider: 'xai' },
  groq: { provider: 'groq' },
  cerebras: { provider: 'cerebras' },
  together_ai: { provider: 'together' },
  fireworks_ai: { provider: 'fireworks' },
  'fireworks_ai-embedding-models': { provider: 'fireworks', prefix: 'fireworks_ai' },
  perplexity: { provider: 'perplexity' },
  openrouter: { provider: 'openrouter' },
  sambanova: { provider: 'sambanova' },
  nvidia_nim: { provider: 'nvidia' },
  huggingface: { provider: 'huggingface' },
  deepinfra: { provider: 'deepinfra' },
  hyperbolic: { provider: 'hyperbolic' },
  nebius: { provider: 'nebius' },
  novita: { provider: 'novita' },
  moonshot: { provider: 'moonshot' },
  zai: { provider: 'zai' },
  bigmodel: { provider: 'zhipu' },
  minimax: { provider: 'minimax' },
  dashscope: { provider: 'dashscope' },
  baseten: { provider: 'baseten' },
  cloudflare: { provider: 'cloudflare' },
  github: { provider: 'github' },
  databricks: { provider: 'databricks' },
  watsonx: { provider: 'watsonx' },
  snowflake: { provider: 'snowflake' },
  ai21: { provider: 'ai21' },
  voyage: { provider: 'voyage' },
  jina_ai: { provider: 'jina' },
  ollama: { provider: 'ollama' },
  vercel_ai_gateway: { provider: 'vercel' },
  gradient_ai: { provider: 'digitalocean' },
  featherless_ai: { provider: 'featherless' },
  friendliai: { provider: 'friendli' },
  inception: { provider: 'inception' },
  ovhcloud: { provider: 'ovhcloud' },
  scaleway: { provider: 'scaleway' },
  wandb: { provider: 'wandb' },
  volcengine: { provider: 'volcengine' },
}

/** Vertex has a group for each maker: `vertex_ai-anthropic_models`. */
const VERTEX: Host = { provider: 'vertex', prefix: 'vertex_ai' }

/** Names that no request has: an image's size and quality, a range of sizes that a host prices alike. */
const NO_MODEL =
  /^(?:(?:low|medium|high|standard|hd)\/)?(?:\d+|max)-x-(?:\d+|max)\/|^(?:together-ai|fireworks-ai)-|-commitment\/|^guardrails$/

/** Where Azure processes a deployment, which its name does not tell. */
const AZURE_ZONE = /^(?:us|eu|apac|us-gov|global|global-standard)\//

/** Anthropic's own API with AWS's bill. */
const CLAUDE_PLATFORM = /^claude_platform\//

/**
 * Whose model an entry is about, by its key and `litellm_provider`; `undefined` for hosts that the catalog has not,
 * and for entries that no request could name. Bedrock's prices of one region keep it before the name:
 * `eu-west-2/qwen.qwen3-next-80b-a3b`.
 * https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json
 */
export function placeLiteLlmEntry(key: string, litellmProvider: string): LiteLlmPlace | undefined {
  const host = findHost(litellmProvider)
  if (host === undefined) return undefined
  const prefix = `${host.prefix ?? litellmProvider}/`
  const isPrefixed = key.startsWith(prefix)
  let model = isPrefixed ? key.slice(prefix.length) : key
  let rank = (host.rank ?? 0) + (isPrefixed ? 0 : 1)
  if (NO_MODEL.test(model)) return undefined
  if (host.provider === 'azure' && AZURE_ZONE.test(model)) return undefined
  if (host.provider === 'bedrock') {
    if (CLAUDE_PLATFORM.test(model)) return undefined
    if (model.startsWith('invoke/')) {
      model = model.slice('invoke/'.length)
      rank += 2
    }
  }
  return model === '' ? undefined : { provider: host.provider, model, rank }
}

function findHost(litellmProvider: string): Host | undefined {
  if (Object.hasOwn(HOSTS, litellmProvider)) return HOSTS[litellmProvider]
  return /^vertex_ai(?:-|$)/.test(litellmProvider) ? VERTEX : undefined
}
