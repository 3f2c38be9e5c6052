import { GatewayError } from '../errors/gateway-error'
import type { KeyIndex } from './key-index'
import { isImportableToken, looksLikeToken, TOKEN_LENGTH, tokenHint } from './token'
import { keyState } from './virtual-key'
import type { VirtualKey } from './virtual-key'

/**
 * The active key of a token at `nowMs` (epoch milliseconds), or an `invalid_api_key` that says what is
 * wrong with it. No message shows more of a token than its last four characters.
 */
export function authenticate(
  index: KeyIndex,
  token: string | undefined,
  nowMs: number
): VirtualKey {
  if (token === undefined || token === '') {
    throw refuse('no API key was given: send it as the header "Authorization: Bearer sk-tg-…"')
  }
  const isOurs = looksLikeToken(token)
  const isLookedUp = isOurs || (index.hasImported() && isImportableToken(token))
  const key = isLookedUp ? index.find(token, nowMs) : undefined
  if (key === undefined && !isOurs) {
    // Of what may be a short password or another service's key not even the end is repeated.
    throw refuse(
      `the API key is not one of this gateway's, which begin with sk-tg- and have ${TOKEN_LENGTH} characters`
    )
  }
  const name = `the API key ending in ${tokenHint(token)}`
  if (key === undefined) throw refuse(`${name} is unknown here`)
  const state = keyState(key, nowMs)
  switch (state) {
    case 'active':
      return key
    case 'disabled':
      throw refuse(`${name} is disabled`)
    case 'revoked':
      throw refuse(`${name} was revoked`)
    case 'expired':
      throw refuse(`${name} expired on ${new Date(key.expiresAtMs ?? 0).toISOString()}`)
    default:
      throw new Error(`unknown state ${state satisfies never}`)
  }
}

function refuse(message: string): GatewayError {
  return new GatewayError('invalid_api_key', message)
}
