/** Wire formats a provider may speak. */
export const PROVIDER_FAMILIES = ['openai'] as const

export type ProviderFamily = (typeof PROVIDER_FAMILIES)[number]

/** Parts of a family's API that a host answers. */
export type ProviderApi = 'chat' | 'completions' | 'embeddings'

/** One host as data: what a configuration need not say about it. */
export type ProviderRow = {
  /** The name in configurations and in `provider/model`. */
  name: string
  title: string
  family: ProviderFamily
  /** Without a trailing slash; `/chat/completions` and the like are appended. */
  baseUrl: string
  /** The environment variable with its key; `undefined` where none is ever needed. */
  apiKeyEnv: string | undefined
  /** It runs on this machine: private addresses are its normal ones, and a key is optional. */
  local: boolean
  apis: readonly ProviderApi[]
  quirks: {
    /** `stream_options.include_usage` may be asked for; false where the host refuses it. */
    includeUsage: boolean
  }
  /** Well-known model names, beside what the host itself lists. */
  models: readonly string[]
  documentUrl: string
  /** The day these facts were last compared with the document. */
  checked: string
}
