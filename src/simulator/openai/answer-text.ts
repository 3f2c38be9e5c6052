import type { Quirks } from '../protocol'
import { splitTokens } from '../tokens'

/** The pieces a text leaves in, and why it ended there. */
export type Pieces = {
  pieces: Iterable<string>
  tokens: number
  finishReason: 'stop' | 'length'
}

export type TextLimits = {
  /** Exactly so many tokens, where the request asked the simulator for them. */
  tokens: number | undefined
  maxTokens: number | undefined
  stop: string[]
  filler: Quirks['filler']
}

const QUOTED_CHARACTERS = 200

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

/** Cuts or lengthens a text as the request wants it. */
export function piecesOf(text: string, limits: TextLimits): Pieces {
  const { filler, stop } = limits
  if (filler) return fillerPieces(filler)
  const stopped = cutAtStop(
    limits.tokens === undefined ? text : lengthen(text, limits.tokens),
    stop
  )
  const wanted = splitTokens(stopped)
  const asked = limits.tokens === undefined ? wanted : wanted.slice(0, limits.tokens)
  const { maxTokens = Infinity } = limits
  if (asked.length <= maxTokens)
    return { pieces: asked, tokens: asked.length, finishReason: 'stop' }
  return { pieces: asked.slice(0, maxTokens), tokens: maxTokens, finishReason: 'length' }
}

/** Enough sentences behind the text that it has at least so many tokens. */
function lengthen(text: string, tokens: number): string {
  const sentences = MORE.join(' ')
  const missing = tokens - splitTokens(text).length
  const times = Math.ceil(Math.max(0, missing) / splitTokens(sentences).length)
  return `${text}${` ${sentences}`.repeat(times)}`
}

function cutAtStop(text: string, stop: string[]): string {
  const found = stop.map((sequence) => (sequence === '' ? -1 : text.indexOf(sequence)))
  const first = Math.min(...found.filter((at) => at >= 0))
  return Number.isFinite(first) ? text.slice(0, first) : text
}

function fillerPieces({ sizeBytes, pieceBytes }: NonNullable<Quirks['filler']>): Pieces {
  const piece = 'filler '.repeat(Math.ceil(pieceBytes / 7)).slice(0, pieceBytes)
  const count = Math.ceil(sizeBytes / pieceBytes)
  return { pieces: Array.from({ length: count }, () => piece), tokens: count, finishReason: 'stop' }
}
