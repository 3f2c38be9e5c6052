import { matchesGlob } from '../../std/glob'

/** Kinds of hosts, by whose API they speak. */
export type PassthroughFamily = 'openai' | 'anthropic' | 'gemini' | 'bedrock' | 'cohere' | 'ollama'

/**
 * What asks a model for something, behind the version. All else manages an account, or what others have made there, and
 * stays closed: keys, members, files, fine-tuning, stores, batches.
 */
const INFERENCE: Readonly<Record<PassthroughFamily, RegExp>> = {
  openai:
    /^\/(chat\/completions|completions|responses|responses\/input_tokens|embeddings|moderations|rerank|ocr|fim\/completions|images\/(generations|edits|variations)|audio\/(speech|transcriptions|translations))$/,
  anthropic: /^\/(messages|messages\/count_tokens|complete)$/,
  gemini:
    /^\/(models|tunedModels)\/[^/:]+:(generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents|predict)$/,
  bedrock:
    /^\/model\/[^/]+\/(converse|converse-stream|invoke|invoke-with-response-stream|count-tokens)$/,
  cohere: /^\/(chat|embed|rerank|classify|tokenize|detokenize|summarize|generate)$/,
  ollama: /^\/api\/(chat|generate|embed|embeddings)$/,
}

/** Letters, digits and marks that no reader of paths takes for anything but themselves, escaped ones too. */
const SEGMENT = /^(?:[A-Za-z0-9_~:@!$'()*+,;=.-]|%[0-9A-Fa-f]{2})+$/

/** Escapes of what could begin another path, query or host: `/ \ . ? # %`, controls. */
const UNSAFE_ESCAPE = /%(2f|5c|2e|3f|23|25|0[0-9a-f]|1[0-9a-f]|7f)/i

/**
 * A path that means one thing to everybody who reads it, with its leading slash; `undefined` for any other: with empty
 * or dotted segments, backslashes, or what is a slash or dot only once it is unescaped.
 */
export function toPlainPath(path: string): string | undefined {
  if (!path.startsWith('/') || path.length > 2_048 || UNSAFE_ESCAPE.test(path)) return undefined
  const segments = path.slice(1).split('/')
  const isPlain = segments.every((segment) => SEGMENT.test(segment) && !/^\.+$/.test(segment))
  return isPlain ? path : undefined
}

/**
 * The path behind a provider's base URL for one that begins at the host's root, as its documents write it, or behind
 * that URL: of `https://api.openai.com/v1` both `/v1/chat/completions` and `/chat/completions`.
 */
export function behindBase(path: string, baseUrl: string): string {
  const base = new URL(baseUrl).pathname.replace(/\/$/, '')
  if (base !== '' && path.startsWith(`${base}/`)) return path.slice(base.length)
  const version = /\/v\d+[a-z0-9]*$/.exec(base)?.[0]
  return version !== undefined && path.startsWith(`${version}/`) ? path.slice(version.length) : path
}

/** A path behind the base URL without its version, which stands in one of the two. */
export function withoutVersion(path: string, baseUrl: string): string {
  const hasVersion = /\/v\d+[a-z0-9]*(\/|$)/.test(new URL(baseUrl).pathname)
  return hasVersion ? path : path.replace(/^\/v\d+[a-z0-9]*(?=\/)/, '')
}

/** Whether a path without its version asks a model for something, or is one that a configuration allows. */
export function isInference(
  path: string,
  family: PassthroughFamily,
  allowed: readonly string[]
): boolean {
  return INFERENCE[family].test(path) || allowed.some((glob) => matchesGlob(glob, path))
}
