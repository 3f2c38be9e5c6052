import type { Credential } from './credential'
import { KeptCredential, type KeptCredentialOptions } from './kept-credential'

/** The headers of a token, the same for every request while it lasts. */
export type TokenHeaders = Readonly<Record<string, string>>

/** A credential whose headers are the same for every request: a bearer token from an exchange. */
export function createTokenCredential(options: KeptCredentialOptions<TokenHeaders>): Credential {
  const kept = new KeptCredential(options)
  return {
    sign: () => {
      const headers = kept.current()
      return headers instanceof Promise ? headers.then(copy) : copy(headers)
    },
    refused: ({ signed } = {}) =>
      kept.refused((headers) => !signed || signed['authorization'] === headers['authorization']),
    close: () => kept.close(),
  }
}

const copy = (headers: TokenHeaders) => ({ ...headers })
