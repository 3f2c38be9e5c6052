import type { BodyHolder, ClientCall } from '../gateway/client-call'
import { TOKEN_PREFIX } from '../keys/token'
import type { RequestRoute } from '../protocols/protocol'
import type { BodyReads } from './read-body'
import { presentedToken } from './credentials'
import type { InferencePath } from './inference-routes'

/** Bun's own idle timeout, in seconds: what cuts a client that neither sends nor reads. */
export const IDLE_TIMEOUT_SECONDS = 60

/** What routes need of the server they run in. */
export type ServerHandle = {
  timeout(request: Request, seconds: number): void
}

const MAX_CLIENT_ID_LENGTH = 128

/** A request as the pipeline takes it. */
export function toClientCall(
  request: Request,
  server: ServerHandle,
  bodies: BodyReads,
  { protocol, route }: InferencePath
): ClientCall {
  return new HttpCall(request, server, bodies, protocol.client.requestHeaders, route)
}

/** A class, since each request makes one: its functions are made once. */
class HttpCall implements ClientCall {
  readonly token: string | undefined
  readonly clientRequestId: string | undefined
  readonly passedHeaders: Record<string, string> | undefined
  readonly route: RequestRoute
  readonly isStrict: boolean
  readonly #request: Request
  readonly #server: ServerHandle
  readonly #bodies: BodyReads

  constructor(
    request: Request,
    server: ServerHandle,
    bodies: BodyReads,
    passed: readonly string[],
    route: RequestRoute
  ) {
    const { headers } = request
    this.#request = request
    this.#server = server
    this.#bodies = bodies
    this.token = presentedToken(request)
    this.clientRequestId = headers.get('x-request-id')?.slice(0, MAX_CLIENT_ID_LENGTH)
    this.passedHeaders = passHeaders(headers, passed)
    this.route = route
    this.isStrict = headers.get('x-tg-require') === 'strict'
  }

  readBody(holder: BodyHolder): Promise<Uint8Array> {
    return this.#bodies.read(this.#request, holder)
  }

  credentials(): Record<string, string> {
    const credentials: Record<string, string> = {}
    for (const name of CREDENTIAL_HEADERS) {
      const value = this.#request.headers.get(name)
      // A virtual key is ours, whichever header it came in.
      if (value !== null && !value.includes(TOKEN_PREFIX)) credentials[name] = value
    }
    return credentials
  }

  signal(): AbortSignal {
    return this.#request.signal
  }

  keepOpen(open: boolean): void {
    this.#server.timeout(this.#request, open ? 0 : IDLE_TIMEOUT_SECONDS)
  }
}

const CREDENTIAL_HEADERS = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key']

function passHeaders(
  headers: Headers,
  names: readonly string[]
): Record<string, string> | undefined {
  let passed: Record<string, string> | undefined
  for (const name of names) {
    const value = headers.get(name)
    if (value !== null) (passed ??= {})[name] = value
  }
  return passed
}
