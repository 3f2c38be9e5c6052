import { stringOf } from '../../std/record'
import type { NativePart, Part, TextPart, ToolCallPart, ToolResultPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { parseMedia } from './media'
import { asList, asObject, get, getObject, ownSource, parseSignature } from './members'

/**
 * The parts of a turn, in requests and answers. Calls and their results may have no ids: then they belong together by
 * name and order. https://ai.google.dev/api/caching#Part
 */

/** The part, unless it is the result of a call; `makeId` gives a call's id where the format has none. */
export function parsePart(part: JsonObject, makeId: () => string): Part {
  const call = getObject(part, 'functionCall')
  if (call) return parseCall(part, call, makeId)
  const { text } = part
  if (typeof text === 'string') return parseText(part, text)
  return parseMedia(part) ?? toNative(part)
}

/** A thought, or a text that is meant to be read. */
function parseText(part: JsonObject, text: string): Part {
  const signature = parseSignature(part)
  const source = ownSource(part)
  const type = part.thought === true ? 'reasoning' : 'text'
  return { type, text, ...(signature && { signature }), source }
}

function parseCall(part: JsonObject, call: JsonObject, makeId: () => string): ToolCallPart {
  const signature = parseSignature(part)
  return {
    type: 'tool_call',
    id: stringOf(call, 'id') || makeId(),
    name: stringOf(call, 'name') ?? '',
    arguments: JSON.stringify(asObject(call.args) ?? {}),
    ...(signature && { signature }),
    source: ownSource(part),
  }
}

/** What only Gemini knows, e.g. `executableCode`, by the name of the member that it stands in. */
export function toNative(part: JsonObject): NativePart {
  const name = Object.keys(part).find((key) => !BESIDE.has(key)) ?? 'unknown'
  return { type: 'native', name, source: ownSource(part) }
}

/** Members that say something about the one that a part is. */
const BESIDE: ReadonlySet<string> = new Set([
  'thought',
  'thoughtSignature',
  'thought_signature',
  'partMetadata',
  'part_metadata',
  'videoMetadata',
  'video_metadata',
  'mediaResolution',
  'media_resolution',
])

/** The calls of a conversation so far: which result belongs to which. */
export class CallLedger {
  /** Ids of calls by name that have no result yet, oldest first. */
  readonly #open = new Map<string, string[]>()
  readonly #names = new Map<string, string>()

  call({ id, name }: ToolCallPart): void {
    this.#names.set(id, name)
    const open = this.#open.get(name)
    if (open) open.push(id)
    else this.#open.set(name, [id])
  }

  /** The id of the call that a result answers: its own, else that of the oldest open call of its name. */
  answer(id: string | undefined, name: string | undefined): string | undefined {
    const known = id !== undefined && this.#names.has(id) ? id : undefined
    const calledName = known === undefined ? name : this.#names.get(known)
    const open = calledName === undefined ? undefined : this.#open.get(calledName)
    const found = known ?? open?.[0] ?? id
    const at = found === undefined ? -1 : (open?.indexOf(found) ?? -1)
    if (at >= 0) open?.splice(at, 1)
    return found
  }

  nameOf(id: string): string | undefined {
    return this.#names.get(id)
  }
}

/**
 * The result of a call. Its text is what `output`, `result` or `error` holds where that stands alone, else the
 * whole object as JSON. https://ai.google.dev/api/caching#FunctionResponse
 */
export function parseResult(
  part: JsonObject,
  response: JsonObject,
  callId: string
): ToolResultPart {
  const given = asObject(response.response) ?? {}
  const names = Object.keys(given)
  const [only] = names
  const isWrapped = names.length === 1 && only !== undefined && isWrapper(only)
  const value: JsonValue | undefined = isWrapped ? given[only] : given
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const media = asList(response.parts).flatMap((entry): (TextPart | NativePart | Part)[] => {
    const object = asObject(entry)
    return object ? [parseMedia(object) ?? toNative(object)] : []
  })
  const parts: ToolResultPart['parts'] = []
  // Beside media an empty object says nothing.
  const isEmpty = text === '' || (names.length === 0 && media.length > 0)
  if (!isEmpty) parts.push({ type: 'text', text })
  for (const entry of media)
    if (entry.type === 'media' || entry.type === 'native') parts.push(entry)
  return {
    type: 'tool_result',
    callId,
    name: stringOf(response, 'name'),
    parts,
    ...(isWrapped && only === 'error' && { isError: true }),
    source: ownSource(part),
  }
}

/** Members of a response that hold all of it when they stand alone. */
export function isWrapper(name: string): boolean {
  return name === 'output' || name === 'result' || name === 'error'
}

/** The result's object in a part; `undefined` when it is none. */
export function resultOf(part: JsonObject): JsonObject | undefined {
  return asObject(get(part, 'functionResponse'))
}
