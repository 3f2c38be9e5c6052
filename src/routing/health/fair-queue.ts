/**
 * Who waits, served in turns by key and within a key in order of coming: a key with a thousand waiting holds nobody else
 * up. Of the room that is left a key may take half, so that there is always some for another
 * (dynamic thresholds, https://doi.org/10.1109/90.664262). Every step is O(1).
 */
export class FairQueue<T extends object> {
  readonly #maxLength: number
  /** By key, the next to be served first. A set keeps the order, and lets anyone leave from the middle. */
  readonly #lines = new Map<string, Set<T>>()
  #length = 0

  constructor(maxLength: number) {
    this.#maxLength = maxLength
  }

  get length(): number {
    return this.#length
  }

  /** Keys of which somebody waits. */
  get keys(): number {
    return this.#lines.size
  }

  /** Whether `item` has got a place, at the end of its key's line. */
  join(key: string, item: T): boolean {
    const line = this.#lines.get(key)
    if ((line?.size ?? 0) >= this.#maxLength - this.#length) return false
    if (line) line.add(item)
    else this.#lines.set(key, new Set([item]))
    this.#length++
    return true
  }

  /** Takes the next; its key comes last again. */
  next(): T | undefined {
    for (const [key, line] of this.#lines)
      for (const item of line) {
        this.leave(key, item)
        if (this.#lines.delete(key)) this.#lines.set(key, line)
        return item
      }
    return undefined
  }

  /** Gives the item's place up; whether it still had one. */
  leave(key: string, item: T): boolean {
    const line = this.#lines.get(key)
    if (!line?.delete(item)) return false
    this.#length--
    if (line.size === 0) this.#lines.delete(key)
    return true
  }
}
