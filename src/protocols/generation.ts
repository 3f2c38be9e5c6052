import type { JsonObject, JsonValue } from './json'

/**
 * The neutral model of a chat: what a client asked for in one wire format and an upstream is told in another.
 * It is built only where the two differ. Every node keeps the JSON it was read from, so that its own format
 * gets it back as it was.
 */
export type Generation = Settings & {
  /** The model as the client wrote it. */
  model: string
  stream: boolean
  /** The client asked for usage in its stream, or its format always has it. */
  includesUsage: boolean
  /** In order. Tool results are parts of user turns; system turns may stand anywhere. */
  messages: Message[]
  tools: Tool[]
  /** The id of the kept answer that it goes on from, whose turns stand before its own by now. */
  previousId?: string | undefined
  source: Source
}

/** The formats that chats are spoken in; the closed list of those with a folder here. */
export const CHAT_PROTOCOLS = [
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'gemini',
  'bedrock-converse',
  'cohere-chat',
  'ollama-chat',
] as const
export type ChatProtocolName = (typeof CHAT_PROTOCOLS)[number]

/** Where a node came from. Its own format renders `json` again, key for key, unless it was edited. */
export type Source = {
  protocol: ChatProtocolName
  json: JsonValue
}

/** How the answer shall be made. `undefined` leaves it to the model. */
export type Settings = {
  toolChoice?: ToolChoice | undefined
  parallelToolCalls?: boolean | undefined
  /** The most tokens of the answer, reasoning included. */
  maxTokens?: number | undefined
  temperature?: number | undefined
  topP?: number | undefined
  topK?: number | undefined
  frequencyPenalty?: number | undefined
  presencePenalty?: number | undefined
  seed?: number | undefined
  stop?: string[] | undefined
  /** How many answers; 1 unless said. */
  choices?: number | undefined
  /** Log probabilities of the tokens that were chosen. */
  logprobs?: boolean | undefined
  /** And of so many others for each. */
  topLogprobs?: number | undefined
  format?: Format | undefined
  reasoning?: Reasoning | undefined
  /** The kinds of output wanted, where not text alone. */
  modalities?: ('text' | 'audio' | 'image')[] | undefined
  /** How spoken output shall sound. */
  audio?: { voice: string; format: string } | undefined
  /** `low`, `medium`, `high`. */
  verbosity?: string | undefined
  /** The end user, as the client names them. */
  user?: string | undefined
  metadata?: Record<string, string> | undefined
  serviceTier?: string | undefined
  /** Keep the answer at the provider. */
  store?: boolean | undefined
  /** What requests that share a prefix have in common. */
  promptCacheKey?: string | undefined
  /**
   * The source's own top-level members that nothing above stands for, by their own names. Another format
   * can't have them: they are reported as dropped.
   */
  extras: JsonObject
}

export type ToolChoice =
  | { type: 'auto' | 'none' | 'required' }
  | { type: 'tool'; name: string }
  /** One of these, or none of them. */
  | { type: 'allowed'; names: string[]; mode: 'auto' | 'required' }

export type Format =
  | { type: 'text' }
  /** Any JSON object. */
  | { type: 'json' }
  | {
      type: 'schema'
      schema: JsonObject
      name?: string | undefined
      description?: string | undefined
      strict?: boolean | undefined
    }

/** How much to think. `effort`: none, minimal, low, medium, high, xhigh, max; a budget is in tokens. */
export type Reasoning = {
  /** `false` switches it off, `true` on at the model's own measure. */
  enabled?: boolean | undefined
  effort?: string | undefined
  budgetTokens?: number | undefined
  /** Whether and how the thoughts are shown: `auto`, `concise`, `detailed`, `none`. */
  summary?: string | undefined
}

export type Role = 'system' | 'user' | 'assistant'

export type Message = {
  role: Role
  parts: Part[]
  /** Who speaks, where a role has several. */
  name?: string | undefined
  /** The whole turn as it came; absent where a turn was put together from several places. */
  source?: Source | undefined
}

export type Part =
  TextPart | MediaPart | ToolCallPart | ToolResultPart | ReasoningPart | RefusalPart | NativePart

type Node = {
  /** What stands up to here may be cached at the provider. */
  cache?: CacheMark | undefined
  source?: Source | undefined
}

/** `ttl`: `5m` or `1h`; the provider's own measure unless said. */
export type CacheMark = { ttl?: string | undefined }

export type TextPart = Node & {
  type: 'text'
  text: string
  citations?: Citation[] | undefined
  signature?: Signature | undefined
}

/** An image, a sound, a film, or a file such as a PDF: asked about, or part of the answer. */
export type MediaPart = Node & {
  type: 'media'
  media: 'image' | 'audio' | 'video' | 'file'
  data: { base64: string } | { url: string } | { fileId: string } | { text: string }
  /** E.g. `image/png`; `undefined` where only the other end knows. */
  mimeType?: string | undefined
  /** A file's name or title. */
  name?: string | undefined
  /** How closely to look at an image: `low`, `high`, `auto`. */
  detail?: string | undefined
  /** What is said in a sound that the model made. */
  transcript?: string | undefined
  signature?: Signature | undefined
}

export type ToolCallPart = Node & {
  type: 'tool_call'
  /** Never empty: where a format has none, the reader makes one. */
  id: string
  name: string
  /** The arguments as JSON text, as far as the model wrote it; free text for a custom tool. */
  arguments: string
  /** A custom tool: its input is text, not JSON. */
  isCustom?: boolean | undefined
  signature?: Signature | undefined
}

export type ToolResultPart = Node & {
  type: 'tool_result'
  callId: string
  /** The tool's name, where the format tells it or an earlier call does. */
  name?: string | undefined
  parts: (TextPart | MediaPart | NativePart)[]
  isError?: boolean | undefined
}

export type ReasoningPart = Node & {
  type: 'reasoning'
  /** May be empty: some providers only give a signature or an encrypted form. */
  text: string
  /** A summary of the thoughts, not the thoughts. */
  isSummary?: boolean | undefined
  signature?: Signature | undefined
  /** Thoughts that only the provider can read (Anthropic's redacted, OpenAI's encrypted content). */
  encrypted?: Signature | undefined
  /** The item's id, where its provider wants it back. */
  id?: string | undefined
}

export type RefusalPart = Node & { type: 'refusal'; text: string }

/** What only one format knows, e.g. the result of a server-side tool: rendered there, reported elsewhere. */
export type NativePart = Node & {
  type: 'native'
  /** As its format calls it, e.g. `web_search_tool_result`. */
  name: string
  source: Source
}

/** Opaque state that means something to the models of one maker, wherever they are hosted. */
export type Signature = { maker: 'anthropic' | 'google' | 'openai' | 'other'; value: string }

/** Where a text has it from. */
export type Citation = {
  url?: string | undefined
  title?: string | undefined
  citedText?: string | undefined
  /** Which of the request's documents, from 0. */
  documentIndex?: number | undefined
  /** In characters of the text that cites. */
  startIndex?: number | undefined
  endIndex?: number | undefined
  source: Source
}

export type Tool =
  | (Node & {
      type: 'function'
      name: string
      description?: string | undefined
      /** JSON Schema; `undefined` for a function without arguments. */
      parameters?: JsonObject | undefined
      strict?: boolean | undefined
    })
  /** Takes text in place of JSON. */
  | (Node & { type: 'custom'; name: string; description?: string | undefined; source: Source })
  /** Run by the provider: web search, code execution. Only its own format can ask for it. */
  | (Node & { type: 'server'; name: string; source: Source })
