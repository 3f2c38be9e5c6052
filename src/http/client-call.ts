import type { BodyHolder, ClientCall, ReadForm, RequestLabels } from '../gateway/client-call'
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

  origin(): string {
    const { protocol, host } = new URL(this.#request.url)
    const forwarded = this.#request.headers.get('x-forwarded-proto')
    return `${forwarded === 'https' ? 'https:' : protocol}//${host}`
  }

  get isForm(): boolean {
    const type = this.#request.headers.get('content-type')
    return type?.toLowerCase().startsWith('multipart/form-data') ?? false
  }

  readForm(holder: BodyHolder): Promise<ReadForm> {
    return this.#bodies.readForm(this.#request, holder)
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

  header(name: string): string | null {
    return this.#request.headers.get(name)
  }

  labels(): RequestLabels {
    const { headers } = this.#request
    return {
      user: toLabel(headers.get('x-tg-user')),
      session: toLabel(headers.get('x-tg-session')),
      tags: toTags(headers.get('x-tg-tags')),
    }
  }

  signal(): AbortSignal {
    return this.#request.signal
  }

  keepOpen(open: boolean): void {
    this.#server.timeout(this.#request, open ? 0 : IDLE_TIMEOUT_SECONDS)
  }
}

const MAX_LABEL_LENGTH = 256
const MAX_TAGS = 16
const NO_TAGS: readonly string[] = []

function toLabel(text: string | null): string | undefined {
  return text?.trim().slice(0, MAX_LABEL_LENGTH) || undefined
}

/** A list with commas. */
function toTags(text: string | null): readonly string[] {
  if (text === null) return NO_TAGS
  const tags = text.split(',', MAX_TAGS).map((tag) => tag.trim().slice(0, MAX_LABEL_LENGTH))
  return tags.filter((tag) => tag !== '')
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
