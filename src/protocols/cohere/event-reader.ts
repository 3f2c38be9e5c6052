import { GatewayError } from '../../errors/gateway-error'
import { recordOf, stringOf } from '../../std/record'
import type { EventReader } from '../chat-protocol'
import type { Part } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { StreamEvent } from '../stream-event'
import { parseLogprob } from './answer-parse'
import { citationPlace, parseCitation, toNativeCitation } from './citations'
import { parseFinish } from './finish'
import { parseEvent } from './frames'
import { asObject } from './own'
import { parseCall } from './parts'
import { parseUsage } from './usage'

type OpenPart = {
  index: number
  part: Part
  /** The beginning of arguments that may yet become `null`; `undefined` once there was more. */
  held: string | undefined
}

/** Reads the events of a stream into neutral ones: https://docs.cohere.com/v2/docs/streaming */
export class CohereEventReader implements EventReader {
  /** By their kind and place in the message, e.g. `content 0`, `call 1`, `plan`. */
  readonly #open = new Map<string, OpenPart>()
  #parts = 0
  #hasEnded = false

  read(data: string): StreamEvent[] {
    const event = parseEvent(data)
    if (event === undefined || this.#hasEnded) return []
    const message = asObject(asObject(event.delta)?.message) ?? {}
    const at = numberOf(event.index)
    switch (event.type) {
      case 'message-start':
        return [{ type: 'start', id: stringOf(event, 'id') }]
      case 'content-start':
        return this.#openContent(`content ${at}`, asObject(message.content) ?? {})
      case 'content-delta':
        return this.#growContent(`content ${at}`, asObject(message.content) ?? {}, event)
      case 'tool-plan-delta':
        return this.#plan(stringOf(message, 'tool_plan') ?? '')
      case 'tool-call-start':
        return this.#openCall(`call ${at}`, asObject(message.tool_calls) ?? {})
      case 'tool-call-delta':
        return this.#growCall(`call ${at}`, argumentsOf(message.tool_calls))
      case 'tool-call-end':
        return this.#close(`call ${at}`)
      case 'citation-start':
        return this.#cite(asObject(message.citations) ?? {})
      case 'message-end':
        return this.#end(asObject(event.delta) ?? {})
      default:
        // A content's end waits: its citations may follow it. What is unknown says nothing of the answer.
        return []
    }
  }

  end(): StreamEvent[] {
    if (this.#hasEnded) return []
    throw new GatewayError(
      'upstream_broken',
      'the provider ended its stream before the answer was finished'
    )
  }

  #start(key: string, part: Part): StreamEvent {
    const index = this.#parts++
    this.#open.set(key, { index, part, held: '' })
    return { type: 'part_start', choice: 0, index, part }
  }

  #openContent(key: string, content: JsonObject): StreamEvent[] {
    const { type } = content
    const thinking = stringOf(content, 'thinking')
    const text = stringOf(content, 'text')
    if (type !== undefined && type !== 'text' && type !== 'thinking') return []
    const part: Part =
      type === 'thinking' || (type === undefined && thinking !== undefined)
        ? { type: 'reasoning', text: thinking ?? '' }
        : { type: 'text', text: text ?? '' }
    return [...this.#closeTexts(), this.#start(key, part)]
  }

  #growContent(key: string, content: JsonObject, event: JsonObject): StreamEvent[] {
    const events: StreamEvent[] = []
    const open = this.#open.get(key)
    const text = stringOf(content, 'text') ?? stringOf(content, 'thinking') ?? ''
    if (open && text !== '') events.push({ type: 'delta', choice: 0, index: open.index, text })
    // Without its start it begins here.
    else if (!open && text !== '') events.push(...this.#openContent(key, content))
    const tokens = parseLogprob(event.logprobs)
    if (tokens.length > 0) events.push({ type: 'logprobs', choice: 0, tokens })
    return events
  }

  #plan(text: string): StreamEvent[] {
    if (text === '') return []
    const open = this.#open.get('plan')
    if (open) return [{ type: 'delta', choice: 0, index: open.index, text }]
    return [...this.#closeTexts(), this.#start('plan', { type: 'text', text })]
  }

  #openCall(key: string, call: JsonObject): StreamEvent[] {
    const { id, name, arguments: said } = parseCall(call, `call_${this.#parts}`)
    const start = this.#start(key, { type: 'tool_call', id, name, arguments: '' })
    return [...this.#closeTexts(), start, ...this.#growCall(key, said)]
  }

  /** Functions without arguments are called with `null`, which other formats take for none at all. */
  #growCall(key: string, said: string): StreamEvent[] {
    const open = this.#open.get(key)
    if (open === undefined || said === '') return []
    const text = (open.held ?? '') + said
    const mayBeNull = open.held !== undefined && 'null'.startsWith(text.trim())
    open.held = mayBeNull ? text : undefined
    if (mayBeNull) return []
    return [{ type: 'delta', choice: 0, index: open.index, text }]
  }

  #cite(citation: JsonObject): StreamEvent[] {
    const { in: where, contentIndex } = citationPlace(citation)
    const open = where === 'plan' ? this.#open.get('plan') : this.#openText(contentIndex)
    if (open === undefined || where === 'thoughts') {
      const index = this.#parts++
      return [
        { type: 'part_start', choice: 0, index, part: toNativeCitation(citation) },
        { type: 'part_end', choice: 0, index },
      ]
    }
    return parseCitation(citation).map((parsed) => ({
      type: 'citation',
      choice: 0,
      index: open.index,
      citation: parsed,
    }))
  }

  /** The text at a place of the content; the last one where no place is said. */
  #openText(at: number | undefined): OpenPart | undefined {
    const texts = [...this.#open].filter(
      ([key, { part }]) => key.startsWith('content') && part.type === 'text'
    )
    const [, open] =
      (at === undefined ? texts.at(-1) : texts.find(([key]) => key === `content ${at}`)) ?? []
    return open
  }

  #closeTexts(): StreamEvent[] {
    const texts = [...this.#open].filter(([, { part }]) => part.type !== 'tool_call')
    return texts.flatMap(([key]) => this.#close(key))
  }

  #close(key: string): StreamEvent[] {
    const open = this.#open.get(key)
    if (open === undefined) return []
    this.#open.delete(key)
    const { index, held } = open
    const end: StreamEvent = { type: 'part_end', choice: 0, index }
    if (!held) return [end]
    const text = held.trim() === 'null' ? '{}' : held
    return [{ type: 'delta', choice: 0, index, text }, end]
  }

  #end(delta: JsonObject): StreamEvent[] {
    const usage = parseUsage(delta.usage)
    const finish = parseFinish(stringOf(delta, 'finish_reason') ?? '', stringOf(delta, 'error'))
    this.#hasEnded = true
    return [
      ...[...this.#open.keys()].flatMap((key) => this.#close(key)),
      ...(usage ? [{ type: 'usage' as const, usage }] : []),
      { type: 'finish', choice: 0, finish },
      { type: 'end' },
    ]
  }
}

function argumentsOf(call: JsonValue | undefined): string {
  return stringOf(recordOf(call, 'function'), 'arguments') ?? ''
}

function numberOf(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : 0
}
