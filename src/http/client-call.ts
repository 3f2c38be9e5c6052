import type { ClientCall } from '../gateway/client-call'
import type { BodyReads } from './read-body'
import { presentedToken } from './credentials'

/** Bun's own idle timeout, in seconds: what cuts a client that neither sends nor reads. */
export const IDLE_TIMEOUT_SECONDS = 60

/** What routes need of the server they run in. */
export type ServerHandle = {
  timeout(request: Request, seconds: number): void
}

/** The client's headers that mean something to an OpenAI-compatible upstream. All others stay here. */
const PASSED = ['openai-beta', 'idempotency-key', 'http-referer', 'x-title']

const MAX_CLIENT_ID_LENGTH = 128

/** A request as the pipeline takes it. */
export function toClientCall(
  request: Request,
  server: ServerHandle,
  bodies: BodyReads
): ClientCall {
  const { headers } = request
  return {
    token: presentedToken(request),
    clientRequestId: headers.get('x-request-id')?.slice(0, MAX_CLIENT_ID_LENGTH),
    passedHeaders: passHeaders(headers),
    readBody: (hold) => bodies.read(request, hold),
    signal: () => request.signal,
    keepOpen: (open) => server.timeout(request, open ? 0 : IDLE_TIMEOUT_SECONDS),
  }
}

function passHeaders(headers: Headers): Record<string, string> | undefined {
  let passed: Record<string, string> | undefined
  for (const name of PASSED) {
    const value = headers.get(name)
    if (value !== null) (passed ??= {})[name] = value
  }
  return passed
}
