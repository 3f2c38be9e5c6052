const MAX_ANSWER_BYTES = 256 * 1024
const TIMEOUT_MS = 5_000

/** Addresses of the machine itself and of its metadata service: a proxy elsewhere would answer for itself. */
const LOCAL_HOST =
  /^(?:localhost|127\.[\d.]+|\[::1\]|169\.254\.[\d.]+|metadata\.google\.internal\.?)$/

/**
 * `fetch` for token endpoints: five seconds, 256 KB, no redirects (one would carry a secret to another host), and no
 * proxy between us and the machine's own metadata service. Gives the whole answer, whatever its status; throws what
 * `fetch` throws, and an `Error` for an answer too large.
 */
export async function boundedFetch(
  input: string | URL | Request,
  init: RequestInit = {}
): Promise<Response> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout
  const { hostname } = new URL(input instanceof Request ? input.url : input)
  const options: BunFetchRequestInit = { ...init, signal, redirect: 'manual' }
  if (LOCAL_HOST.test(hostname)) options.proxy = false
  const response = await fetch(input, options)
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    // Leaving the loop cancels the body.
    if (length > MAX_ANSWER_BYTES) throw new Error('the answer is too large for a token')
    chunks.push(chunk)
  }
  const headers = new Headers(response.headers)
  // Bun has unpacked the body, and says still that it is packed.
  headers.delete('content-encoding')
  headers.delete('content-length')
  return new Response(length === 0 ? null : Buffer.concat(chunks, length), {
    status: response.status,
    statusText: response.statusText,
    headers,
  })
}
