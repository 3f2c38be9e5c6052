/** One request over a plain connection. */
export type PlainRequest = {
  method: 'GET' | 'POST' | 'DELETE'
  /** With the base URL's path and any query; begins with a slash. */
  path: string
  headers: Readonly<Record<string, string>>
  /** The very same headers come with other requests: what they are on the wire is kept. */
  hasKnownHeaders: boolean
  body: Uint8Array | undefined
}

/** What stands on the wire as it is written, with no segment that only has dots. */
const WIRE_PATH = /^(?:\/(?!\.{1,2}(?:[/?]|$))[\w.=&%:,~+@\-?]*)+$/
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** What says how a message is framed, and what becomes of its connection, is not for others to say. */
const OWN_HEADERS = new Set(['connection', 'content-length', 'expect', 'keep-alive', 'te'])
for (const name of ['trailer', 'transfer-encoding', 'upgrade']) OWN_HEADERS.add(name)

type Lines = { readonly text: string; readonly hasHost: boolean }

/** Writes the heads of requests to one origin. */
export class RequestHeads {
  readonly #origin: string
  readonly #host: string
  readonly #known = new WeakMap<Readonly<Record<string, string>>, Lines>()

  /** `origin`: scheme, host and port, as of a `URL`. */
  constructor(origin: string) {
    this.#origin = origin
    this.#host = `host: ${new URL(origin).host}\r\n`
  }

  /**
   * The head, each character a byte, to its blank line. Throws a `TypeError` for a header that can't be sent, as `fetch`
   * does. https://www.rfc-editor.org/rfc/rfc9112#section-3
   */
  render({ method, path, headers, hasKnownHeaders, body }: PlainRequest): string {
    const lines = hasKnownHeaders ? this.#knownLines(headers) : toLines(headers)
    const host = lines.hasHost ? '' : this.#host
    const length = method === 'GET' ? '' : `content-length: ${body?.length ?? 0}\r\n`
    return `${method} ${this.#toTarget(path)} HTTP/1.1\r\n${host}${lines.text}${length}\r\n`
  }

  /** As a URL would have it, so that a host is asked for the same in either way. */
  #toTarget(path: string): string {
    if (WIRE_PATH.test(path)) return path
    const { pathname, search } = new URL(this.#origin + path)
    return pathname + search
  }

  #knownLines(headers: Readonly<Record<string, string>>): Lines {
    const known = this.#known.get(headers)
    if (known) return known
    const lines = toLines(headers)
    this.#known.set(headers, lines)
    return lines
  }
}

function toLines(headers: Readonly<Record<string, string>>): Lines {
  let text = ''
  let hasHost = false
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value))
      throw new TypeError(`the header '${name}' has a character that no header may have`)
    const lowerCase = name.toLowerCase()
    if (OWN_HEADERS.has(lowerCase)) continue
    hasHost ||= lowerCase === 'host'
    text += `${name}: ${value}\r\n`
  }
  return { text, hasHost }
}
