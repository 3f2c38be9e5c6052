const CHUNK_BYTES = 1 << 20
const LENGTH_BYTES = 2

/**
 * Texts of up to 64 KiB in plain bytes, found again by number: a million short ones cost their length and two bytes
 * each, and nothing to the garbage collector. They are only ever added.
 */
export class TextArena {
  readonly #chunks: Buffer[] = []
  #end = CHUNK_BYTES

  /** Keeps a text; gives its number, below 2^32 for the first 4 GiB. Throws RangeError where it is too long. */
  add(text: string): number {
    const length = Buffer.byteLength(text)
    if (length > 0xffff) throw new RangeError(`a text of ${length} bytes is too long to be kept`)
    if (this.#end + LENGTH_BYTES + length > CHUNK_BYTES) {
      this.#chunks.push(Buffer.alloc(CHUNK_BYTES))
      this.#end = 0
    }
    const last = this.#chunks.length - 1
    const start = this.#end
    const chunk = this.#chunks[last]
    chunk?.writeUInt16LE(length, start)
    chunk?.write(text, start + LENGTH_BYTES)
    this.#end = start + LENGTH_BYTES + length
    return last * CHUNK_BYTES + start
  }

  /** The text of a number that `add` gave. */
  get(number: number): string {
    const chunk = this.#chunks[Math.floor(number / CHUNK_BYTES)]
    if (chunk === undefined) throw new RangeError(`no text has the number ${number}`)
    const start = number % CHUNK_BYTES
    const length = chunk.readUInt16LE(start)
    return chunk.toString('utf8', start + LENGTH_BYTES, start + LENGTH_BYTES + length)
  }
}
