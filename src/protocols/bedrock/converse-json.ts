import { GatewayError } from '../../errors/gateway-error'
import { isRecord } from '../../std/record'
import type { Source } from '../generation'
import type { JsonObject, JsonValue } from '../json'

/** What all files of this folder ask of JSON. */

/** The value where it is an object; else `undefined`. */
export function asObject(value: JsonValue | undefined): JsonObject | undefined {
  return isRecord(value) ? value : undefined
}

/** The value where it is a list; else an empty one. */
export function asList(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : []
}

/** The value where it is a number; else `undefined`. */
export function asNumber(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}

/** The value where it is true or false; else `undefined`. */
export function asBoolean(value: JsonValue | undefined): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

/** The value where it is a list of strings alone; else `undefined`. */
export function asStrings(value: JsonValue | undefined): string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const strings = value.filter((entry) => typeof entry === 'string')
  return strings.length === value.length ? strings : undefined
}

/** Text as JSON; `undefined` for what is none. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    const value: JsonValue = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

/** A node's source in this format. */
export function ownSource(json: JsonValue): Source {
  return { protocol: 'bedrock-converse', json }
}

/** The JSON a node was read from, where that was this format; else `undefined`. */
export function ownJson(source: Source | undefined): JsonValue | undefined {
  return source?.protocol === 'bedrock-converse' ? source.json : undefined
}

/** The object a node was read from, where that was this format; else `undefined`. */
export function ownObject(source: Source | undefined): JsonObject | undefined {
  return asObject(ownJson(source))
}

/** The members that say something, in their order. */
export function defined(members: JsonObject): JsonObject {
  const kept: JsonObject = {}
  for (const name in members) if (members[name] !== undefined) kept[name] = members[name]
  return kept
}

/** The same, or `undefined` when none does. */
export function definedOrNothing(members: JsonObject): JsonObject | undefined {
  const kept = defined(members)
  return Object.keys(kept).length === 0 ? undefined : kept
}

/** The error for a member that the format itself refuses, named as the client wrote it. */
export function invalid(param: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `'${param}' ${what}`, { param })
}
