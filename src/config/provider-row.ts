/** Kinds of hosts, by whose API they speak and how they want a key and list models. */
export const PROVIDER_FAMILIES = [
  'openai',
  'anthropic',
  'gemini',
  'bedrock',
  'cohere',
  'ollama',
] as const

export type ProviderFamily = (typeof PROVIDER_FAMILIES)[number]

/** Wire formats that a host may answer; the folders of `protocols/` speak them. */
export const WIRE_FORMATS = [
  'openai-chat',
  'openai-responses',
  'openai-completions',
  'openai-embeddings',
  'openai-moderations',
  'openai-images',
  'openai-speech',
  'openai-transcriptions',
  'openai-translations',
  'openai-image-edits',
  'openai-image-variations',
  'openai-files',
  'openai-batches',
  'anthropic-messages',
  'anthropic-files',
  'anthropic-batches',
  'gemini',
  'gemini-embed',
  'gemini-batch-embed',
  'gemini-predict',
  'gemini-batches',
  'bedrock-converse',
  'bedrock-invoke',
  'bedrock-embed',
  'cohere-chat',
  'cohere-embed',
  'cohere-embed-v1',
  'cohere-rerank',
  'jina-rerank',
  'voyage-rerank',
  'ollama-chat',
] as const

export type WireFormat = (typeof WIRE_FORMATS)[number]

/** What a compatible host of a family answers, unless said. */
export const FAMILY_PROTOCOLS: Readonly<Record<ProviderFamily, readonly WireFormat[]>> = {
  openai: [
    'openai-chat',
    'openai-completions',
    'openai-embeddings',
    'openai-moderations',
    'openai-images',
    'openai-speech',
    'openai-transcriptions',
    'openai-translations',
    'openai-image-edits',
    'openai-image-variations',
    'openai-files',
    'openai-batches',
    'jina-rerank',
  ],
  anthropic: ['anthropic-messages', 'anthropic-files', 'anthropic-batches'],
  gemini: ['gemini', 'gemini-batch-embed', 'gemini-embed', 'gemini-predict', 'gemini-batches'],
  bedrock: ['bedrock-converse', 'bedrock-invoke', 'bedrock-embed'],
  cohere: ['cohere-chat', 'cohere-embed', 'cohere-embed-v1', 'cohere-rerank'],
  ollama: ['ollama-chat', 'openai-chat', 'openai-completions', 'openai-embeddings'],
}

/** Where an API key stands in a request, if not where the wire format has it. */
export type ApiKeyPlace =
  | { readonly kind: 'bearer' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'query'; readonly name: string }

/** Who gives out short-lived credentials, where there is no key or none that is sent as it is. */
export const IDENTITIES = ['aws', 'google', 'azure', 'ibm'] as const

export type IdentityKind = (typeof IDENTITIES)[number]

/** A part of the base URL that the configuration or the environment says. */
export const URL_VARIABLES = ['account', 'region', 'deployment', 'api_version'] as const

export type UrlVariableName = (typeof URL_VARIABLES)[number]

export type UrlVariable = {
  /** What it is at this host, e.g. "the name of the Azure resource". */
  readonly what: string
  /** Environment variables that say it, the first that is set. */
  readonly env: readonly string[]
  /** Its value unless said; without one it has to be. */
  readonly standard?: string
  /** Base URLs of values that are served elsewhere than the rest. */
  readonly baseUrls?: Readonly<Record<string, string>>
}

/**
 * A path behind the base URL, with its leading slash. `{model}` becomes the model's name, one path segment;
 * `{api_version}` that variable.
 */
export type PathOverride = string | { readonly whole: string; readonly stream: string }

/** Models of a host that speak other formats than the rest of it. */
export type ModelFormats = {
  /** A glob of the names the host knows them by. */
  readonly models: string
  readonly protocols: readonly WireFormat[]
}

/** How a host lists its models: where, and in whose shape. */
export type ModelListPlace = {
  readonly path: string
  readonly shape: ProviderFamily
}

/**
 * As many as one page may have. Bedrock's list is not where its models are served.
 * https://docs.claude.com/en/api/models-list, https://ai.google.dev/api/models,
 * https://docs.cohere.com/reference/list-models, https://docs.ollama.com/api/tags
 */
export const FAMILY_MODEL_LISTS: Readonly<Record<ProviderFamily, string | undefined>> = {
  openai: '/models',
  anthropic: '/v1/models?limit=1000',
  gemini: '/v1beta/models?pageSize=1000',
  bedrock: undefined,
  cohere: '/v1/models?page_size=1000',
  ollama: '/api/tags',
}

/** Where a host departs from its format. */
export type ProviderQuirks = {
  /** `stream_options.include_usage` may be asked for; false where the host refuses it. */
  readonly includeUsage: boolean
  /** Ids of tool calls must be nine letters and digits. */
  readonly shortToolCallIds?: boolean
  /** An assistant turn that called tools must bring its `reasoning_content` back. */
  readonly wantsReasoningBack?: boolean
  /** Members of a chat that the host of OpenAI's format knows by older or other names. */
  readonly renames?: Readonly<Record<string, string>>
  /** Anthropic's format with the model in the path and this `anthropic_version` in the body. */
  readonly anthropicVersionInBody?: string
  /** Its Responses have no state: nothing is found again by its id, or gone on from. */
  readonly keepsNoResponses?: true
}

/** One host as data: what a configuration need not say about it. */
export type ProviderRow = {
  /** The name in configurations and in `provider/model`. */
  name: string
  title: string
  family: ProviderFamily
  /**
   * Without a trailing slash; `/chat/completions`, `/v1/messages` and the like are appended. `{account}` and
   * `{region}` in it are told by `variables`.
   */
  baseUrl: string
  variables?: Readonly<Partial<Record<UrlVariableName, UrlVariable>>>
  /** The environment variable with its key; `undefined` where none is ever needed. */
  apiKeyEnv: string | undefined
  /** Where the key stands; left out: where the wire format has it. */
  apiKeyPlace?: ApiKeyPlace
  /** Where short-lived credentials come from when no key is given (`ibm`: in exchange for the key). */
  identity?: IdentityKind
  /** What Entra's tokens are for, where it is not Azure's usual scope. */
  identityScope?: string
  /** Headers of every request beside the key. */
  headers?: Readonly<Record<string, string>>
  /** Where a format is served elsewhere than its own document says. */
  paths?: Readonly<Partial<Record<WireFormat, PathOverride>>>
  /** Where the models differ in their formats; the first that matches counts, else `protocols`. */
  modelFormats?: readonly ModelFormats[]
  /** Where its list of models is, `false` for none; left out: as its family has it. */
  modelList?: ModelListPlace | false
  /** It runs on this machine: private addresses are its normal ones, and a key is optional. */
  local: boolean
  /** In order of preference: a chat that comes in another format is told in the first that is one. */
  protocols: readonly WireFormat[]
  quirks: ProviderQuirks
  /** Well-known model names, beside what the host itself lists. */
  models: readonly string[]
  documentUrl: string
  /** The day these facts were last compared with the document. */
  checked: string
}
