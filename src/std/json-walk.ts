import { findName, skipSpace } from './json-scan'

// Goes about in bytes that are known to be JSON, from value to value, and reads no more than it takes to get there.

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** Strings up to this length are gone through by hand: a call of the system's own search costs more. */
const SHORT_STRING = 32

/**
 * Visits the members of the object at `start` that are in `names`, with the offset of their value, until `visit` gives
 * false.
 */
export function walkJsonObject<Name extends string>(
  bytes: Uint8Array,
  start: number,
  names: readonly Name[],
  visit: (name: Name, valueAt: number) => boolean
): void {
  let at = skipSpace(bytes, start + 1)
  while (bytes[at] === QUOTE) {
    const keyEnd = endOfString(bytes, at)
    const valueAt = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1)
    const name = findName(bytes, at, keyEnd, names)
    if (name !== undefined && !visit(name, valueAt)) return
    at = nextJsonItem(bytes, endOfJsonValue(bytes, valueAt))
  }
}

/** The offset of the first element of the array at `start`; `undefined` where it is empty, or no array. */
export function firstJsonElement(bytes: Uint8Array, start: number): number | undefined {
  if (bytes[start] !== OPEN_BRACKET) return undefined
  const at = skipSpace(bytes, start + 1)
  return bytes[at] === CLOSE_BRACKET ? undefined : at
}

/** The offset of the element behind the one that ends at `end`; `undefined` behind the last. */
export function nextJsonElement(bytes: Uint8Array, end: number): number | undefined {
  const at = skipSpace(bytes, end)
  return bytes[at] === COMMA ? skipSpace(bytes, at + 1) : undefined
}

/** How many elements the array at `start` has; none where it is no array. */
export function countJsonElements(bytes: Uint8Array, start: number): number {
  let count = 0
  let at = firstJsonElement(bytes, start)
  while (at !== undefined) {
    count++
    at = nextJsonElement(bytes, endOfJsonValue(bytes, at))
  }
  return count
}

/** The offset behind the value at `start`. */
export function endOfJsonValue(bytes: Uint8Array, start: number): number {
  if (bytes[start] === QUOTE) return endOfString(bytes, start)
  let at = start
  let depth = 0
  for (;;) {
    const byte = bytes[at]
    if (byte === QUOTE) {
      at = endOfString(bytes, at)
      continue
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return at
      if (--depth === 0) return at + 1
    } else if (depth === 0 && (byte === undefined || byte === COMMA || byte <= 0x20)) return at
    at++
  }
}

function nextJsonItem(bytes: Uint8Array, end: number): number {
  return nextJsonElement(bytes, end) ?? end
}

function endOfString(bytes: Uint8Array, start: number): number {
  const near = Math.min(start + SHORT_STRING, bytes.length)
  let at = start + 1
  while (at < near) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    at += byte === BACKSLASH ? 2 : 1
  }
  for (;;) {
    const quoteAt = bytes.indexOf(QUOTE, at)
    if (quoteAt < 0) return bytes.length
    let escapes = 0
    // Those before `at` were gone through together with what they escape.
    while (quoteAt - escapes > at && bytes[quoteAt - escapes - 1] === BACKSLASH) escapes++
    if (escapes % 2 === 0) return quoteAt + 1
    at = quoteAt + 1
  }
}
