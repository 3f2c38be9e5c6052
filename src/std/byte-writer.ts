const QUOTE = 0x22
const BACKSLASH = 0x5c
const ZERO = 0x30

/** Longer texts are left to the system's own encoder: a call of it costs as much as so many bytes written by hand. */
const SHORT_TEXT = 96

/** Whole numbers up to here are written in two halves that each fit a machine word. */
const MOST_BY_HAND = 999_999_999_999_999
const HALF = 1_000_000

/**
 * Puts lines together as bytes, in memory that it keeps. Short texts and numbers are written byte by byte: of text that is
 * put together from pieces, each piece and each number is an object of its own, and all of it is copied once more.
 */
export class ByteWriter {
  readonly #home: Buffer
  #bytes: Buffer
  #length = 0

  /** Memory beyond `capacity` bytes is let go of by `clear`. */
  constructor(capacity: number) {
    this.#home = Buffer.allocUnsafeSlow(capacity)
    this.#bytes = this.#home
  }

  get length(): number {
    return this.#length
  }

  /** The memory itself, of which `length` bytes are written: valid until more is. */
  get bytes(): Buffer {
    return this.#bytes
  }

  clear(): void {
    this.#bytes = this.#home
    this.#length = 0
  }

  /** Takes back all that was written behind `length`. */
  cutTo(length: number): void {
    this.#length = length
  }

  /** A short text that is ASCII. */
  ascii(text: string): void {
    const size = text.length
    this.#reserve(size)
    const bytes = this.#bytes
    let at = this.#length
    for (let index = 0; index < size; index++) bytes[at++] = text.charCodeAt(index)
    this.#length = at
  }

  /** Any text, as UTF-8. */
  text(text: string): void {
    // A UTF-16 unit is at most three bytes of UTF-8.
    this.#reserve(text.length * 3)
    this.#length += this.#bytes.write(text, this.#length)
  }

  /** A JSON string. */
  json(text: string): void {
    const size = text.length
    if (size > SHORT_TEXT) return this.text(JSON.stringify(text))
    this.#reserve(size + 2)
    const bytes = this.#bytes
    let at = this.#length
    bytes[at++] = QUOTE
    for (let index = 0; index < size; index++) {
      const unit = text.charCodeAt(index)
      if (unit < 0x20 || unit > 0x7e || unit === QUOTE || unit === BACKSLASH)
        return this.text(JSON.stringify(text))
      bytes[at++] = unit
    }
    bytes[at++] = QUOTE
    this.#length = at
  }

  number(value: number): void {
    if (!(value >= 0 && value <= MOST_BY_HAND && Number.isInteger(value)))
      return this.ascii(String(value))
    if (value < HALF) return this.#digits(value, 1)
    const high = Math.floor(value / HALF)
    this.#digits(high, 1)
    this.#digits(value - high * HALF, 6)
  }

  /** A whole number below a thousand million, with zeros before it up to `least` digits. */
  #digits(value: number, least: number): void {
    let count = least
    for (let power = 10 ** least; power <= value; power *= 10) count++
    this.#reserve(count)
    const bytes = this.#bytes
    let rest = value | 0
    for (let at = this.#length + count - 1; at >= this.#length; at--) {
      const next = (rest / 10) | 0
      bytes[at] = ZERO + (rest - next * 10)
      rest = next
    }
    this.#length += count
  }

  #reserve(size: number): void {
    const needed = this.#length + size
    if (needed <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}
