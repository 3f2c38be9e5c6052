import { createHash, createHmac } from 'node:crypto'

type Signature = {
  readonly accessKeyId: string
  readonly scope: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/

/** The parts of a request's Signature Version 4; `undefined` for none. */
export function readSignature(request: Request): Signature | undefined {
  const parts = AUTHORIZATION.exec(request.headers.get('authorization') ?? '')
  const [, accessKeyId, scope, names, signature] = parts ?? []
  if (!accessKeyId || !scope || !names || !signature) return undefined
  return { accessKeyId, scope, signedHeaders: names.split(';'), signature }
}

/**
 * Whether a request's signature is the one that its service would compute, written from the description alone.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function verifySignature(request: Request, body: Uint8Array, secret: string): boolean {
  const given = readSignature(request)
  const time = request.headers.get('x-amz-date') ?? ''
  if (!given || !given.scope.startsWith(time.slice(0, 8))) return false
  const url = new URL(request.url)
  const canonical = [
    request.method,
    // Escaped as it came, then once more: every service but S3.
    url.pathname.split('/').map(escapeOnce).join('/'),
    [...url.searchParams]
      .map(([name, value]) => `${escapeOnce(name)}=${escapeOnce(value)}`)
      .sort()
      .join('&'),
    ...given.signedHeaders.map((name) => `${name}:${(request.headers.get(name) ?? '').trim()}`),
    '',
    given.signedHeaders.join(';'),
    sha256(body),
  ].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', time, given.scope, sha256(canonical)].join('\n')
  let key = Buffer.from(`AWS4${secret}`)
  for (const part of given.scope.split('/')) key = hmac(key, part)
  return hmac(key, toSign).toString('hex') === given.signature
}

const sha256 = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex')

const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/** `encodeURIComponent`, and what it leaves as it is against RFC 3986. */
const escapeOnce = (text: string) =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  )
