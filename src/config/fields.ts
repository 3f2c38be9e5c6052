import { z } from 'zod'
import { BYTE_SIZE_PATTERN, parseByteSize } from '../std/byte-size'
import { DURATION_PATTERN, parseDuration } from '../std/duration'
import { REFERENCE_PATTERN } from './references'

// The building blocks of the schema. The text given as `error` says what is allowed, whatever was
// found: it becomes the `allowed` of a problem. Descriptions are the documentation.

/** Names of providers, as in `provider/model`. */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9_-]*$/

const NEVER_CONFIGURED_HEADERS = new Set([
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** A mapping with these fields and no others; an unknown one's problem lists the known ones. */
export function fields<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const names = Object.keys(shape).join(', ')
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? names : `a mapping of ${names}`),
  })
}

/**
 * A section that few files have, made when one has it: making schemas is a good part of the work of a start. `absent` is
 * what it comes to where it is left out.
 */
export function section<Schema extends z.ZodType>(
  make: () => Schema,
  absent: z.core.util.NoUndefined<z.output<Schema>>
) {
  return z.lazy(make).default(absent)
}

/** Milliseconds, written with a unit. */
export function duration(standard: string, range: { from: string; to: string }, text: string) {
  const error = `a duration such as 500ms, 15s, 2m, 1h or 30d, from ${range.from} to ${range.to}`
  const fromMs = parseDuration(range.from) ?? 0
  const toMs = parseDuration(range.to) ?? Infinity
  return z
    .string({ error })
    .transform((written, context) => {
      const durationMs = parseDuration(written)
      if (durationMs !== undefined && durationMs >= fromMs && durationMs <= toMs) return durationMs
      context.addIssue({ code: 'custom', message: error })
      return z.NEVER
    })
    .prefault(standard)
    .meta({ description: text, pattern: DURATION_PATTERN.source })
}

/** Bytes, written with a unit. */
export function byteSize(standard: string, range: { from: string; to: string }, text: string) {
  const error = `a size such as 512KB, 32MB, 10GB or 1GiB, from ${range.from} to ${range.to}`
  const fromBytes = parseByteSize(range.from) ?? 0
  const toBytes = parseByteSize(range.to) ?? Infinity
  return z
    .string({ error })
    .transform((written, context) => {
      const sizeBytes = parseByteSize(written)
      const isInRange = sizeBytes !== undefined && sizeBytes >= fromBytes && sizeBytes <= toBytes
      if (isInRange) return sizeBytes
      context.addIssue({ code: 'custom', message: error })
      return z.NEVER
    })
    .prefault(standard)
    .meta({ description: text, pattern: BYTE_SIZE_PATTERN.source })
}

export function wholeNumber(standard: number, range: { from: number; to: number }, text: string) {
  const error = `a whole number from ${range.from} to ${range.to}`
  return z
    .int({ error })
    .min(range.from, error)
    .max(range.to, error)
    .prefault(standard)
    .describe(text)
}

export function trueOrFalse() {
  return z.boolean({ error: 'true, false' })
}

export function choice<const Names extends readonly [string, ...string[]]>(
  names: Names,
  standard: Names[number],
  text: string
) {
  return z
    .enum(names, { error: names.join(', ') })
    .default(standard)
    .describe(text)
}

export function text(allowed: string) {
  return z.string({ error: allowed }).min(1, allowed)
}

/** `none` or one reference: a key itself is never in the file. */
export function secret() {
  const error = 'none, caller, ${ENV_NAME} or ${file:PATH}'
  const isWord = (written: string) => written === 'none' || written === 'caller'
  return z
    .string({ error })
    .refine((written) => isWord(written) || REFERENCE_PATTERN.test(written), { error })
}

/** One reference: what is secret is never in the file. */
export function reference() {
  const error = '${ENV_NAME} or ${file:PATH}'
  return z.string({ error }).regex(REFERENCE_PATTERN, error)
}

/** An `http(s)` address without credentials, query or fragment. */
export function baseUrl() {
  const error = 'an http:// or https:// address without credentials, query or fragment'
  return z.string({ error }).refine(isBaseUrl, { error })
}

/** Header names to values; names that the gateway itself decides are refused, but for those in `permitted`. */
export function extraHeaders(permitted: readonly string[] = []) {
  const error = 'a mapping of header names to texts'
  const refused = 'a header name that the gateway does not set itself'
  const name = z
    .string()
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/)
    .refine((header) => {
      const lower = header.toLowerCase()
      return permitted.includes(lower) || !NEVER_CONFIGURED_HEADERS.has(lower)
    })
  return z.record(name, z.string({ error: 'a text, with ${ENV_NAME} or ${file:PATH} anywhere' }), {
    error: (issue) => (issue.code === 'invalid_key' ? refused : error),
  })
}

function isBaseUrl(written: string): boolean {
  const url = URL.parse(written)
  if (url === null || !/^https?:$/.test(url.protocol)) return false
  return url.username === '' && url.password === '' && !/[?#]/.test(written)
}

/** What may stand in the place of `{account}` and the like: no slash, nothing that ends a host's name. */
export function urlPart() {
  const error = 'letters, digits, dots, - and _, or ${ENV_NAME}'
  return z.string({ error }).regex(/^([A-Za-z0-9._-]+|\$\{[^{}]+\})$/, error)
}

/** A path, or one for whole answers and one for streams. */
export function pathOverride() {
  const error = 'a path with its leading slash, or a mapping of whole and stream to one each'
  const path = z.string({ error }).regex(/^\/[^\s#]*$/, error)
  const each = z.strictObject({
    whole: path.describe('For whole answers.'),
    stream: path.describe('For streams.'),
  })
  return z.union([path, each], { error })
}
