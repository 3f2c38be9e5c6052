import { GatewayError } from '../../errors/gateway-error'
import { isRecord } from '../../std/record'
import type { Source } from '../generation'
import type { JsonObject, JsonValue } from '../json'

/** What all files of this folder ask of JSON. */

/** A node's source in this format. */
export function ownSource(json: JsonValue): Source {
  return { protocol: 'ollama-chat', json }
}

/** The object a node was read from, where that was this format; else `undefined`. */
export function ownObject(source: Source | undefined): JsonObject | undefined {
  return source?.protocol === 'ollama-chat' ? asObject(source.json) : undefined
}

export function asObject(value: JsonValue | undefined): JsonObject | undefined {
  return isRecord(value) ? value : undefined
}

export function asList(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : []
}

/** The error for a member that the format itself refuses, named as the client wrote it. */
export function invalid(param: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `${param}: ${what}`, { param })
}
