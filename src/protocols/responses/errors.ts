import type { GatewayError } from '../../errors/gateway-error'
import { recordOf, stringOf } from '../../std/record'
import { ownAnswer, toErrorInAnswer } from '../openai/errors'

const encoder = new TextEncoder()

/**
 * Later than any event's before it: an error is made where nobody has counted, and the numbers must rise.
 * The largest that a client with 32 bits for it can hold.
 */
const LAST_SEQUENCE_NUMBER = 0x7f_ff_ff_ff

/**
 * An error as the event of a stream that ends with it. Its members stand at the top, as OpenAI documents the
 * event, and in `error`, as OpenAI sends it and as its SDKs look for it before they raise.
 * https://platform.openai.com/docs/api-reference/responses-streaming/error
 */
export function renderErrorFrame(error: GatewayError): Uint8Array {
  const told = errorOf(error)
  const event = { ...told, type: 'error', sequence_number: LAST_SEQUENCE_NUMBER, error: told }
  return encoder.encode(`event: error\ndata: ${JSON.stringify(event)}\n\n`)
}

/** What is said of an error: an upstream's own words where it spoke this format. */
function errorOf(error: GatewayError): Record<string, unknown> {
  const own = ownAnswer(error)
  const told = own === undefined ? undefined : recordOf(parseJson(own), 'error')
  if (told) return { code: null, param: null, ...told }
  const { code, message, param = null, type } = error
  return { type, code, message, param }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * The error of an `error` event, which has it at its top or in `error`, or of a response that failed, as the
 * client shall see it.
 */
export function toResponseError(value: Record<string, unknown>): GatewayError {
  const failed = recordOf(value, 'response') ?? value
  const told = recordOf(failed, 'error') ?? failed
  const code = stringOf(told, 'code') ?? null
  const error = {
    message: stringOf(told, 'message') ?? stringOf(failed, 'error') ?? 'the response failed',
    type: typeOf(told) ?? code ?? 'server_error',
    param: stringOf(told, 'param') ?? null,
    code,
  }
  return toErrorInAnswer({ error }, JSON.stringify({ error }))
}

/** An event that has the error at its top has its own name as the type. */
function typeOf(told: Record<string, unknown>): string | undefined {
  const type = stringOf(told, 'type')
  return type === 'error' ? undefined : type
}

/** The event or response says that it failed. */
export function isFailure(value: Record<string, unknown>): boolean {
  const { type, status } = value
  return type === 'error' || type === 'response.failed' || status === 'failed' || !!value.error
}
