import { GatewayError } from '../../errors/gateway-error'
import { stringOf } from '../../std/record'
import type { EventReader } from '../chat-protocol'
import type { NativePart, Part } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { StreamEvent } from '../stream-event'
import { asList, asNumber, asObject, defined, ownSource, parseJson } from './converse-json'
import { parseFinish } from './finish'
import { readConverseEvent } from './frames'
import { mimeTypeOf } from './media'
import { parseCitation } from './parts'
import { toUsage } from './usage'

/** A block whose end has not come. */
type OpenBlock = {
  /** Of the neutral part, which is another than the block's where a block holds several. */
  index: number
  kind: 'text' | 'reasoning' | 'redacted' | 'tool_call' | 'image' | 'native'
  /** What was gathered of a part that is told as one: pieces of a picture, or what only this format knows. */
  pieces: JsonValue[]
  /** How such a part began. */
  start: JsonObject
}

/**
 * Reads the events of ConverseStream. Text and reasoning need no start, and some hosts leave out the ends of blocks and
 * the start of the message; the counts come behind the last word.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
 */
export class ConverseEventReader implements EventReader {
  readonly #open = new Map<number, OpenBlock>()
  #nextIndex = 0
  #hasStarted = false
  #hasFinished = false
  #hasMetadata = false
  #hasEnded = false

  /** Takes one frame's data and the event that the framer named. */
  read(data: string, event: string | undefined): StreamEvent[] {
    const { type, json } = readConverseEvent(data, event)
    const events: StreamEvent[] = []
    if (!this.#hasStarted) events.push({ type: 'start' })
    this.#hasStarted = true
    this.#readEvent(type, json, events)
    if (this.#hasFinished && this.#hasMetadata) events.push(...this.#end())
    return events
  }

  /** The stream has ended. Throws `upstream_broken` where the message had no end. */
  end(): StreamEvent[] {
    if (this.#hasFinished) return this.#end()
    throw new GatewayError(
      'upstream_broken',
      'the provider ended its stream before the answer was finished'
    )
  }

  #end(): StreamEvent[] {
    if (this.#hasEnded) return []
    this.#hasEnded = true
    return [{ type: 'end' }]
  }

  #readEvent(type: string, json: JsonObject, events: StreamEvent[]): void {
    const block = asNumber(json.contentBlockIndex) ?? 0
    if (type === 'contentBlockStart') this.#start(block, asObject(json.start) ?? {}, events)
    else if (type === 'contentBlockDelta') this.#delta(block, asObject(json.delta) ?? {}, events)
    else if (type === 'contentBlockStop') this.#stop(block, events)
    else if (type === 'messageStop') this.#finish(json, events)
    else if (type === 'metadata') {
      this.#hasMetadata = true
      const usage = toUsage(json.usage)
      if (usage) events.push({ type: 'usage', usage })
    }
  }

  #start(block: number, start: JsonObject, events: StreamEvent[]): void {
    const call = asObject(start.toolUse)
    const image = asObject(start.image)
    if (call && call.type === undefined) {
      const part: Part = {
        type: 'tool_call',
        id: stringOf(call, 'toolUseId') || `call_${block}`,
        name: stringOf(call, 'name') ?? '',
        arguments: '',
      }
      this.#openPart(block, 'tool_call', part, events)
    } else if (image) {
      const mimeType = mimeTypeOf('image', stringOf(image, 'format') ?? '')
      const part: Part = { type: 'media', media: 'image', data: { base64: '' }, mimeType }
      this.#openPart(block, 'image', part, events)
    } else if (Object.keys(start).length > 0) {
      // It is told as one when it has ended: nobody knows how to go on with a part of it.
      this.#open.set(block, { index: this.#nextIndex++, kind: 'native', pieces: [], start })
    }
  }

  #openPart(block: number, kind: OpenBlock['kind'], part: Part, events: StreamEvent[]): OpenBlock {
    this.#stop(block, events)
    const opened: OpenBlock = { index: this.#nextIndex++, kind, pieces: [], start: {} }
    this.#open.set(block, opened)
    events.push({ type: 'part_start', choice: 0, index: opened.index, part })
    return opened
  }

  #delta(block: number, delta: JsonObject, events: StreamEvent[]): void {
    const open = this.#open.get(block)
    const reasoning = asObject(delta.reasoningContent)
    const text = stringOf(delta, 'text')
    const input = stringOf(delta.toolUse, 'input')
    if (open?.kind === 'native') open.pieces.push(delta)
    else if (open?.kind === 'image') open.pieces.push(asObject(delta.image)?.source ?? null)
    else if (text !== undefined) this.#append(this.#textAt(block, events), text, events)
    else if (reasoning) this.#reasoning(block, reasoning, events)
    else if (input !== undefined && open) this.#append(open, input, events)
    else if (delta.citation !== undefined) {
      const { index } = this.#textAt(block, events)
      const citation = parseCitation(delta.citation)
      events.push({ type: 'citation', choice: 0, index, citation })
    }
  }

