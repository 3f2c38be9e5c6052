import { scanJsonObject } from './json-scan'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c

const encoder = new TextEncoder()

/** Bytes `[start, end)` of a text. */
type Span = { start: number; end: number }

/**
 * The object in `bytes` with some of its own members changed, all else byte for byte as it was: `values` has the JSON
 * of each, or `undefined` for a member to be taken out. One that is not there is put behind the others. The bytes must
 * be a JSON object; what is none comes back as it is.
 */
export function setJsonMembers(
  bytes: Uint8Array,
  values: ReadonlyMap<string, string | undefined>
): Uint8Array {
  const found = new Set<string>()
  const edits: (Span & { text: string })[] = []
  const scan = scanJsonObject(bytes, [...values.keys()], ({ name, start, end }) => {
    found.add(name)
    const text = values.get(name)
    if (text !== undefined) edits.push({ start, end, text })
  })
  if (!scan.ok) return bytes
  const added = [...values]
    .filter(([name, text]) => text !== undefined && !found.has(name))
    .map(([name, text]) => `${JSON.stringify(name)}:${text}`)
  if (added.length > 0) {
    const comma = scan.empty ? '' : ','
    edits.push({ start: scan.closeAt, end: scan.closeAt, text: comma + added.join(',') })
  }
  let edited = join(bytes, edits)
  for (const [name, text] of values) if (text === undefined) edited = withoutMembers(edited, name)
  return edited
}

/** `bytes` without the member whose value stands at `value`, its key and one comma. */
export function cutJsonMember(bytes: Uint8Array, value: Span): Uint8Array {
  const keyStart = findKeyStart(bytes, value.start)
  const next = skipSpace(bytes, value.end, 1)
  if (bytes[next] === COMMA)
    return join(bytes, [{ start: keyStart, end: skipSpace(bytes, next + 1, 1), text: '' }])
  const previous = skipSpace(bytes, keyStart - 1, -1)
  const start = bytes[previous] === COMMA ? previous : keyStart
  return join(bytes, [{ start, end: value.end, text: '' }])
}

function withoutMembers(bytes: Uint8Array, name: string): Uint8Array {
  for (let rest = bytes; ;) {
    let last: Span | undefined
    scanJsonObject(rest, [name], (member) => {
      last = member
    })
    if (last === undefined) return rest
    rest = cutJsonMember(rest, last)
  }
}

function findKeyStart(bytes: Uint8Array, valueStart: number): number {
  const colon = skipSpace(bytes, valueStart - 1, -1)
  let at = skipSpace(bytes, colon - 1, -1) - 1
  while (at > 0 && !(bytes[at] === QUOTE && !isEscaped(bytes, at))) at--
  return at
}

function isEscaped(bytes: Uint8Array, at: number): boolean {
  let slashes = 0
  while (bytes[at - 1 - slashes] === BACKSLASH) slashes++
  return slashes % 2 === 1
}

function skipSpace(bytes: Uint8Array, from: number, step: 1 | -1): number {
  let at = from
  for (;;) {
    const byte = bytes[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at
    at += step
  }
}

/** Edits stand in the order of their spans, none overlapping. */
function join(bytes: Uint8Array, edits: readonly (Span & { text: string })[]): Uint8Array {
  if (edits.length === 0) return bytes
  const pieces: Uint8Array[] = []
  let from = 0
  for (const { start, end, text } of edits) {
    pieces.push(bytes.subarray(from, start), encoder.encode(text))
    from = end
  }
  pieces.push(bytes.subarray(from))
  return Buffer.concat(pieces)
}
