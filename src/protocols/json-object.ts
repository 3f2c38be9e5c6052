import { isRecord } from '../std/record'
import type { JsonObject, JsonValue } from './json'

const decoder = new TextDecoder()

/** The object that a text of JSON, or its bytes, holds; `undefined` for anything else. */
export function parseJsonObject(written: string | Uint8Array): JsonObject | undefined {
  try {
    const value: JsonValue = JSON.parse(
      typeof written === 'string' ? written : decoder.decode(written)
    )
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}
