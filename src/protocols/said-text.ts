/** Beyond this only the length is kept: what follows is taken to be alike. */
const MAX_KEPT = 65_536
/** Pieces joined so far are made one string then, or each would keep its own memory. */
const PIECES = 64

/** What a model has said in a stream, as text, for the count of its tokens should nobody tell it. */
export class SaidText {
  #text = ''
  #pieces = 0
  /** All of it, kept or not. */
  characters = 0

  /** Takes the next piece; anything but text is nothing. */
  add(piece: unknown): void {
    if (typeof piece !== 'string' || piece === '') return
    this.characters += piece.length
    if (this.#text.length >= MAX_KEPT) return
    this.#text += piece
    this.#pieces++
    // A joined string is written out when a letter of it is looked at.
    if (this.#pieces % PIECES === 0) this.#text.charCodeAt(0)
  }

  /** Its beginning, at most about 64 K characters. */
  get text(): string {
    return this.#text
  }
}
