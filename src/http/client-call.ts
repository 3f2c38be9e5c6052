import type { BodyHolder, ClientCall } from '../gateway/client-call'
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
  return new HttpCall(request, server, bodies)
}

/** A class, since each request makes one: its functions are made once. */
class HttpCall implements ClientCall {
  readonly token: string | undefined
  readonly clientRequestId: string | undefined
  readonly passedHeaders: Record<string, string> | undefined
  readonly #request: Request
  readonly #server: ServerHandle
  readonly #bodies: BodyReads

  constructor(request: Request, server: ServerHandle, bodies: BodyReads) {
    const { headers } = request
    this.#request = request
    this.#server = server
    this.#bodies = bodies
    this.token = presentedToken(request)
    this.clientRequestId = headers.get('x-request-id')?.slice(0, MAX_CLIENT_ID_LENGTH)
    this.passedHeaders = passHeaders(headers)
  }

  readBody(holder: BodyHolder): Promise<Uint8Array> {
    return this.#bodies.read(this.#request, holder)
  }

  signal(): AbortSignal {
    return this.#request.signal
  }

  keepOpen(open: boolean): void {
    this.#server.timeout(this.#request, open ? 0 : IDLE_TIMEOUT_SECONDS)
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
