import { GatewayError } from '../errors/gateway-error'

/** An answer says beforehand how long it is. */
export function isDeclared({ headers }: Response): boolean {
  return headers.has('content-length')
}

/** Throws `upstream_malformed` for a file of nothing. */
export function assertFile(provider: string, body: Uint8Array): void {
  if (body.length > 0) return
  throw new GatewayError(
    'upstream_malformed',
    `the provider '${provider}' answered 200 with an empty file`
  )
}

/** Of what is passed on, the type of the file. One that a browser would run on our own page is none. */
export function withFileType(
  passed: Record<string, string>,
  { headers }: Response
): Record<string, string> {
  const type = headers.get('content-type') ?? ''
  const isHarmless =
    /^(audio|image|video)\/(?!svg)|^application\/(json|x-ndjson|jsonl|pdf|octet-stream|ogg)\b|^text\/(plain|csv|vtt|srt|event-stream)\b/i.test(
      type
    )
  return { ...passed, 'content-type': isHarmless ? type : 'application/octet-stream' }
}
