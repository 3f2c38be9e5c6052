import type { Finish, TokenLogprob } from '../answer'
import type { Citation, Part } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { bytesOf, joinTexts, renderAnswerPart } from './answer-render'
import { renderGrounding } from './citations'
import { renderFinish } from './finish'
import { renderLogprobs } from './logprobs'

export type ChoiceEvent = Extract<StreamEvent, { choice: number }>
type PartEvent = Exclude<ChoiceEvent, { type: 'finish' | 'logprobs' }>

/** The part that is being written. Texts go on as they come; all else is written when it is whole. */
type OpenPart = {
  index: number
  part: Part
  text: string
  citations: Citation[]
  isStreamed: boolean
}

/**
 * Writes the events of one choice as candidates of frames, such that the SDK's texts, calls and signatures come to what
 * `renderChatAnswer` writes of the same answer. Parts stand in the order of their starts: one that begins while
 * another is open waits for its end.
 */
export class CandidateWriter {
  readonly #index: number
  readonly #losses: Losses
  readonly #waiting = new Map<number, PartEvent[]>()
  #open: OpenPart | undefined
  /** How many parts a reader has, and the last of them. */
  #written = 0
  #last: JsonObject | undefined
  #hasCalls = false
  #finish: Finish | undefined
  #candidates: JsonObject[] = []

  constructor(index: number, losses: Losses) {
    this.#index = index
    this.#losses = losses
  }

  /** The candidates, each of a frame, that say what the event does; often none or one. The finish is kept. */
  write(event: ChoiceEvent): JsonObject[] {
    this.#candidates = []
    if (event.type === 'finish') this.#finishWith(event.finish)
    else if (event.type === 'logprobs') this.#sayTokens(event.tokens)
    else this.#take(event)
    return this.#candidates
  }

  /** What the last frame says of the candidate. */
  end(): JsonObject {
    const path = `choices.${this.#index}`
    const finish = this.#finish ?? { reason: 'unknown', native: '' }
    const { members, isBlurred } = renderFinish(finish, this.#hasCalls)
    if (isBlurred) this.#losses.rewrite(`${path}.finish_reason`)
    return { content: contentOf({ text: '' }), ...members, index: this.#index }
  }

  #take(event: PartEvent): void {
    if (this.#open === undefined && event.type === 'part_start') this.#start(event)
    else if (this.#open?.index === event.index) this.#apply(this.#open, event)
    else {
      const waiting = this.#waiting.get(event.index)
      if (waiting) waiting.push(event)
      else if (event.type === 'part_start') this.#waiting.set(event.index, [event])
    }
  }

  #start({ index, part }: Extract<PartEvent, { type: 'part_start' }>): void {
    const isStreamed = part.type === 'text' || part.type === 'reasoning' || part.type === 'refusal'
    const citations = part.type === 'text' ? [...(part.citations ?? [])] : []
    this.#open = { index, part: { ...part }, text: '', citations, isStreamed }
    if (isStreamed) this.#say(this.#open, part.text)
  }

  #apply(open: OpenPart, event: PartEvent): void {
    if (event.type === 'delta') this.#grow(open, event.text)
    else if (event.type === 'signature') Object.assign(open.part, { signature: event.signature })
    else if (event.type === 'citation') open.citations.push(event.citation)
    else if (event.type === 'part_facts') Object.assign(open.part, event.facts)
    else if (event.type === 'part_end') this.#close(open)
  }

  #grow(open: OpenPart, text: string): void {
    const { part } = open
    if (open.isStreamed) this.#say(open, text)
    else if (part.type === 'tool_call') {
      part.arguments += text
      delete part.source
    } else if (part.type === 'media' && 'base64' in part.data) {
      part.data = { base64: part.data.base64 + text }
      delete part.source
    }
  }

  #say(open: OpenPart, text: string): void {
    open.text += text
    if (text === '') return
    this.#emit({ text, ...(open.part.type === 'reasoning' && { thought: true }) })
  }

  #close(open: OpenPart): void {
    const path = `choices.${this.#index}.message.content`
    this.#open = undefined
    if (open.part.type === 'tool_call') this.#hasCalls = true
    const rendered = renderAnswerPart(toWhole(open), `${path}.${open.index}`, this.#losses)
    const joined = joinTexts(this.#last, rendered)
    if (joined) this.#losses.rewrite(path)
    // Of a text that was written as it came only its signature is left to say.
    const rest = rendered && open.isStreamed && open.text !== '' ? restOf(rendered) : rendered
    const citing = {
      text: open.text,
      citations: open.citations,
      partIndex: joined ? this.#written - 1 : this.#written,
      offset: joined ? bytesOf(this.#last) : 0,
      path: `${path}.${open.index}`,
      // A reader takes them for sources of the text that it has just read.
      isLast: true,
    }
    const groundingMetadata = renderGrounding([citing], this.#losses)
    if (rest || groundingMetadata) this.#emit(rest ?? { text: '' }, groundingMetadata)
    if (rendered) this.#last = joined ?? rendered
    if (rendered && !joined) this.#written++
    this.#openNext()
  }

  #openNext(): void {
    const [next] = this.#waiting
    if (next === undefined) return
    this.#waiting.delete(next[0])
    for (const event of next[1]) this.#take(event)
  }

  /** What is still open then was cut short; it is said as far as it came. */
  #finishWith(finish: Finish): void {
    this.#finish = finish
    while (this.#open) this.#close(this.#open)
  }

  #sayTokens(tokens: TokenLogprob[]): void {
    const logprobsResult = renderLogprobs(tokens, `choices.${this.#index}`, this.#losses)
    this.#candidates.push({ index: this.#index, logprobsResult })
  }

  #emit(part: JsonObject, groundingMetadata?: JsonObject): void {
    this.#candidates.push({
      content: contentOf(part),
      index: this.#index,
      ...(groundingMetadata && { groundingMetadata }),
    })
  }
}

function contentOf(part: JsonObject): JsonObject {
  return { parts: [part], role: 'model' }
}

/** The part with all that came; a text's own JSON is that of its beginning. */
function toWhole({ part, text, isStreamed }: OpenPart): Part {
  if (!isStreamed) return part
  const { source: _, ...whole } = part
  if (whole.type === 'text' || whole.type === 'reasoning' || whole.type === 'refusal')
    return { ...whole, text }
  return part
}

function restOf(rendered: JsonObject): JsonObject | undefined {
  return rendered.thoughtSignature === undefined ? undefined : { ...rendered, text: '' }
}
