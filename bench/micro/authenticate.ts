import { authenticate } from '../../src/keys/authenticate'
import { createKeyIndex } from '../../src/keys/key-index'
import { createToken, createTokenHasher } from '../../src/keys/token'
import { createPiece, inTurn, type Piece } from './piece'

const KEYS = 10_000

/** The hash of a token, and its key among ten thousand. */
export function createAuthenticatePieces(): Piece[] {
  const hashToken = createTokenHasher(crypto.getRandomValues(new Uint8Array(32)))
  const index = createKeyIndex(hashToken)
  const tokens = Array.from({ length: KEYS }, (_, number) => {
    const token = createToken()
    index.put(hashToken(token), {
      id: Bun.randomUUIDv7(),
      name: `key-${number}`,
      enabled: true,
      revokedAtMs: undefined,
      expiresAtMs: undefined,
      models: ['openai/*'],
      bodies: undefined,
      createdAtMs: Date.now(),
    })
    return token
  })
  const freshToken = inTurn(tokens)
  return [
    createPiece({
      work: 'authenticate',
      budgetMicros: 2,
      fresh: freshToken,
      run: (token) => authenticate(index, token, Date.now()),
    }),
  ]
}
