import type { Finish } from '../answer'
import type { AnswerContext, FrameWriter } from '../chat-protocol'
import type { MediaPart, ToolCallPart } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { mergeUsage, type Usage } from '../usage'
import { renderDoneReason, renderHead } from './answer'
import { renderCall, renderImage } from './generation-render'
import { renderLogprobs } from './logprobs'
import { renderUsage } from './usage'

const encoder = new TextEncoder()

type OpenPart =
  | { kind: 'content' | 'thinking' }
  | { kind: 'image'; part: MediaPart }
  | { kind: 'call'; part: ToolCallPart; isWhole: boolean }

/** Writes the lines of a streamed answer: pieces as they come, images and calls when they are whole, the counts last. */
export class OllamaFrameWriter implements FrameWriter {
  readonly #context: AnswerContext
  readonly #losses: Losses
  readonly #parts = new Map<number, OpenPart>()
  #head: JsonObject
  #usage: Usage | undefined
  #finish: Finish = { reason: 'unknown', native: '' }

  constructor(context: AnswerContext, losses: Losses) {
    this.#context = context
    this.#losses = losses
    this.#head = renderHead({}, context)
  }

  write(events: readonly StreamEvent[]): Uint8Array {
    let text = ''
    for (const event of events) text += this.#write(event)
    return encoder.encode(text)
  }

  #write(event: StreamEvent): string {
    if ('choice' in event && event.choice > 0) {
      this.#losses.drop(`choices.${event.choice}`)
      return ''
    }
    switch (event.type) {
      case 'start':
        this.#head = renderHead(event, this.#context)
        return ''
      case 'part_start':
        return this.#start(event)
      case 'delta':
        return this.#grow(event.index, event.text)
      case 'part_end':
        return this.#close(event.index)
      case 'part_facts':
        this.#learn(event.index, event.facts)
        return ''
      case 'usage':
        this.#usage = mergeUsage(this.#usage, event.usage)
        return ''
      case 'finish':
        this.#finish = event.finish
        return ''
      case 'end':
        return this.#end()
      case 'signature':
      case 'citation':
        this.#losses.drop(`message.content.${event.index}.${event.type}`)
        return ''
      case 'logprobs':
        // A line of their own, as the server sends them while it holds text back.
        return this.#line(
          { role: 'assistant', content: '' },
          { logprobs: renderLogprobs(event.tokens) }
        )
    }
  }

  #start({ index, part }: Extract<StreamEvent, { type: 'part_start' }>): string {
    if (part.type === 'tool_call')
      this.#parts.set(index, { kind: 'call', part: { ...part }, isWhole: false })
    else if (part.type === 'reasoning') this.#parts.set(index, { kind: 'thinking' })
    else if (part.type === 'media' && part.media === 'image')
      this.#parts.set(index, { kind: 'image', part: { ...part } })
    else if (part.type === 'text' || part.type === 'refusal')
      this.#parts.set(index, { kind: 'content' })
    else {
      this.#losses.drop(`message.content.${index}`)
      return ''
    }
    return part.type !== 'tool_call' && 'text' in part ? this.#grow(index, part.text) : ''
  }

  #grow(index: number, text: string): string {
    const open = this.#parts.get(index)
    if (open === undefined || text === '') return ''
    if (open.kind === 'call') {
      open.part.arguments += text
      return ''
    }
    if (open.kind === 'image') {
      if ('base64' in open.part.data) open.part.data = { base64: open.part.data.base64 + text }
      return ''
    }
    return this.#line({ role: 'assistant', content: '', [open.kind]: text })
  }

  #learn(index: number, { id, name }: Extract<StreamEvent, { type: 'part_facts' }>['facts']): void {
    const open = this.#parts.get(index)
    if (open?.kind !== 'call') return
    if (id !== undefined) open.part.id = id
    if (name !== undefined) open.part.name = name
  }

  #close(index: number): string {
    const open = this.#parts.get(index)
    if (open?.kind === 'call') {
      open.isWhole = true
      return this.#flush(false)
    }
    this.#parts.delete(index)
    if (open?.kind !== 'image') return ''
    const image = renderImage(open.part, `message.content.${index}`, this.#losses)
    return image === undefined
      ? ''
      : this.#line({ role: 'assistant', content: '', images: [image] })
  }

  /** Calls go out in their order, each when it and those before it are whole, or all at the end. */
  #flush(isEnd: boolean): string {
    let lines = ''
    for (const [index, open] of this.#parts) {
      if (open.kind !== 'call') continue
      if (!open.isWhole && !isEnd) return lines
      this.#parts.delete(index)
      const call = renderCall(open.part, `message.content.${index}`, this.#losses)
      lines += this.#line({ role: 'assistant', content: '', tool_calls: [call] })
    }
    return lines
  }

  #line(message: JsonObject, more: JsonObject = {}): string {
    return `${JSON.stringify({ ...this.#head, message, done: false, ...more })}\n`
  }

  #end(): string {
    const last = {
      ...this.#head,
      message: { role: 'assistant', content: '' },
      done: true,
      done_reason: renderDoneReason(this.#finish),
      ...renderUsage(this.#usage),
    }
    return `${this.#flush(true)}${JSON.stringify(last)}\n`
  }
}
