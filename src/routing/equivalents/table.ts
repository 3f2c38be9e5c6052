/** Changes with the tables below. */
export const EQUIVALENTS_VERSION = '2026-11-23'

/** What hosts call one model, by the catalog's names of the hosts; of several names the first that a list knows. */
export type HostNames = Readonly<Record<string, string | readonly string[]>>

const claude = (model: string, bedrock = `anthropic.${model}`): HostNames => ({
  anthropic: model,
  vertex: model,
  'azure-anthropic': model,
  bedrock: [`global.${bedrock}`, bedrock],
})

const gpt = (model: string): HostNames => ({ openai: model, azure: model })

const gemini = (model: string): HostNames => ({ gemini: model, vertex: model })

/** The same weights at each of their hosts. */
export const MODELS: Readonly<Record<string, HostNames>> = {
  'claude-fable-5-1': claude('claude-fable-5-1'),
  'claude-fable-5': claude('claude-fable-5'),
  'claude-opus-5-5': claude('claude-opus-5-5'),
  'claude-opus-5': claude('claude-opus-5'),
  'claude-opus-4-8': claude('claude-opus-4-8'),
  'claude-opus-4-7': claude('claude-opus-4-7'),
  'claude-opus-4-5': claude('claude-opus-4-5', 'anthropic.claude-opus-4-5-20251101-v1:0'),
  'claude-sonnet-5-5': claude('claude-sonnet-5-5'),
  'claude-sonnet-5': claude('claude-sonnet-5'),
  'claude-sonnet-4-6': claude('claude-sonnet-4-6'),
  'claude-sonnet-4-5': claude('claude-sonnet-4-5', 'anthropic.claude-sonnet-4-5-20250929-v1:0'),
  'claude-haiku-5-5': claude('claude-haiku-5-5'),
  'claude-haiku-4-5': claude('claude-haiku-4-5', 'anthropic.claude-haiku-4-5-20251001-v1:0'),
  'gpt-6-astra': gpt('gpt-6-astra'),
  'gpt-6.1-sol': gpt('gpt-6.1-sol'),
  'gpt-6-sol': gpt('gpt-6-sol'),
  'gpt-6.1-terra': gpt('gpt-6.1-terra'),
  'gpt-6-luna': gpt('gpt-6-luna'),
  'gpt-5.6': gpt('gpt-5.6'),
  'gpt-5.6-luna': gpt('gpt-5.6-luna'),
  'gpt-5.5': gpt('gpt-5.5'),
  'gpt-5.2': gpt('gpt-5.2'),
  'gpt-5.1': gpt('gpt-5.1'),
  'gpt-5': gpt('gpt-5'),
  'gpt-5-mini': gpt('gpt-5-mini'),
  'gpt-4.1': gpt('gpt-4.1'),
  'gpt-4.1-mini': gpt('gpt-4.1-mini'),
  'gpt-4o': gpt('gpt-4o'),
  'gpt-4o-mini': gpt('gpt-4o-mini'),
  'gemini-4-argon': gemini('gemini-4-argon'),
  'gemini-3.8-flash': gemini('gemini-3.8-flash'),
  'gemini-3.5-flash-lite': gemini('gemini-3.5-flash-lite'),
  'gemini-3.1-pro-preview': gemini('gemini-3.1-pro-preview'),
  'gemini-2.5-pro': gemini('gemini-2.5-pro'),
  'gemini-2.5-flash': gemini('gemini-2.5-flash'),
  'gemini-2.5-flash-lite': gemini('gemini-2.5-flash-lite'),
  'grok-4.7': { xai: 'grok-4.7' },
  'grok-4.3': { xai: 'grok-4.3' },
  'mistral-large-4': { mistral: 'mistral-large-4' },
  'mistral-medium-3.5': { mistral: 'mistral-medium-3-5' },
  'mistral-small': { mistral: 'mistral-small-latest' },
  'command-a': { cohere: 'command-a-03-2025' },
  'deepseek-v4-pro': {
    deepseek: 'deepseek-v4-pro',
    together: 'deepseek-ai/DeepSeek-V4-Pro-0813',
    fireworks: 'accounts/fireworks/models/deepseek-v4-pro-0813',
    novita: 'deepseek/deepseek-v4-pro',
  },
  'deepseek-v4-flash': {
    deepseek: 'deepseek-v4-flash',
    together: 'deepseek-ai/DeepSeek-V4-Flash-0731',
    fireworks: 'accounts/fireworks/models/deepseek-v4-flash-0731',
    novita: 'deepseek/deepseek-v4-flash',
  },
  'kimi-k3': {
    moonshot: 'kimi-k3',
    together: 'moonshotai/Kimi-K3',
    fireworks: 'accounts/fireworks/models/kimi-k3',
    novita: 'moonshotai/kimi-k3',
  },
  'kimi-k3.1-pro': { moonshot: 'kimi-k3.1-pro' },
  'glm-5.3': {
    zai: 'glm-5.3',
    together: 'zai-org/GLM-5.3',
    fireworks: 'accounts/fireworks/models/glm-5p3',
    novita: 'zai-org/glm-5.3',
  },
  'glm-5.3-flash': {
    zai: 'glm-5.3-flash',
    together: 'zai-org/GLM-5.3-Flash',
    fireworks: 'accounts/fireworks/models/glm-5p3-flash',
  },
  'minimax-m3': {
    minimax: 'MiniMax-M3',
    together: 'MiniMaxAI/MiniMax-M3',
    fireworks: 'accounts/fireworks/models/minimax-m3',
    novita: 'minimax/minimax-m3',
  },
  'gpt-oss-120b': {
    groq: 'openai/gpt-oss-120b',
    cerebras: 'gpt-oss-120b',
    together: 'openai/gpt-oss-120b',
    fireworks: 'accounts/fireworks/models/gpt-oss-120b',
    novita: 'openai/gpt-oss-120b',
    bedrock: 'openai.gpt-oss-120b',
  },
  'gpt-oss-20b': {
    groq: 'openai/gpt-oss-20b',
    together: 'openai/gpt-oss-20b',
    fireworks: 'accounts/fireworks/models/gpt-oss-20b',
    novita: 'openai/gpt-oss-20b',
    bedrock: 'openai.gpt-oss-20b',
  },
  'llama-3.3-70b': {
    cerebras: 'llama-3.3-70b',
    together: 'meta-llama/Llama-3.3-70B-Instruct-Turbo',
    fireworks: 'accounts/fireworks/models/llama-v3p3-70b-instruct',
    bedrock: ['us.meta.llama3-3-70b-instruct-v1:0', 'meta.llama3-3-70b-instruct-v1:0'],
  },
}

