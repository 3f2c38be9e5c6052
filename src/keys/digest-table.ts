const WORDS = 8
const FREE = 0
const REMOVED = 0xffff_ffff

/** The 32 bytes of a hash, as words. */
export type Digest = Uint32Array

/** Makes room for a hash that is to be looked up. */
export function createDigest(): Digest {
  return new Uint32Array(WORDS)
}

/**
 * Finds rows by the 32 bytes of a hash, in 40 to 50 bytes of memory a row: a table of open addressing. Hashes are as
 * good as random, so their first bytes say where to look; the whole decides.
 */
export class DigestTable {
  /** The hash of each row, one after another. */
  #digests = new Uint32Array(1_024 * WORDS)
  /** Rows, counted from 1. A power of two of them, at most half in use. */
  #slots = new Uint32Array(2_048)
  #used = 0
  #rows = 0

  /** Rows that have a hash: from 0 on, without gaps. */
  get size(): number {
    return this.#rows
  }

  /** The row of a hash, or -1. */
  find(digest: Digest): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let at = (digest[0] ?? 0) & mask
    for (;;) {
      const slot = slots[at] ?? FREE
      if (slot === FREE) return -1
      if (slot !== REMOVED && this.#isOf(slot - 1, digest)) return slot - 1
      at = (at + 1) & mask
    }
  }

  /** Gives a row its hash, in the place of the one that it had. A new row is the one after the last. */
  set(row: number, digest: Digest): void {
    if (row < this.#rows) {
      if (this.#isOf(row, digest)) return
      this.#remove(row)
    } else {
      this.#rows = row + 1
      if (this.#rows * WORDS > this.#digests.length) {
        const grown = new Uint32Array(Math.ceil(this.#rows * 1.5) * WORDS)
        grown.set(this.#digests)
        this.#digests = grown
      }
    }
    this.#digests.set(digest, row * WORDS)
    if (2 * (this.#used + 1) > this.#slots.length) this.#rebuild()
    else this.#place(row)
  }

  #isOf(row: number, digest: Digest): boolean {
    const digests = this.#digests
    const start = row * WORDS
    for (let word = 0; word < WORDS; word++)
      if (digests[start + word] !== digest[word]) return false
    return true
  }

  #place(row: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let at = (this.#digests[row * WORDS] ?? 0) & mask
    while (slots[at] !== FREE) at = (at + 1) & mask
    slots[at] = row + 1
    this.#used++
  }

  #remove(row: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let at = (this.#digests[row * WORDS] ?? 0) & mask
    while (slots[at] !== row + 1) at = (at + 1) & mask
    slots[at] = REMOVED
  }

  /** Leaves out what was removed, with room for as many rows again. */
  #rebuild(): void {
    let length = 2_048
    while (length < this.#rows * 3) length *= 2
    this.#slots = new Uint32Array(length)
    this.#used = 0
    for (let row = 0; row < this.#rows; row++) this.#place(row)
  }
}
