import { GatewayError } from '../../errors/gateway-error'
import { isRecord } from '../../std/record'
import type { Source } from '../generation'
import type { JsonObject, JsonValue } from '../json'

/** What the files of this folder ask of JSON. */

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

/** A node's source in this format. */
export function ownSource(json: JsonValue): Source {
  return { protocol: 'openai-responses', json }
}

/** The JSON a node was read from, where that was this format; else `undefined`. */
export function ownJson(source: Source | undefined): JsonValue | undefined {
  return source?.protocol === 'openai-responses' ? source.json : undefined
}

/** The object a node was read from, where that was this format; else `undefined`. */
export function ownObject(source: Source | undefined): JsonObject | undefined {
  return asObject(ownJson(source))
}

/** The members that are not `undefined`, in a new object: deleting the others would make it slow to write. */
export function withoutUndefined(object: JsonObject): JsonObject {
  const defined: JsonObject = {}
  for (const name in object) {
    const value = object[name]
    if (value !== undefined) defined[name] = value
  }
  return defined
}

/** The error for a member that the format itself refuses, named as the client wrote it. */
export function invalid(param: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `'${param}' ${what}`, { param })
}
