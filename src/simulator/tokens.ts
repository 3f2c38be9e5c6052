const PIECE_CHARACTERS = 8

/**
 * Cuts a text into the pieces that stand for tokens: white space with the word behind it, words
 * longer than eight characters in several pieces. Joined, the pieces are the text.
 */
export function splitTokens(text: string): string[] {
  const pieces: string[] = []
  for (let at = 0; at < text.length;) {
    const end = pieceEnd(text, at)
    pieces.push(text.slice(at, end))
    at = end
  }
  return pieces
}

/** How many pieces `splitTokens` would give, without making them. */
export function countTokens(text: string): number {
  let count = 0
  for (let at = 0; at < text.length; count++) at = pieceEnd(text, at)
  return count
}

function pieceEnd(text: string, start: number): number {
  let at = start
  while (at < text.length && isSpace(text.charCodeAt(at))) at++
  const limit = Math.min(at + PIECE_CHARACTERS, text.length)
  while (at < limit && !isSpace(text.charCodeAt(at))) at++
  // Half of a surrogate pair is no text: it would leave as U+FFFD.
  const last = text.charCodeAt(at - 1)
  return last >= 0xd800 && last <= 0xdbff && at < text.length ? at + 1 : at
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13)
}
