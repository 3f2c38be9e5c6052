import { latin1Text } from './bytes'

/**
 * One strict pass over JSON bytes (RFC 8259) that finds the members of the top-level object without
 * building values: what an untouched request needs is where `model` stands, not what a megabyte of
 * messages means. Everything between is validated, so a body that passes here is JSON.
 */

export type JsonMember<Name extends string = string> = {
  /** The key, escapes decoded. */
  name: Name
  /** The key was spelled with escapes, e.g. `"mod\u0065l"`. */
  escaped: boolean
  /** The value's bytes: `[start, end)`. */
  start: number
  end: number
}

export type JsonObjectScan =
  | { ok: true; /** Where the closing brace stands. */ closeAt: number; empty: boolean }
  | { ok: false; /** Byte offset of what is wrong. */ position: number; reason: string }

const MAX_DEPTH = 512

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/**
 * Scans `bytes`, which must hold one object and white space, calling `visit` for those of its own
 * members that are in `names`, in order. The member object is the callee's to keep.
 */
export function scanJsonObject<Name extends string>(
  bytes: Uint8Array,
  names: readonly Name[],
  visit: (member: JsonMember<Name>) => void
): JsonObjectScan {
  let at = skipSpace(bytes, 0)
  if (bytes[at] !== OPEN_BRACE) return fault(bytes, at)
  at = skipSpace(bytes, at + 1)
  let empty = true
  if (bytes[at] !== CLOSE_BRACE) {
    empty = false
    for (;;) {
      const keyEnd = bytes[at] === QUOTE ? skipString(bytes, at) : ~at
      if (keyEnd < 0) return fault(bytes, ~keyEnd)
      const colonAt = skipSpace(bytes, keyEnd)
      if (bytes[colonAt] !== COLON) return fault(bytes, colonAt)
      const start = skipSpace(bytes, colonAt + 1)
      const end = skipValue(bytes, start, 1)
      if (end < 0) return fault(bytes, ~end)
      // Strings are made for no key: most of them are looked at once and never again.
      const name = findName(bytes, at, keyEnd, names)
      if (name !== undefined) visit({ name, escaped: keyEnd - at - 2 !== name.length, start, end })
      at = skipSpace(bytes, end)
      if (bytes[at] === CLOSE_BRACE) break
      if (bytes[at] !== COMMA) return fault(bytes, at)
      at = skipSpace(bytes, at + 1)
    }
  }
  const after = skipSpace(bytes, at + 1)
  return after === bytes.length ? { ok: true, closeAt: at, empty } : fault(bytes, after)
}

/** The text of a scanned value where it is a string; else `undefined`. */
export function readJsonString(
  bytes: Uint8Array,
  value: { start: number; end: number }
): string | undefined {
  if (bytes[value.start] !== QUOTE) return undefined
  if (isPlain(bytes, value.start + 1, value.end - 1))
    return latin1Text(bytes, value.start + 1, value.end - 1)
  return String(JSON.parse(new TextDecoder().decode(bytes.subarray(value.start, value.end))))
}

/** The number of a scanned value where it is written as digits alone; else `undefined`. */
export function readJsonCount(
  bytes: Uint8Array,
  value: { start: number; end: number } | undefined
): number | undefined {
  if (value === undefined || value.end - value.start > 15) return undefined
  let count = 0
  for (let at = value.start; at < value.end; at++) {
    const byte = bytes[at]
    if (byte === undefined || !isDigit(byte)) return undefined
    count = count * 10 + (byte - 0x30)
  }
  return count
}

/** Line and column (both from 1, in bytes) of a byte offset, for messages. */
export function toLineAndColumn(
  bytes: Uint8Array,
  position: number
): { line: number; column: number } {
  let line = 1
  let lineStart = 0
  for (let at = 0; at < position && at < bytes.length; at++) {
    if (bytes[at] === 0x0a) {
      line++
      lineStart = at + 1
    }
  }
  return { line, column: position - lineStart + 1 }
}

/** Which of `names`, all plain ASCII, the key at `[keyStart, keyEnd)` (quotes included) spells. */
export function findName<Name extends string>(
  bytes: Uint8Array,
  keyStart: number,
  keyEnd: number,
  names: readonly Name[]
): Name | undefined {
  for (const name of names) if (isSpelled(bytes, keyStart + 1, keyEnd - 1, name)) return name
  for (let at = keyStart + 1; at < keyEnd - 1; at++)
    if (bytes[at] === BACKSLASH) {
      const key: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(keyStart, keyEnd)))
      return names.find((name) => name === key)
    }
  return undefined
}

