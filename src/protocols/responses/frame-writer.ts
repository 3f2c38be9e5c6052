import type { Finish, TokenLogprob } from '../answer'
import type { AnswerContext, FrameWriter } from '../chat-protocol'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { mergeUsage, type Usage } from '../usage'
import { countOf, recordOf, stringOf } from '../../std/record'
import type { ResponseHead } from './answer-parse'
import { finishResponse, renderHead } from './answer-render'
import { ItemWriter } from './item-writer'
import { partPath, renderOutputItem, wantsSummary } from './output'

const encoder = new TextEncoder()

type ChoiceEvent = Extract<StreamEvent, { choice: number }>

/**
 * Writes neutral events as those of a streamed response: each numbered, in a frame that names its type, the
 * last with the whole response. Items are told of in the order in which their parts begin; the deltas of several
 * may mingle. https://platform.openai.com/docs/api-reference/responses-streaming
 */
export class ResponseFrameWriter implements FrameWriter {
  readonly #context: AnswerContext
  readonly #losses: Losses
  /** The items that are open, by the index of their part. */
  readonly #open = new Map<number, { writer: ItemWriter; at: number }>()
  readonly #output: JsonObject[] = []
  /** Log probabilities that no text is there for yet. */
  #tokens: TokenLogprob[] = []
  #frames = ''
  #sequence = 0
  #head: JsonObject | undefined
  #finish: Finish = { reason: 'unknown', native: '' }
  #usage: Usage | undefined
  #hasEnded = false
  /** What a stream that is followed calls its items. */
  #ids: Map<number, string> | undefined

  constructor(context: AnswerContext, losses: Losses) {
    this.#context = context
    this.#losses = losses
  }

  write(events: readonly StreamEvent[]): Uint8Array {
    events.forEach((event, index) => {
      const next = events[index + 1]
      const before = events[index - 1]
      // What comes with a delta of text is told with it.
      const isTold = event.type === 'logprobs' && before?.type === 'delta' && this.#isText(before)
      const tokens = event.type === 'delta' && next?.type === 'logprobs' ? next.tokens : undefined
      if (!this.#hasEnded && !isTold) this.#take(event, tokens)
    })
    const frames = this.#frames
    this.#frames = ''
    return encoder.encode(frames)
  }

  follow(data: string): void {
    const event: unknown = JSON.parse(data)
    const sequence = countOf(event, 'sequence_number')
    if (sequence !== undefined) this.#sequence = sequence + 1
    const index = countOf(event, 'output_index')
    const id = stringOf(recordOf(event, 'item'), 'id')
    if (index !== undefined && id !== undefined) (this.#ids ??= new Map()).set(index, id)
  }

  #take(event: StreamEvent, tokens: readonly TokenLogprob[] | undefined): void {
    if (event.type === 'start') return void this.#begin(event)
    const head = this.#head ?? this.#begin({})
    if (event.type === 'usage') this.#usage = mergeUsage(this.#usage, event.usage)
    else if (event.type === 'end') this.#end(head)
    else if (event.choice !== 0) this.#losses.drop(`choices.${event.choice}`)
    else if (event.type === 'finish') this.#finish = event.finish
    else if (event.type === 'logprobs') this.#readLogprobs(event.tokens)
    else if (event.type === 'part_start') this.#startPart(event)
    else if (event.type === 'part_end') this.#endPart(event.index)
    else this.#growPart(event, tokens)
  }

  #begin(head: ResponseHead): JsonObject {
    if (this.#head) return this.#head
    const response = renderHead(head, this.#context)
    this.#head = response
    this.#emit('response.created', { response })
    this.#emit('response.in_progress', { response })
    return response
  }

  #startPart({ index, part }: Extract<StreamEvent, { type: 'part_start' }>): void {
    const at = this.#output.length
    const { requestId, request } = this.#context
    const summarizes = wantsSummary(request)
    const named = {
      requestId,
      index: at,
      path: partPath(index),
      ...(this.#ids && { ids: this.#ids }),
    }
    const place = { ...named, losses: this.#losses, summarizes }
    const item = renderOutputItem(part, place, [])
    if (item === undefined) return
    const writer = new ItemWriter(part, item, place, (type, members) => this.#emit(type, members))
    this.#output.push(item)
    this.#open.set(index, { writer, at })
    if (part.type !== 'text' || this.#tokens.length === 0) return
    writer.grow('', this.#tokens)
    this.#tokens = []
  }

  #growPart(
    event: Exclude<ChoiceEvent, { type: 'part_start' | 'part_end' | 'logprobs' | 'finish' }>,
    tokens: readonly TokenLogprob[] | undefined
  ): void {
    const writer = this.#open.get(event.index)?.writer
    if (event.type === 'delta') writer?.grow(event.text, writer.isText ? tokens : undefined)
    else if (event.type === 'citation') writer?.cite(event.citation)
    else writer?.note(event)
  }

  #endPart(index: number): void {
    const open = this.#open.get(index)
    if (open === undefined) return
    this.#output[open.at] = open.writer.end()
    this.#open.delete(index)
  }

  #isText({ index, choice }: { index: number; choice: number }): boolean {
    return choice === 0 && this.#open.get(index)?.writer.isText === true
  }

  /** Log probabilities are those of the text that was begun last. */
  #readLogprobs(tokens: readonly TokenLogprob[]): void {
    const texts = [...this.#open.values()].filter(({ writer }) => writer.isText)
    const last = texts.at(-1)
    if (last) last.writer.grow('', tokens)
    else this.#tokens.push(...tokens)
  }

  #end(head: JsonObject): void {
    for (const index of this.#open.keys()) this.#endPart(index)
    if (this.#tokens.length > 0) this.#losses.drop('choices.0.logprobs')
    const told = { output: this.#output, finish: this.#finish, usage: this.#usage }
    const response = finishResponse(head, told, this.#losses)
    this.#emit(`response.${String(response.status)}`, { response })
    this.#hasEnded = true
  }

  #emit(type: string, members: JsonObject): void {
    const event = { type, sequence_number: this.#sequence++, ...members }
    this.#frames += `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`
  }
}
