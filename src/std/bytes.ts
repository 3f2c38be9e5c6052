// Bun's own searches and readers of bytes work on any view; a `Buffer` over the same memory costs ten times as much.

const { indexOf, latin1Slice } = Buffer.prototype

/** Where `wanted` begins in `bytes`, at `from` or behind it; -1 where it is not. */
export function findBytes(bytes: Uint8Array, wanted: Uint8Array, from = 0): number {
  return indexOf.call(bytes, wanted, from)
}

/** Bytes `[from, to)` as text, each one a character: their text where they are ASCII. */
export function latin1Text(bytes: Uint8Array, from: number, to: number): string {
  return latin1Slice.call(bytes, from, to)
}
