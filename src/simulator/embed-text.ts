import { randomAt, seedOf } from './seed'

/** Of a vector, unless told. */
export const DIMENSIONS = 1536
/** Places of the vector that a word adds to. */
const PLACES_A_WORD = 24

/** A unit vector, nearer to another the more words two texts share. */
export function embedText(text: string, dimensions: number = DIMENSIONS): Float32Array {
  return embedWords(wordsOf(text), dimensions)
}

/** What a text is taken to be made of. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text]
}

/** The words' hashes, added up and brought to length 1. */
export function embedWords(words: readonly string[], dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions)
  for (const word of words) {
    const seed = seedOf(word)
    for (let place = 0; place < PLACES_A_WORD; place++) {
      const at = Math.floor(randomAt(seed, place) * dimensions)
      const sign = randomAt(seed, PLACES_A_WORD + place) < 0.5 ? -1 : 1
      vector[at] = (vector[at] ?? 0) + sign
    }
  }
  const length = Math.hypot(...vector)
  // Words can cancel each other out; a vector of no length has no direction.
  if (length === 0) vector[0] = 1
  return length === 0 ? vector : vector.map((value) => value / length)
}
