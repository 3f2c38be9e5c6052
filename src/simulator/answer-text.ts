import type { Quirks } from './protocol'
import { splitTokens } from './tokens'

/** The pieces a text leaves in, and why it ended there. */
export type Pieces = {
  pieces: Iterable<string>
  tokens: number
  finishReason: 'stop' | 'length'
  /** The stop sequence that the text would have gone on with. */
  stopSequence?: string
}

export type TextLimits = {
  /** Exactly so many tokens, where the request asked the simulator for them. */
  tokens: number | undefined
  maxTokens: number | undefined
  stop: string[]
  filler: Quirks['filler']
}

const QUOTED_CHARACTERS = 200

/** What a model thinks that is asked to think. */
export const THOUGHT =
  'A simulator quotes what it is told, or calls the first tool it may call: there is little to think about.'

const MORE = [
  'Every word of it is repeatable: ask again and you get the same.',
  'Tokens are counted as words, so the usage below is exact.',
  'Add “;ttft=300;tps=20” to the model name to see it come slowly.',
  'Name a model “fault-error-429” to see something go wrong.',
]

/** What the simulator says to a message: it quotes it, and varies with the choice's number. */
export function answerText(message: string, choice: number): string {
  const flat = message.replaceAll(/\s+/gu, ' ').trim()
  const quote = flat.length > QUOTED_CHARACTERS ? `${flat.slice(0, QUOTED_CHARACTERS)}…` : flat
  const opening = quote === '' ? 'You said nothing.' : `You said: “${quote.toWellFormed()}”.`
  const again = choice === 0 ? '' : ` Put another way (choice ${choice + 1}):`
  return `${opening}${again} This is the simulator’s answer: no model was asked, and nothing was billed.`
}

/** A user's turn that asks for the rest of the answer before it. */
export function asksForRest(message: string): boolean {
  return /^continue\b/i.test(message)
}

/** What of an answer is still to be said, where it was begun like that; all of it where it was begun in another way. */
export function restOf(answer: string, begun: string): string {
  return answer.startsWith(begun) ? answer.slice(begun.length) : answer
}

/** Cuts or lengthens a text as the request wants it. */
export function piecesOf(text: string, limits: TextLimits): Pieces {
  const { filler, stop } = limits
  if (filler) return fillerPieces(filler)
  const long = limits.tokens === undefined ? text : lengthen(text, limits.tokens)
  const { text: stopped, stopSequence } = cutAtStop(long, stop)
  const wanted = splitTokens(stopped)
  const asked = limits.tokens === undefined ? wanted : wanted.slice(0, limits.tokens)
  const { maxTokens = Infinity } = limits
  if (asked.length <= maxTokens) {
    const ended = { pieces: asked, tokens: asked.length, finishReason: 'stop' } as const
    const isMet = stopSequence !== undefined && asked.length === wanted.length
    return isMet ? { ...ended, stopSequence } : ended
  }
  return { pieces: asked.slice(0, maxTokens), tokens: maxTokens, finishReason: 'length' }
}

/** Enough sentences behind the text that it has at least so many tokens. */
function lengthen(text: string, tokens: number): string {
  const sentences = MORE.join(' ')
  const missing = tokens - splitTokens(text).length
  const times = Math.ceil(Math.max(0, missing) / splitTokens(sentences).length)
  return `${text}${` ${sentences}`.repeat(times)}`
}

function cutAtStop(text: string, stop: string[]): { text: string; stopSequence?: string } {
  let cut: ReturnType<typeof cutAtStop> = { text }
  for (const stopSequence of stop) {
    const at = stopSequence === '' ? -1 : cut.text.indexOf(stopSequence)
    if (at >= 0) cut = { text: cut.text.slice(0, at), stopSequence }
  }
  return cut
}

function fillerPieces({ sizeBytes, pieceBytes }: NonNullable<Quirks['filler']>): Pieces {
  const piece = 'filler '.repeat(Math.ceil(pieceBytes / 7)).slice(0, pieceBytes)
  const count = Math.ceil(sizeBytes / pieceBytes)
  return { pieces: Array.from({ length: count }, () => piece), tokens: count, finishReason: 'stop' }
}
