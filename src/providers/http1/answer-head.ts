import { GatewayError } from '../../errors/gateway-error'
import type { AnswerHeaders } from '../upstream-response'

/** How a body ends: after so many bytes, by its chunks, or with its connection. */
export type BodyFraming = number | 'chunked' | 'until-close'

export type AnswerHead = {
  readonly status: number
  readonly statusText: string
  readonly headers: AnswerHeaders
  readonly body: BodyFraming
  /** The connection may stay open behind it. */
  readonly keepsAlive: boolean
  /** How long the host keeps an idle connection, in seconds, where it says so. */
  readonly keepAliveSeconds: number | undefined
}

/** The status line, and lines of a name and a value: https://www.rfc-editor.org/rfc/rfc9112#section-2.1 */
const HEAD =
  /^HTTP\/1\.([01]) ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?(?:\r\n[!#$%&'*+\-.^_`|~\dA-Za-z]+:[\t\x20-\x7e\x80-\xff]*)*$/
const LENGTH = /^\d{1,15}$/
const CHUNKED = /^chunked$/i

/**
 * A head without its closing blank line, each character a byte. Throws `upstream_malformed` for one that is not, or whose
 * length is not certain. https://www.rfc-editor.org/rfc/rfc9112#section-6.3
 */
export function parseHead(text: string): AnswerHead {
  const match = HEAD.exec(text)
  if (match === null) throw malformed('its head has a line that is none')
  const status = Number(match[2])
  const headers = new HeadHeaders(text)
  const body = toFraming(status, headers)
  const isChunkedWithLength = body === 'chunked' && headers.has('content-length')
  return {
    status,
    statusText: match[3] ?? '',
    headers,
    body,
    // A host that says both lengths may be understood in two ways: its connection is not used again.
    keepsAlive: !isChunkedWithLength && staysOpen(match[1] === '1', headers, body),
    keepAliveSeconds: readKeepAlive(headers),
  }
}

/** Few of an answer's headers are looked at: those are searched for, and none is taken apart before. */
class HeadHeaders implements AnswerHeaders {
  readonly #text: string
  readonly #lowerCase: string

  constructor(text: string) {
    this.#text = text
    this.#lowerCase = text.toLowerCase()
  }

  has(name: string): boolean {
    return this.#find(name) >= 0
  }

  /** Of a name that comes again, the values are one list. */
  get(name: string): string | null {
    let values: string | null = null
    for (let at = this.#find(name); at >= 0; at = this.#find(name, at)) {
      const end = this.#text.indexOf('\r\n', at)
      const value = this.#text.slice(at, end < 0 ? undefined : end).trim()
      values = values === null ? value : `${values}, ${value}`
    }
    return values
  }

  /** Where the value of its next line begins. */
  #find(name: string, from = 0): number {
    const line = startOf(name)
    const at = this.#lowerCase.indexOf(line, from)
    return at < 0 ? -1 : at + line.length
  }
}

/** Names are asked for by few, again and again. */
const starts = new Map<string, string>()

function startOf(name: string): string {
  const known = starts.get(name)
  if (known !== undefined) return known
  const start = `\r\n${name.toLowerCase()}:`
  starts.set(name, start)
  return start
}

function toFraming(status: number, headers: AnswerHeaders): BodyFraming {
  if (status < 200 || status === 204 || status === 304) return 0
  const encoding = headers.get('transfer-encoding')
  if (encoding !== null) {
    if (!CHUNKED.test(encoding)) throw malformed('its transfer encoding is not chunked')
    return 'chunked'
  }
  const length = headers.get('content-length')
  if (length === null) return 'until-close'
  // The same length twice is one: https://www.rfc-editor.org/rfc/rfc9110#section-8.6
  const [first = '', ...others] = length.split(',').map((one) => one.trim())
  if (!LENGTH.test(first) || others.some((other) => other !== first))
    throw malformed('its length is no number')
  return Number(first)
}

function staysOpen(isHttp11: boolean, headers: AnswerHeaders, body: BodyFraming): boolean {
  if (body === 'until-close') return false
  const connection = headers.get('connection')?.toLowerCase()
  if (connection === undefined) return isHttp11
  const options = connection.split(',').map((option) => option.trim())
  return !options.includes('close') && (isHttp11 || options.includes('keep-alive'))
}

function readKeepAlive(headers: AnswerHeaders): number | undefined {
  const seconds = /\btimeout=(\d{1,6})\b/i.exec(headers.get('keep-alive') ?? '')?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}

export function malformed(why: string): GatewayError {
  return new GatewayError('upstream_malformed', `the provider's answer is no HTTP: ${why}`)
}
