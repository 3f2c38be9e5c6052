/**
 * Numbers from 0 to below 1 that are the same for the same seed, for tests and samples; nothing secret may hang on them.
 * https://en.wikipedia.org/wiki/Linear_congruential_generator
 */
export function createSeededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
