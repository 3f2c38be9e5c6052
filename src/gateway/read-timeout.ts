import { GatewayError } from '../errors/gateway-error'
import type { ClientCall } from './client-call'

const HEADER = 'x-tg-timeout-ms'
const MOST_MS = 86_400_000

/**
 * How long a client wants to wait for all of its answer, `undefined` where it does not say. Throws `invalid_request` for
 * what is no time.
 */
export function readTimeout(call: ClientCall): number | undefined {
  const text = call.header(HEADER)
  if (text === null) return undefined
  const timeoutMs = Number(text)
  if (/^\d{1,8}$/.test(text) && timeoutMs >= 1 && timeoutMs <= MOST_MS) return timeoutMs
  throw new GatewayError(
    'invalid_request',
    `the header ${HEADER} is a whole number of milliseconds from 1 to ${MOST_MS}`,
    { param: HEADER }
  )
}