function isSpelled(bytes: Uint8Array, from: number, to: number, name: string): boolean {
  if (to - from !== name.length) return false
  for (let at = from; at < to; at++) if (bytes[at] !== name.charCodeAt(at - from)) return false
  return true
}

/** Bytes `[from, to)` are ASCII without escapes. */
function isPlain(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = bytes[at]
    if (byte === undefined || byte === BACKSLASH || byte >= 0x80) return false
  }
  return true
}

function fault(bytes: Uint8Array, position: number): JsonObjectScan {
  const byte = bytes[position]
  if (byte === undefined) return { ok: false, position, reason: 'the text ends too early' }
  const shown = byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `byte ${byte}`
  return { ok: false, position, reason: `unexpected ${shown}` }
}

export function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  for (;;) {
    const byte = bytes[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at
    at++
  }
}

// The skippers below give the offset behind what they skipped, or the complement (`~`) of the
// offset of what is wrong: a number either way, so that the hot loop allocates nothing.

function skipValue(bytes: Uint8Array, at: number, depth: number): number {
  switch (bytes[at]) {
    case QUOTE:
      return skipString(bytes, at)
    case OPEN_BRACE:
      return depth < MAX_DEPTH ? skipObject(bytes, at, depth + 1) : ~at
    case OPEN_BRACKET:
      return depth < MAX_DEPTH ? skipArray(bytes, at, depth + 1) : ~at
    case 0x74:
      return skipWord(bytes, at, 'true')
    case 0x66:
      return skipWord(bytes, at, 'false')
    case 0x6e:
      return skipWord(bytes, at, 'null')
    default:
      return skipNumber(bytes, at)
  }
}

function skipObject(bytes: Uint8Array, from: number, depth: number): number {
  let at = skipSpace(bytes, from + 1)
  if (bytes[at] === CLOSE_BRACE) return at + 1
  for (;;) {
    if (bytes[at] !== QUOTE) return ~at
    at = skipString(bytes, at)
    if (at < 0) return at
    at = skipSpace(bytes, at)
    if (bytes[at] !== COLON) return ~at
    at = skipValue(bytes, skipSpace(bytes, at + 1), depth)
    if (at < 0) return at
    at = skipSpace(bytes, at)
    if (bytes[at] === CLOSE_BRACE) return at + 1
    if (bytes[at] !== COMMA) return ~at
    at = skipSpace(bytes, at + 1)
  }
}

function skipArray(bytes: Uint8Array, from: number, depth: number): number {
  let at = skipSpace(bytes, from + 1)
  if (bytes[at] === CLOSE_BRACKET) return at + 1
  for (;;) {
    at = skipValue(bytes, at, depth)
    if (at < 0) return at
    at = skipSpace(bytes, at)
    if (bytes[at] === CLOSE_BRACKET) return at + 1
    if (bytes[at] !== COMMA) return ~at
    at = skipSpace(bytes, at + 1)
  }
}

function skipString(bytes: Uint8Array, from: number): number {
  const length = bytes.length
  let at = from + 1
  while (at < length) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    if (byte === BACKSLASH) {
      const next = skipEscape(bytes, at)
      if (next < 0) return next
      at = next
    } else if (byte === undefined || byte < 0x20) return ~at
    else at++
  }
  return ~at
}

function skipEscape(bytes: Uint8Array, at: number): number {
  switch (bytes[at + 1]) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return at + 2
    case 0x75:
      for (let hex = at + 2; hex < at + 6; hex++) if (!isHexDigit(bytes[hex])) return ~hex
      return at + 6
    default:
      return ~(at + 1)
  }
}

function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

function skipWord(bytes: Uint8Array, at: number, word: string): number {
  for (let index = 0; index < word.length; index++)
    if (bytes[at + index] !== word.charCodeAt(index)) return ~(at + index)
  return at + word.length
}

function skipNumber(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === 0x2d ? from + 1 : from
  if (bytes[at] === 0x30) at++
  else {
    const digits = skipDigits(bytes, at)
    if (digits < 0) return digits
    at = digits
  }
  if (bytes[at] === 0x2e) {
    const digits = skipDigits(bytes, at + 1)
    if (digits < 0) return digits
    at = digits
  }
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    const sign = bytes[at + 1]
    const digits = skipDigits(bytes, sign === 0x2b || sign === 0x2d ? at + 2 : at + 1)
    if (digits < 0) return digits
    at = digits
  }
  return at
}

function skipDigits(bytes: Uint8Array, from: number): number {
  let at = from
  while (isDigit(bytes[at])) at++
  return at === from ? ~at : at
}
