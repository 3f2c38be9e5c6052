import type { Choice } from '../answer'
import type { AnswerContext, FrameWriter } from '../chat-protocol'
import type { Part } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { mergeUsage, type Usage } from '../usage'
import { renderCall } from './answer'
import { finishOf } from './finish'
import { renderUsage } from './usage'

const encoder = new TextEncoder()

type PartEvent = Extract<StreamEvent, { index: number }>

/** Writes neutral events as those of Cohere's stream: https://docs.cohere.com/v2/docs/streaming */
export class CohereFrameWriter implements FrameWriter {
  readonly #context: AnswerContext
  readonly #losses: Losses
  /** The parts that are open, and where each stands among the contents or the calls. */
  readonly #open = new Map<number, { part: Part; at: number }>()
  #contents = 0
  #calls = 0
  #frames = ''
  #hasStarted = false
  #id: string
  #usage: Usage | undefined
  #choice: Choice | undefined

  constructor(context: AnswerContext, losses: Losses) {
    this.#context = context
    this.#losses = losses
    this.#id = context.requestId
  }

  write(events: readonly StreamEvent[]): Uint8Array {
    for (const event of events) this.#take(event)
    const frames = this.#frames
    this.#frames = ''
    return encoder.encode(frames)
  }

  #take(event: StreamEvent): void {
    if (event.type === 'start') this.#id = event.id ?? this.#context.requestId
    else if (event.type === 'usage') this.#usage = mergeUsage(this.#usage, event.usage)
    else if (event.type === 'end') this.#end()
    else if (event.choice > 0) this.#losses.drop(`choices.${event.choice}`)
    else if (event.type === 'finish') this.#choice = { parts: [], finish: event.finish }
    else if (event.type === 'logprobs') this.#losses.drop('logprobs')
    else this.#takePart(event)
  }

  #takePart(event: PartEvent): void {
    this.#start()
    if (event.type === 'part_start') return this.#openPart(event.index, event.part)
    const open = this.#open.get(event.index)
    if (open === undefined) return
    const { part, at } = open
    if (event.type === 'delta') this.#say(part, at, event.text)
    else if (event.type === 'citation') this.#losses.drop(`content.${event.index}.citations`)
    else if (event.type === 'part_end') {
      this.#open.delete(event.index)
      this.#frame(part.type === 'tool_call' ? 'tool-call-end' : 'content-end', { index: at })
    }
  }

  #openPart(index: number, part: Part): void {
    if (part.type === 'tool_call') {
      const at = this.#calls++
      this.#open.set(index, { part, at })
      const message = { tool_calls: renderCall(part) }
      return this.#frame('tool-call-start', { index: at, delta: { message } })
    }
    if (part.type !== 'text' && part.type !== 'refusal' && part.type !== 'reasoning')
      return this.#losses.drop(`content.${index}`)
    const at = this.#contents++
    this.#open.set(index, { part, at })
    const content =
      part.type === 'reasoning' ? { type: 'thinking', thinking: '' } : { type: 'text', text: '' }
    this.#frame('content-start', { index: at, delta: { message: { content } } })
    if (part.text !== '') this.#say(part, at, part.text)
  }

  #say(part: Part, at: number, text: string): void {
    if (part.type === 'tool_call') {
      const message = { tool_calls: { function: { arguments: text } } }
      return this.#frame('tool-call-delta', { index: at, delta: { message } })
    }
    const content = part.type === 'reasoning' ? { thinking: text } : { text }
    this.#frame('content-delta', { index: at, delta: { message: { content } } })
  }

  #start(): void {
    if (this.#hasStarted) return
    this.#hasStarted = true
    const message = { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] }
    this.#frame('message-start', { id: this.#id, delta: { message } })
  }

  #end(): void {
    this.#start()
    const delta = { finish_reason: finishOf(this.#choice), usage: renderUsage(this.#usage) }
    this.#frame('message-end', { id: this.#id, delta })
  }

  #frame(type: string, members: JsonObject): void {
    this.#frames += `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`
  }
}
