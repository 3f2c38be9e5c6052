import { GatewayError } from '../errors/gateway-error'
import { excerpt } from '../std/excerpt'
import type { JsonValue } from './json'

const decoder = new TextDecoder()

/** The JSON of an upstream's whole answer; throws `upstream_malformed` where it is none. */
export function parseJsonAnswer(body: Uint8Array): JsonValue {
  const text = decoder.decode(body)
  try {
    const value: JsonValue = JSON.parse(text)
    return value
  } catch {
    throw new GatewayError(
      'upstream_malformed',
      text.trim() === ''
        ? 'the provider answered 200 with an empty body'
        : `the provider answered 200 with what is not an answer: ${excerpt(text, 200)}`
    )
  }
}