/**
 * Models of other makers that are asked for in each other's place: by what they cost and can do on the version's day,
 * generations apart. The first at a host is taken.
 */
export const TIERS: Readonly<Record<string, readonly string[]>> = {
  deepest: ['claude-fable-5-1', 'gpt-6-astra', 'claude-fable-5'],
  frontier: ['claude-opus-5-5', 'gpt-5.6', 'claude-opus-5', 'gpt-5.5', 'claude-opus-4-8'],
  balanced: [
    ...['claude-sonnet-5-5', 'gpt-6.1-sol', 'gemini-4-argon', 'grok-4.7', 'kimi-k3.1-pro'],
    ...['claude-sonnet-5', 'gpt-6-sol', 'kimi-k3'],
  ],
  fast: ['gpt-6.1-terra', 'gemini-3.8-flash', 'mistral-large-4', 'glm-5.3', 'deepseek-v4-pro'],
  small: [
    ...['gpt-6-luna', 'claude-haiku-5-5', 'gemini-3.5-flash-lite', 'deepseek-v4-flash'],
    ...['glm-5.3-flash', 'minimax-m3', 'gpt-oss-120b', 'mistral-small', 'gpt-5.6-luna'],
    'gpt-oss-20b',
  ],
  'frontier of 2025': ['claude-opus-4-7', 'gpt-5.2', 'gemini-3.1-pro-preview', 'claude-opus-4-5'],
  'balanced of 2025': [
    ...['claude-sonnet-4-6', 'gpt-5.1', 'gemini-2.5-pro', 'grok-4.3', 'claude-sonnet-4-5'],
    ...['gpt-5', 'gpt-4.1', 'gpt-4o', 'mistral-medium-3.5', 'command-a'],
  ],
  'small of 2025': [
    ...['gpt-5-mini', 'claude-haiku-4-5', 'gemini-2.5-flash', 'gpt-4.1-mini', 'gpt-4o-mini'],
    ...['gemini-2.5-flash-lite', 'llama-3.3-70b'],
  ],
}
