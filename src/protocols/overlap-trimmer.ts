/** How much of the end is compared. */
const WINDOW = 400
/** An overlap that begins or ends inside a word is taken for one from here on; a shorter one may be chance. */
const SURE_LENGTH = 16
const LEAST_LENGTH = 4

/**
 * Takes from the beginning of a text what repeats the end of the one before it: models that are asked to go on like to
 * say their last words again. What is compared is at most 400 characters. White space alone counts; else an overlap has
 * whole words of at least four characters, or 16 characters of anything.
 */
export class OverlapTrimmer {
  readonly #tail: string
  #held = ''
  #isDone: boolean

  constructor(before: string) {
    this.#tail = before.slice(-WINDOW)
    this.#isDone = this.#tail === ''
  }

  /** What of it goes on; nothing while all so far may still be a repetition. */
  push(text: string): string {
    if (this.#isDone) return text
    this.#held += text
    if (this.#mayGrow()) return ''
    return this.flush()
  }

  /** The text has ended, or more than text follows: what is still held, without what it repeats. */
  flush(): string {
    if (this.#isDone) return ''
    this.#isDone = true
    return this.#held.slice(this.#overlap())
  }

  /** What is held stands somewhere in the tail, with more behind it. */
  #mayGrow(): boolean {
    const at = this.#tail.indexOf(this.#held)
    return at >= 0 && at + this.#held.length < this.#tail.length
  }

  #overlap(): number {
    const tail = this.#tail
    const held = this.#held
    for (let length = Math.min(tail.length, held.length); length > 0; length--)
      if (tail.endsWith(held.slice(0, length)) && this.#counts(length)) return length
    return 0
  }

  #counts(length: number): boolean {
    const repeated = this.#held.slice(0, length)
    if (length >= SURE_LENGTH || repeated.trim() === '') return true
    const before = this.#tail.at(-length - 1) ?? ' '
    const after = this.#held[length] ?? ' '
    const isWhole = !isInWord(before, repeated[0]) && !isInWord(repeated.at(-1), after)
    return isWhole && repeated.trim().length >= LEAST_LENGTH
  }
}

/** No word ends between the two. */
function isInWord(one: string | undefined, other: string | undefined): boolean {
  return WORD.test(one ?? ' ') && WORD.test(other ?? ' ')
}

const WORD = /[\p{L}\p{N}_]/u
