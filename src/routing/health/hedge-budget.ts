/** Hedges that a quiet time saves up, at most. */
const MOST_SAVED = 10

/**
 * Keeps second attempts a small part of a route's requests: each request brings its share of one, and one is there from
 * the start. Else a slow hour of a provider would double the load of all others.
 */
export class HedgeBudgets {
  readonly #saved = new Map<string, number>()

  /** A request of a route came; `share` of them, 0 to 1, may have a second attempt. */
  request(route: string, share: number): void {
    this.#saved.set(route, Math.min(MOST_SAVED, (this.#saved.get(route) ?? 1) + share))
  }

  /** Whether a second attempt fits; taken only by `take`. */
  hasRoom(route: string): boolean {
    return (this.#saved.get(route) ?? 1) >= 1
  }

  take(route: string): void {
    this.#saved.set(route, (this.#saved.get(route) ?? 1) - 1)
  }
}
