import type { Finish } from '../answer'
import type { AnswerContext, FrameWriter } from '../chat-protocol'
import type { Part } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { mergeUsage, type Usage } from '../usage'
import { messageId, renderAnswerPart, renderCitation, renderFinish } from './answer'
import { toLegalName } from './blocks-render'
import { ownObject, toLegalId } from './own'
import { renderUsage } from './usage'

const encoder = new TextEncoder()

type PartEvent = Extract<StreamEvent, { index: number }>
type OpenPart = { part: Part; waiting: PartEvent[]; arguments: string; hasEnded: boolean }

/**
 * Writes neutral events as those of a streamed message. Blocks follow one another: what comes for a part while an
 * earlier one is open waits until that has stopped.
 * https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export class MessageFrameWriter implements FrameWriter {
  readonly #context: AnswerContext
  readonly #losses: Losses
  readonly #parts = new Map<number, OpenPart>()
  /** The part whose block is open, and the place of its block. */
  #current: number | undefined
  #blocks = 0
  #frames = ''
  #usage: Usage | undefined
  #finish: Finish | undefined
  #start: Extract<StreamEvent, { type: 'start' }> | undefined
  #hasStarted = false

  constructor(context: AnswerContext, losses: Losses) {
    this.#context = context
    this.#losses = losses
  }

  write(events: readonly StreamEvent[]): Uint8Array {
    for (const event of events) this.#take(event)
    const frames = this.#frames
    this.#frames = ''
    return encoder.encode(frames)
  }

  #take(event: StreamEvent): void {
    if (event.type === 'start') this.#start = event
    else if (event.type === 'usage') this.#usage = mergeUsage(this.#usage, event.usage)
    else if (event.type === 'end') this.#end()
    else if (event.choice > 0) this.#losses.drop(`choices.${event.choice}`)
    else if (event.type === 'finish') this.#finish = event.finish
    else if (event.type === 'logprobs') this.#losses.drop('choices.0.logprobs')
    else this.#takePart(event)
  }

  #takePart(event: PartEvent): void {
    this.#begin()
    if (event.type === 'part_start') {
      const opened = { part: event.part, waiting: [], arguments: '', hasEnded: false }
      this.#parts.set(event.index, opened)
      if (this.#current === undefined) this.#open(event.index, opened)
      return
    }
    const open = this.#parts.get(event.index)
    if (open === undefined) return
    if (this.#current === event.index) this.#grow(event.index, open, event)
    else open.waiting.push(event)
  }

  #begin(): void {
    if (this.#hasStarted) return
    this.#hasStarted = true
    const { id, model } = this.#start ?? {}
    this.#frame('message_start', {
      message: {
        id: messageId(id, this.#context),
        type: 'message',
        role: 'assistant',
        model: model ?? this.#context.model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: renderUsage(this.#usage),
      },
    })
  }

  /** Opens the block of a part, and says all that waited for it. */
  #open(index: number, open: OpenPart): void {
    const block = startOf(open.part, `content.${index}`, this.#losses)
    this.#current = index
    if (block === undefined) {
      // What can't be said takes no block; its events are swallowed.
      this.#current = undefined
      this.#parts.delete(index)
      return this.#openNext()
    }
    this.#frame('content_block_start', { index: this.#blocks, content_block: block.start })
    if (block.text !== '') this.#say(open, block.text)
    if (open.part.type === 'reasoning' && open.part.signature?.maker === 'anthropic')
      this.#delta({ type: 'signature_delta', signature: open.part.signature.value })
    for (const event of open.waiting.splice(0)) this.#grow(index, open, event)
  }

  #openNext(): void {
    for (const [index, open] of this.#parts) {
      if (this.#current !== undefined) return
      this.#open(index, open)
    }
  }

  #grow(index: number, open: OpenPart, event: PartEvent): void {
    if (event.type === 'delta') this.#say(open, event.text)
    else if (event.type === 'signature') this.#sign(open, event.signature)
    else if (event.type === 'citation') this.#cite(index, event.citation)
    else if (event.type === 'part_facts') Object.assign(open.part, event.facts)
    else if (event.type === 'part_end') this.#close(index)
  }

  #say({ part }: OpenPart, text: string): void {
    if (part.type === 'reasoning') this.#delta({ type: 'thinking_delta', thinking: text })
    else if (part.type === 'tool_call')
      this.#delta({ type: 'input_json_delta', partial_json: text })
    else if (part.type !== 'native') this.#delta({ type: 'text_delta', text })
  }

  #sign({ part }: OpenPart, signature: { maker: string; value: string }): void {
    if (part.type === 'reasoning' && signature.maker === 'anthropic')
      this.#delta({ type: 'signature_delta', signature: signature.value })
  }

  #cite(index: number, citation: Parameters<typeof renderCitation>[0]): void {
    const rendered = renderCitation(citation)
    if (rendered) this.#delta({ type: 'citations_delta', citation: rendered })
    else this.#losses.drop(`content.${index}.citations`)
  }

  #close(index: number): void {
    this.#frame('content_block_stop', { index: this.#blocks++ })
    this.#parts.delete(index)
    this.#current = undefined
    this.#openNext()
  }

  #end(): void {
    this.#begin()
    // A reader closes what it opened; whatever is left stops here.
    while (this.#current !== undefined) this.#close(this.#current)
    this.#frame('message_delta', {
      delta: renderFinish(this.#finish ?? { reason: 'unknown', native: '' }),
      usage: renderUsage(this.#usage),
    })
    this.#frame('message_stop', {})
  }

  #delta(delta: JsonObject): void {
    this.#frame('content_block_delta', { index: this.#blocks, delta })
  }

  #frame(type: string, members: JsonObject): void {
    this.#frames += `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`
  }
}

type BlockStart = { start: JsonObject; /** What its first delta says. */ text: string }

/** How a part's block begins; `undefined` for what can't be said, which is reported. */
function startOf(part: Part, path: string, losses: Losses): BlockStart | undefined {
  switch (part.type) {
    case 'text':
      return { start: { type: 'text', text: '' }, text: part.text }
    case 'refusal':
      return { start: { type: 'text', text: '' }, text: part.text }
    case 'reasoning':
      if (part.encrypted?.maker === 'anthropic')
        return { start: { type: 'redacted_thinking', data: part.encrypted.value }, text: '' }
      if (part.encrypted) losses.drop(`${path}.encrypted_content`)
      return { start: { type: 'thinking', thinking: '', signature: '' }, text: part.text }
    case 'tool_call':
      return {
        start: {
          type: 'tool_use',
          id: toLegalId(part.id),
          name: toLegalName(part.name),
          input: {},
        },
        text: part.arguments,
      }
    default: {
      const own = ownObject(part.source) ?? renderAnswerPart(part, path, losses)
      return own && { start: own, text: '' }
    }
  }
}
