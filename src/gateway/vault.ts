const encoder = new TextEncoder()
const decoder = new TextDecoder()

const IV_BYTES = 12
/** The fastest one; the next ones leave little less. */
const ZSTD_LEVEL = 1

/** Keeps texts so that nobody reads them who has the database alone. */
export type Vault = {
  /** The text, compressed, under AES-GCM, in base64 behind its random start; other threads do the work. */
  seal(text: string): Promise<string>
  /** The text again; rejects where it was sealed by another secret, or changed. */
  open(sealed: string): Promise<string>
}

/** A vault whose key is derived from the 32 bytes of the data directory's secret (HKDF, RFC 5869). */
export function createVault(secret: Uint8Array): Vault {
  let deriving: Promise<CryptoKey> | undefined
  const key = () => (deriving ??= deriveKey(secret))
  return {
    async seal(text) {
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
      const packed = await Bun.zstdCompress(text, { level: ZSTD_LEVEL })
      const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await key(), packed)
      return Buffer.concat([iv, new Uint8Array(sealed)]).toString('base64')
    },
    async open(sealed) {
      const bytes = Buffer.from(sealed, 'base64')
      const iv = bytes.subarray(0, IV_BYTES)
      const opened = await crypto.subtle.decrypt(
        { name: 'AES-GCM', iv },
        await key(),
        bytes.subarray(IV_BYTES)
      )
      return decoder.decode(await Bun.zstdDecompress(opened))
    },
  }
}

async function deriveKey(secret: Uint8Array): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', Buffer.from(secret), 'HKDF', false, [
    'deriveKey',
  ])
  const info = encoder.encode('tollgate stored responses')
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt']
  )
}
