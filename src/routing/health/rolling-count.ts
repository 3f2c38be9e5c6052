/** A sum over the last stretch of time, in slots that are forgotten whole. Adding is O(1). */
export class RollingCount {
  readonly #slotMs: number
  readonly #slots: Float64Array
  #current = -1
  #total = 0

  /** The last of `slots` is the present and only begun, so that between `windowMs` less one slot and `windowMs` count. */
  constructor(windowMs: number, slots = 10) {
    this.#slotMs = windowMs / slots
    this.#slots = new Float64Array(slots)
  }

  add(count: number, nowMs: number): void {
    this.#advance(nowMs)
    const at = this.#current % this.#slots.length
    this.#slots[at] = (this.#slots[at] ?? 0) + count
    this.#total += count
  }

  total(nowMs: number): number {
    this.#advance(nowMs)
    return this.#total
  }

  clear(): void {
    this.#slots.fill(0)
    this.#total = 0
  }

  #advance(nowMs: number): void {
    const now = Math.floor(nowMs / this.#slotMs)
    if (now <= this.#current) return
    const { length } = this.#slots
    if (now - this.#current >= length) this.clear()
    else
      for (let slot = this.#current + 1; slot <= now; slot++) {
        this.#total -= this.#slots[slot % length] ?? 0
        this.#slots[slot % length] = 0
      }
    this.#current = now
  }
}
