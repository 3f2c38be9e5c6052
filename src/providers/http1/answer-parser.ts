import { findBytes, latin1Text } from '../../std/bytes'
import { type AnswerHead, malformed, parseHead } from './answer-head'

const MAX_HEAD_BYTES = 64 * 1024
/** Of a chunk's size with its extensions, or of a trailer. */
const MAX_LINE_BYTES = 16 * 1024
const MAX_TRAILER_LINES = 128
/** Heads with a status of 1xx. */
const MAX_INTERIM = 32

const LF = 0x0a
const CR = 0x0d
/** Of a chunk's size: less than 16 MB. */
const MAX_PLAIN_DIGITS = 6
const HEAD_END = new TextEncoder().encode('\r\n\r\n')
const NOTHING = new Uint8Array(0)

type State = 'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer'

/**
 * Reads one answer of HTTP/1.1, cut into pieces anywhere: https://www.rfc-editor.org/rfc/rfc9112. It is strict, since
 * what two readers understand differently ends in one client's answer going to another: lines end with CRLF, lengths are
 * plain numbers, and what is not understood throws `upstream_malformed`.
 */
export class AnswerParser {
  #state: State = 'head'
  #head: AnswerHead | undefined
  #isDone = false
  #hasSurplus = false
  /** A head of which the end has not come yet. */
  #begun: Uint8Array = NOTHING
  #interim = 0
  /** Bytes still to come of the body, or of its chunk. */
  #left = 0
  /** A line of chunked framing of which the end has not come yet. */
  #line = ''
  #trailerLines = 0

  /** `undefined` until it is here whole. Interim answers (1xx) are none. */
  get head(): AnswerHead | undefined {
    return this.#head
  }

  /** The answer is whole. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** Another answer may follow on its connection. */
  get keepsAlive(): boolean {
    return this.#isDone && !this.#hasSurplus && this.#head?.keepsAlive === true
  }

  /** The next bytes of the connection; gives those of the body among them. They are the parser's own from then on. */
  push(bytes: Uint8Array): Uint8Array {
    if (this.#state !== 'head') return this.#readBody(bytes, 0)
    const begun = this.#begun.length === 0 ? bytes : Buffer.concat([this.#begun, bytes])
    const searched = this.#begun.length
    let at = 0
    for (;;) {
      const from = Math.max(at, searched - HEAD_END.length)
      const end = findBytes(begun, HEAD_END, from)
      if ((end < 0 ? begun.length : end) - at > MAX_HEAD_BYTES)
        throw malformed(`it has a head of more than ${MAX_HEAD_BYTES} bytes`)
      if (end < 0) break
      const head = parseHead(latin1Text(begun, at, end))
      at = end + HEAD_END.length
      if (head.status >= 200) return this.#begin(head, begun, at)
      if (head.status === 101) throw malformed('it changes to a protocol that nobody asked for')
      if (++this.#interim > MAX_INTERIM) throw malformed('it has too many interim heads')
    }
    this.#begun = begun.subarray(at)
    return NOTHING
  }

  /** The connection was closed in order: that ends a body without a length. False where more was to come. */
  end(): boolean {
    if (this.#state === 'until-close') this.#isDone = true
    return this.#isDone
  }

  #begin(head: AnswerHead, bytes: Uint8Array, at: number): Uint8Array {
    this.#head = head
    this.#begun = NOTHING
    const { body } = head
    if (body === 'chunked') this.#state = 'chunk-size'
    else if (body === 'until-close') this.#state = 'until-close'
    else {
      this.#state = 'length'
      this.#left = body
      this.#isDone = body === 0
    }
    return this.#readBody(bytes, at)
  }

  #readBody(bytes: Uint8Array, at: number): Uint8Array {
    if (this.#state === 'until-close') return bytes.subarray(at)
    if (this.#state !== 'length') return this.#readChunks(bytes, at)
    const taken = Math.min(this.#left, bytes.length - at)
    this.#left -= taken
    this.#isDone = this.#left === 0
    if (at + taken < bytes.length) this.#hasSurplus = true
    return bytes.subarray(at, at + taken)
  }

  /** What chunks hold is moved together within `bytes`: mostly there is one, and nothing moves. */
  #readChunks(bytes: Uint8Array, from: number): Uint8Array {
    let at = from
    let start = -1
    let end = -1
    while (at < bytes.length && !this.#isDone) {
      if (this.#state !== 'chunk') {
        at = this.#readPlainLine(bytes, at) ?? this.#readLine(bytes, at)
        continue
      }
      const next = Math.min(at + this.#left, bytes.length)
      if (start < 0) start = end = at
      if (end !== at) bytes.copyWithin(end, at, next)
      end += next - at
      this.#left -= next - at
      at = next
      if (this.#left === 0) this.#state = 'chunk-end'
    }
    if (at < bytes.length) this.#hasSurplus = true
    return start < 0 ? NOTHING : bytes.subarray(start, end)
  }

  /**
   * The lines that nearly all are, without making a text of them: a size of a few digits, and the end of a chunk. Gives
   * where the line ends, or `undefined` for one that has to be looked at closely.
   */
  #readPlainLine(bytes: Uint8Array, from: number): number | undefined {
    if (this.#line !== '' || this.#state === 'trailer') return undefined
    let at = from
    let size = 0
    if (this.#state === 'chunk-size') {
      for (; at - from < MAX_PLAIN_DIGITS; at++) {
        const digit = hexDigitOf(bytes[at] ?? 0)
        if (digit === undefined) break
        size = size * 16 + digit
      }
      // The last one is followed by trailers.
      if (size === 0) return undefined
    }
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return undefined
    this.#left = size
    this.#state = this.#state === 'chunk-size' ? 'chunk' : 'chunk-size'
    return at + 2
  }

  /** Gives where the line ends, or `bytes` do. */
  #readLine(bytes: Uint8Array, at: number): number {
    const lineFeed = bytes.indexOf(LF, at)
    const end = lineFeed < 0 ? bytes.length : lineFeed
    if (this.#line.length + end - at > MAX_LINE_BYTES)
      throw malformed(`it has a line of more than ${MAX_LINE_BYTES} bytes among its chunks`)
    const line = this.#line + latin1Text(bytes, at, end)
    if (lineFeed < 0) {
      this.#line = line
      return end
    }
    this.#line = ''
    if (!line.endsWith('\r')) throw malformed('a line among its chunks lacks its CRLF')
    this.#takeLine(line.slice(0, -1))
    return end + 1
  }

  #takeLine(line: string): void {
    if (this.#state === 'chunk-size') {
      this.#left = parseChunkSize(line)
      this.#state = this.#left === 0 ? 'trailer' : 'chunk'
    } else if (this.#state === 'chunk-end') {
      if (line !== '') throw malformed('a chunk is longer than its size')
      this.#state = 'chunk-size'
    } else if (line === '') this.#isDone = true
    else if (++this.#trailerLines > MAX_TRAILER_LINES) throw malformed('it has too many trailers')
  }
}

/** Hexadecimal, extensions behind a semicolon: https://www.rfc-editor.org/rfc/rfc9112#section-7.1 */
function parseChunkSize(line: string): number {
  const [, digits] = /^([\da-f]{1,13})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/i.exec(line) ?? []
  if (digits === undefined) throw malformed('a chunk has no size')
  return Number.parseInt(digits, 16)
}

function hexDigitOf(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  // Capitals are 32 less.
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined
}
