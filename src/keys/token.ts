export const TOKEN_PREFIX = 'sk-tg-'
const RANDOM_BYTES = 32
/** The prefix and 32 bytes in base64url. */
export const TOKEN_LENGTH = 49

/** Makes a token of 256 random bits: `sk-tg-` and 43 characters of base64url. */
export function createToken(): string {
  return (
    TOKEN_PREFIX +
    crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)).toBase64({
      alphabet: 'base64url',
      omitPadding: true,
    })
  )
}

/** Whether a text has the shape of our tokens. That it is one only its hash can tell. */
export function looksLikeToken(text: string): boolean {
  return text.length === TOKEN_LENGTH && text.startsWith(TOKEN_PREFIX)
}

/** The last four characters: enough for a person to tell keys apart, useless to anyone else. */
export function tokenHint(token: string): string {
  return token.slice(-4)
}

/** Whether a text can be imported as a token: 16 to 512 printable ASCII characters without spaces. */
export function isImportableToken(text: string): boolean {
  return /^[\x21-\x7e]{16,512}$/.test(text)
}

/**
 * SHA-256 in hex: what LiteLLM stores of a token (`hash_token` of
 * https://github.com/BerriAI/litellm/blob/main/litellm/proxy/_types.py).
 */
export function sha256Hex(token: string): string {
  return new Bun.CryptoHasher('sha256').update(token).digest('hex')
}

export type HashToken = (token: string) => string

/**
 * Gives the function from a token to what is stored of it: HMAC-SHA256 under the secret, in base64. A
 * stolen database is then worth nothing without the secret, and a look-up by hash leaks no timing of use.
 */
export function createTokenHasher(secret: Uint8Array): HashToken {
  // The two key blocks are hashed once here: a copy costs 0.4 µs in all, a new hasher 0.6.
  const keyed = new Bun.CryptoHasher('sha256', secret)
  return (token) => keyed.copy().update(token).digest('base64')
}
