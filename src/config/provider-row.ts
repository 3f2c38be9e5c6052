/** Kinds of hosts, by whose API they speak and how they want a key and list models. */
export const PROVIDER_FAMILIES = ['openai', 'anthropic', 'gemini', 'bedrock'] as const

export type ProviderFamily = (typeof PROVIDER_FAMILIES)[number]

/** Wire formats that a host may answer; the folders of `protocols/` speak them. */
export const WIRE_FORMATS = [
  'openai-chat',
  'openai-responses',
  'openai-completions',
  'openai-embeddings',
  'anthropic-messages',
  'gemini',
  'bedrock-converse',
  'bedrock-invoke',
] as const

export type WireFormat = (typeof WIRE_FORMATS)[number]

/** What a compatible host of a family answers, unless said. */
export const FAMILY_PROTOCOLS: Readonly<Record<ProviderFamily, readonly WireFormat[]>> = {
  openai: ['openai-chat', 'openai-completions', 'openai-embeddings'],
  anthropic: ['anthropic-messages'],
  gemini: ['gemini'],
  bedrock: ['bedrock-converse', 'bedrock-invoke'],
}

/** Where a host departs from its format. */
export type ProviderQuirks = {
  /** `stream_options.include_usage` may be asked for; false where the host refuses it. */
  readonly includeUsage: boolean
  /** Ids of tool calls must be nine letters and digits. */
  readonly shortToolCallIds?: boolean
  /** An assistant turn that called tools must bring its `reasoning_content` back. */
  readonly wantsReasoningBack?: boolean
}

/** One host as data: what a configuration need not say about it. */
export type ProviderRow = {
  /** The name in configurations and in `provider/model`. */
  name: string
  title: string
  family: ProviderFamily
  /** Without a trailing slash; `/chat/completions`, `/v1/messages` and the like are appended. */
  baseUrl: string
  /** The environment variable with its key; `undefined` where none is ever needed. */
  apiKeyEnv: string | undefined
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