  #append({ index }: OpenBlock, text: string, events: StreamEvent[]): void {
    if (text !== '') events.push({ type: 'delta', choice: 0, index, text })
  }

  #textAt(block: number, events: StreamEvent[]): OpenBlock {
    const open = this.#open.get(block)
    if (open?.kind === 'text') return open
    return this.#openPart(block, 'text', { type: 'text', text: '' }, events)
  }

  /** Readable thoughts with their signature, or a part that only the provider can read. */
  #reasoning(block: number, delta: JsonObject, events: StreamEvent[]): void {
    const redacted = stringOf(delta, 'redactedContent')
    const kind = redacted === undefined ? 'reasoning' : 'redacted'
    const known = this.#open.get(block)
    const open =
      known?.kind === kind
        ? known
        : this.#openPart(block, kind, { type: 'reasoning', text: '' }, events)
    const { index } = open
    if (redacted !== undefined) {
      open.pieces.push(redacted)
      const encrypted = { maker: 'anthropic' as const, value: open.pieces.join('') }
      events.push({ type: 'part_facts', choice: 0, index, facts: { encrypted } })
      return
    }
    const signature = stringOf(delta, 'signature')
    this.#append(open, stringOf(delta, 'text') ?? '', events)
    if (signature) {
      const value = { maker: 'anthropic' as const, value: signature }
      events.push({ type: 'signature', choice: 0, index, signature: value })
    }
  }

  #stop(block: number, events: StreamEvent[]): void {
    const open = this.#open.get(block)
    if (open === undefined) return
    this.#open.delete(block)
    const { index } = open
    if (open.kind === 'image') this.#append(open, joinPictures(open.pieces), events)
    if (open.kind === 'native')
      events.push({ type: 'part_start', choice: 0, index, part: toNative(open) })
    events.push({ type: 'part_end', choice: 0, index })
  }

  #finish(json: JsonObject, events: StreamEvent[]): void {
    for (const block of [...this.#open.keys()]) this.#stop(block, events)
    const stopReason = stringOf(json, 'stopReason') ?? ''
    const finish = parseFinish(stopReason, json.additionalModelResponseFields)
    this.#hasFinished = true
    events.push({ type: 'finish', choice: 0, finish })
  }
}

/** Each piece is base64 of its own, which can't simply be put together. */
function joinPictures(sources: readonly JsonValue[]): string {
  const pieces = sources.map((source) => Buffer.from(stringOf(source, 'bytes') ?? '', 'base64'))
  return Buffer.concat(pieces).toString('base64')
}

/** What a tool of the provider's own was asked or said, as the block that a whole answer has. */
function toNative({ start, pieces }: OpenBlock): NativePart {
  const [name = 'unknown'] = Object.keys(start)
  const begun = asObject(start[name]) ?? {}
  const told = pieces.map((piece) => asObject(piece)?.[name])
  const json = defined({
    ...begun,
    content: name === 'toolResult' ? told.flatMap((piece) => asList(piece)) : undefined,
    input: name === 'toolUse' ? inputOf(told) : undefined,
  })
  const source = ownSource({ [name]: json })
  return { type: 'native', name: stringOf(begun, 'type') ?? name, source }
}

function inputOf(pieces: readonly (JsonValue | undefined)[]): JsonValue {
  const text = pieces.map((piece) => stringOf(piece, 'input') ?? '').join('')
  return parseJson(text) ?? {}
}
