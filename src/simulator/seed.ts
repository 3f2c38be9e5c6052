/** A 32-bit seed for a text: equal texts give equal answers, on every machine. */
export function seedOf(text: string): number {
  return Bun.hash.xxHash32(text)
}

/** An id's tail: 16 hexadecimal digits that depend on the text alone. */
export function fingerprint(text: string): string {
  return Bun.hash.xxHash64(text).toString(16).padStart(16, '0')
}

/** A repeatable number in [0, 1) for one place in a sequence (splitmix32). */
export function randomAt(seed: number, index: number): number {
  let bits = (seed + Math.imul(index + 1, 0x9e3779b9)) | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad)
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97)
  return ((bits ^ (bits >>> 15)) >>> 0) / 4_294_967_296
}
