import { GatewayError } from '../../errors/gateway-error'
import { isRecord } from '../../std/record'
import type { Source } from '../generation'
import type { JsonObject, JsonValue } from '../json'

/** What all files of this folder ask of JSON. */

/** A node's source in this format. */
export function ownSource(json: JsonValue): Source {
  return { protocol: 'anthropic-messages', json }
}

/** The object a node was read from, where that was this format; else `undefined`. */
export function ownObject(source: Source | undefined): JsonObject | undefined {
  return source?.protocol === 'anthropic-messages' ? asObject(source.json) : undefined
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

const LEGAL_ID = /^[a-zA-Z0-9_-]+$/

/** The id where the format takes it, else always the same other one: a result still meets its call. */
export function toLegalId(id: string): string {
  if (LEGAL_ID.test(id)) return id
  return `toolu_${Bun.hash.xxHash64(id).toString(36)}`
}
