import { findBytes } from '../std/bytes'

/** A body up to here is taken as text as a whole: a token is at least one byte. */
const PLAIN_BYTES = 32 * 1024
/** What every request may bring along that its body does not show: the model's own tool instructions, roles, marks. */
const OVERHEAD_TOKENS = 1_000
/** A medium in base64: at least so much, and a token for every 20 bytes. A page of a PDF is 3,000 tokens or less. */
const MEDIUM_TOKENS = 3_000
const MEDIUM_BYTES_A_TOKEN = 20
/** A medium or file that is named by an address or an id, so that its size is not known. */
const REFERRED_TOKENS = 10_000
/** Pages that a hosted search or fetch may bring into the prompt. */
const HOSTED_TOOL_TOKENS = 50_000

/** Texts, each with what all of some have in common: most bodies have none of it, and each search has its price. */
type Marks = readonly (readonly [common: Buffer, texts: readonly Buffer[]])[]

const REFERENCES: Marks = [
  toMarks('"url', ['"url":"http', '"url": "http']),
  toMarks('"file', ['"fileUri"', '"file_uri"', '"file_id"']),
]
const HOSTED: Marks = [
  toMarks('"web_', ['"web_search', '"web_fetch']),
  toMarks('"google', ['"googleSearch', '"google_search']),
  toMarks('"url', ['"urlContext']),
]
/** What stands before base64: members that hold it, and data URLs. */
const BASE64_STARTS = [';base64,', '"data":"', '"data": "', '"bytes":"', '"bytes": "']
const BASE64 = BASE64_STARTS.map((text) => Buffer.from(text))
const QUOTE = 0x22

/** What hosted tools are taken to search at most. */
const SEARCHES = 10

/** The most that a request's input can be billed for. */
export type InputBound = { readonly tokens: number; readonly searches: number }

/**
 * The most input tokens that a request can be billed for: a token a byte of its body, base64 counted as media, and
 * allowances for what the body only refers to. It holds for the text whatever the model's vocabulary is; the
 * allowances are what they are said to be. `keptTokens` come to it from what its provider keeps.
 */
export function boundInput(body: Uint8Array, keptTokens = 0): InputBound {
  let tokens = body.length + OVERHEAD_TOKENS + keptTokens
  if (body.length > PLAIN_BYTES)
    tokens += mediaDifference(Buffer.from(body.buffer, body.byteOffset, body.length))
  let searches = 0
  for (const [common, references] of REFERENCES) {
    if (findBytes(body, common) < 0) continue
    for (const reference of references) tokens += REFERRED_TOKENS * occurrences(body, reference)
  }
  for (const [common, tools] of HOSTED) {
    if (findBytes(body, common) < 0) continue
    for (const tool of tools) {
      if (findBytes(body, tool) < 0) continue
      tokens += HOSTED_TOOL_TOKENS
      searches += SEARCHES
    }
  }
  return { tokens, searches }
}

function toMarks(common: string, texts: readonly string[]): Marks[number] {
  return [Buffer.from(common), texts.map((text) => Buffer.from(text))]
}

/** What base64 counts less than its bytes: zero or below. */
function mediaDifference(bytes: Buffer): number {
  let difference = 0
  for (const start of BASE64) {
    for (let at = bytes.indexOf(start); at >= 0; at = bytes.indexOf(start, at)) {
      const from = at + start.length
      const end = bytes.indexOf(QUOTE, from)
      const length = (end < 0 ? bytes.length : end) - from
      const counted = Math.max(MEDIUM_TOKENS, Math.ceil(length / MEDIUM_BYTES_A_TOKEN))
      if (counted < length) difference += counted - length
      at = from + length
    }
  }
  return difference
}

function occurrences(bytes: Uint8Array, wanted: Buffer): number {
  let count = 0
  for (
    let at = findBytes(bytes, wanted);
    at >= 0;
    at = findBytes(bytes, wanted, at + wanted.length)
  )
    count++
  return count
}
