import type { IdentityKind, WireFormat } from '../../src/config/provider-row'

/** The key that the calls are made with. */
export const KEY = 'a-key'

/** What proves who calls: a header, or what an identity signs or is given for a while. */
export type ExpectedCredential =
  | { readonly kind: 'header'; readonly name: string; readonly value: string }
  | { readonly kind: 'identity'; readonly identity: IdentityKind }
  | { readonly kind: 'none' }

/** Members of the body that the host's document asks for, and those it refuses. */
export type ExpectedBody = {
  readonly has?: Readonly<Record<string, string>>
  readonly hasNot?: readonly string[]
}

/** One format at one host, as the host's document has it. Written by hand: nothing here is read from the catalog. */
export type ExpectedCall = {
  /** The catalog's name. */
  readonly name: string
  /** What its configuration says beside the key. */
  readonly settings: Readonly<Record<string, string>>
  readonly format: WireFormat
  /** The name of a model that is told in this format. */
  readonly model: string
  readonly origin: string
  /** Path and query for a whole answer. */
  readonly whole: string
  /** The same for a stream; `undefined` where the format has none. */
  readonly stream: string | undefined
  readonly credential: ExpectedCredential
  /** Other headers that the host asks for. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: ExpectedBody
}

type Call = Omit<ExpectedCall, 'name' | 'settings' | 'origin'>

type Host = Pick<ExpectedCall, 'name' | 'origin'> & Partial<Pick<ExpectedCall, 'settings'>>

export const BEARER: ExpectedCredential = header('authorization', `Bearer ${KEY}`)
export const X_API_KEY: ExpectedCredential = header('x-api-key', KEY)
export const API_KEY: ExpectedCredential = header('api-key', KEY)
export const NO_KEY: ExpectedCredential = { kind: 'none' }

export function header(name: string, value: string): ExpectedCredential {
  return { kind: 'header', name, value }
}

export function identity(kind: IdentityKind): ExpectedCredential {
  return { kind: 'identity', identity: kind }
}

/** The calls of one host. */
export function at({ name, origin, settings = {} }: Host, ...calls: Call[]): ExpectedCall[] {
  return calls.map((call) => Object.assign({ name, origin, settings }, call))
}

/** A call whose stream is asked for at the same address. */
function same(format: WireFormat, model: string, path: string, credential: ExpectedCredential) {
  return { format, model, whole: path, stream: path, credential, headers: {} }
}

export function chat(model: string, path: string, credential = BEARER, body?: ExpectedBody): Call {
  return { ...same('openai-chat', model, path, credential), ...(body && { body }) }
}

export function responses(model: string, path: string, credential = BEARER): Call {
  return same('openai-responses', model, path, credential)
}

export function completions(model: string, path: string, credential = BEARER): Call {
  return same('openai-completions', model, path, credential)
}

export function embeddings(model: string, path: string, credential = BEARER): Call {
  return { ...same('openai-embeddings', model, path, credential), stream: undefined }
}

/** Anthropic's format asks for its version in a header: https://platform.claude.com/docs/en/api/versioning */
export function messages(model: string, path: string, credential = X_API_KEY): Call {
  const call = same('anthropic-messages', model, path, credential)
  return { ...call, headers: { 'anthropic-version': '2023-06-01' } }
}

export function cohere(model: string, path: string): Call {
  return same('cohere-chat', model, path, BEARER)
}

export function ollama(model: string, path: string, credential: ExpectedCredential): Call {
  return same('ollama-chat', model, path, credential)
}

/** A format that has the model in its path, and whether it streams. */
export function addressed(
  format: WireFormat,
  model: string,
  paths: Pick<ExpectedCall, 'whole' | 'stream'>,
  credential: ExpectedCredential,
  body: ExpectedBody = { hasNot: ['model'] }
): Call {
  return { format, model, ...paths, credential, headers: {}, body }
}
