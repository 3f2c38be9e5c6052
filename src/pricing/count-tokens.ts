import type { CountPiece } from './vocabulary'

/** Longer runs without a space take the tokenizer time that grows with their square. */
const MAX_PIECE = 256
/** Of a longer text so much is counted, and the rest taken to be alike. */
export const MAX_COUNTED_CHARACTERS = 200_000

/**
 * How many tokens of the vocabulary a text takes. Other vocabularies differ by a tenth or two. In time that
 * grows with the text, whatever it holds: a word of more than 256 characters is cut.
 */
export function countTokens(text: string, countPiece: CountPiece): number {
  const counted =
    text.length > MAX_COUNTED_CHARACTERS ? text.slice(0, MAX_COUNTED_CHARACTERS) : text
  let tokens = 0
  for (const piece of toPieces(counted)) tokens += countPiece(piece)
  if (counted.length === text.length) return tokens
  return Math.ceil((tokens * text.length) / counted.length)
}

/** Cuts before a space where there is one, as the vocabulary itself does. */
function* toPieces(text: string): Generator<string> {
  let from = 0
  while (text.length - from > MAX_PIECE) {
    const space = text.lastIndexOf(' ', from + MAX_PIECE)
    const to = space > from ? space : from + MAX_PIECE
    yield text.slice(from, to)
    from = to
  }
  yield text.slice(from)
}
