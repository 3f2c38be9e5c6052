import { GatewayError } from '../../errors/gateway-error'
import {
  type JsonMember,
  readJsonCount,
  readJsonString,
  scanJsonObject,
  toLineAndColumn,
} from '../../std/json-scan'
import { isRecord } from '../../std/record'
import type { Envelope, Operation, Span } from '../envelope'
import type { RequestChanges, RequestRoute } from '../protocol'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const ASK_FOR_USAGE = encoder.encode('{"include_usage":true}')

/** The members that the gateway reads. */
const READ = [
  'model',
  'stream',
  'stream_options',
  'n',
  'max_tokens',
  'max_completion_tokens',
  'service_tier',
  'user',
  'fallbacks',
] as const

/** Where the members stand that were looked for, by name. */
export type FoundMembers = { [name: string]: JsonMember | undefined }

/** Reads an OpenAI-shaped body in one scan; throws `invalid_json` and `invalid_request`. */
export function parseRequest(
  operation: Operation,
  body: Uint8Array,
  route: RequestRoute
): Envelope {
  const { found, closeAt } = scanMembers(body, READ)
  const envelope: Envelope = {
    operation,
    // Azure's clients say the model in the path, and some say one in the body too.
    model: route.model ?? readModel(body, found),
    stream: operation === 'generate' && readStream(body, found.stream),
    includesUsage: readIncludeUsage(body, found.stream_options),
    choices: readJsonCount(body, found.n) || 1,
    outputLimit:
      readJsonCount(body, found.max_completion_tokens) ?? readJsonCount(body, found.max_tokens),
    body,
    modelSpan: found.model,
    streamOptionsSpan: found.stream_options,
    closeAt,
  }
  // What few requests have: written into the literal, each would copy an object for every request.
  if (found.service_tier) envelope.serviceTier = readJsonString(body, found.service_tier)
  if (found.user) envelope.user = readJsonString(body, found.user)
  if (found.fallbacks) envelope.fallbacksSpan = found.fallbacks
  if (route.model !== undefined) envelope.isModelInPath = true
  return envelope
}

/**
 * Finds members of a body by name. Throws `invalid_json` where the body is no JSON object, `invalid_request`
 * for a member of `UNIQUE` that stands twice.
 */
export function scanMembers(
  body: Uint8Array,
  names: readonly string[]
): { found: FoundMembers; closeAt: number } {
  const found: FoundMembers = {}
  const scan = scanJsonObject(body, names, (member) => note(found, member))
  if (scan.ok) return { found, closeAt: scan.closeAt }
  const { line, column } = toLineAndColumn(body, scan.position)
  throw new GatewayError(
    'invalid_json',
    `the body is not a JSON object: ${scan.reason} at byte ${scan.position} (line ${line}, column ${column})`
  )
}

/** The model's name; throws `invalid_request` where it is none. */
export function readModel(body: Uint8Array, found: FoundMembers): string {
  const model = found.model && readJsonString(body, found.model)
  if (model) return model
  throw invalid('model', 'must be a non-empty string, e.g. "openai/gpt-4o-mini"')
}

/**
 * These decide rights, the way of the answer or what of others it may build on. One that is spelled twice
 * could mean one thing to us and another to the upstream, so each must stand once and without escapes.
 */
const UNIQUE: ReadonlySet<string> = new Set([
  ...['model', 'stream', 'stream_options', 'fallbacks'],
  ...['previous_response_id', 'conversation', 'store', 'background'],
])

function note(found: FoundMembers, member: JsonMember): void {
  const { name } = member
  if (UNIQUE.has(name)) {
    if (member.escaped) throw invalid(name, 'must be spelled without escapes')
    if (found[name]) throw invalid(name, 'must not stand twice')
  }
  found[name] = member
}

/**
 * The body for one target: the client's bytes with the model's name replaced and, where asked, a request
 * for usage put in. Everything else keeps its bytes, so a provider's prompt cache keeps hitting.
 */
export function renderRequest(envelope: Envelope, changes: RequestChanges): Uint8Array {
  const { body, modelSpan, streamOptionsSpan } = envelope
  const edits: { span: Span; text: Uint8Array }[] = []
  const end = { start: envelope.closeAt, end: envelope.closeAt }
  const isOther = envelope.isModelInPath === true || changes.model !== envelope.model
  const name = isOther ? JSON.stringify(changes.model) : ''
  if (isOther && modelSpan !== undefined)
    edits.push({ span: modelSpan, text: encoder.encode(name) })
  else if (isOther) edits.push({ span: end, text: encoder.encode(`,"model":${name}`) })
  if (changes.askForUsage && streamOptionsSpan !== undefined)
    edits.push({ span: streamOptionsSpan, text: withUsage(body, streamOptionsSpan) })
  else if (changes.askForUsage) edits.push({ span: end, text: ADD_STREAM_OPTIONS })
  return edits.length === 0 ? body : splice(body, edits)
}

const ADD_STREAM_OPTIONS = encoder.encode(',"stream_options":{"include_usage":true}')

/** Whether `stream` is on; throws `invalid_request` where it is no boolean. */
export function readStream(body: Uint8Array, span: Span | undefined): boolean {
  if (span === undefined) return false
  // The scan has shown that these are JSON, so the first letter tells them apart.
  const letter = body[span.start]
  if (letter === 0x74) return true
  if (letter === 0x66 || letter === 0x6e) return false
  throw invalid('stream', 'must be true or false')
}

function readIncludeUsage(body: Uint8Array, span: Span | undefined): boolean {
  if (span === undefined || body[span.start] === 0x6e) return false
  const options: unknown = JSON.parse(decoder.decode(body.subarray(span.start, span.end)))
  if (!isRecord(options)) throw invalid('stream_options', 'must be an object')
  return options.include_usage === true
}

/** `stream_options` with `include_usage` on, its other members as they were. */
function withUsage(body: Uint8Array, span: Span): Uint8Array {
  const options = body.subarray(span.start, span.end)
  let asked: JsonMember | undefined
  const scan = scanJsonObject(options, ['include_usage'], (member) => {
    asked = member
  })
  if (!scan.ok || scan.empty) return ASK_FOR_USAGE
  const edit = asked
    ? { span: asked, text: encoder.encode('true') }
    : {
        span: { start: scan.closeAt, end: scan.closeAt },
        text: encoder.encode(',"include_usage":true'),
      }
  return splice(options, [edit])
}

/** `bytes` with each span replaced; spans in any order, none overlapping. */
export function splice(bytes: Uint8Array, edits: { span: Span; text: Uint8Array }[]): Uint8Array {
  edits.sort((a, b) => a.span.start - b.span.start)
  let length = bytes.length
  for (const { span, text } of edits) length += text.length - (span.end - span.start)
  const result = new Uint8Array(length)
  let from = 0
  let to = 0
  for (const { span, text } of edits) {
    result.set(bytes.subarray(from, span.start), to)
    to += span.start - from
    result.set(text, to)
    to += text.length
    from = span.end
  }
  result.set(bytes.subarray(from), to)
  return result
}

/** An error that names a member of the body. */
export function invalid(param: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `'${param}' ${what}`, { param })
}
