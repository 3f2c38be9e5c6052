import { stringOf } from '../../std/record'
import type { Part, ToolCallPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { parseAnnotation, parseContent, parseLogprobs } from './content'
import { isMessage, parseOutputItem } from './items'
import type { PartSink } from './part-sink'
import { PARAGRAPH, parseReasoning, parseState } from './reasoning'
import { asList, asNumber, asObject, ownSource } from './responses-json'

/** A part of an item, as far as it has come. */
type OpenPart = {
  index: number
  /** What was told of its text. */
  text: string
  /** Of the texts that the part is joined from, the one it stands in. */
  place: number
  citations: number
  hasLogprobs: boolean
  isClosed: boolean
}

/**
 * Follows the events of one item. Hosts leave out what they think goes without saying: a part opens with its
 * first event of any kind, and what the deltas did not tell is read from the event that closes it.
 */
export class ItemReader {
  readonly #sink: PartSink
  readonly #parts = new Map<string, OpenPart>()
  #item: JsonObject | undefined
  #isFinished = false

  constructor(sink: PartSink) {
    this.#sink = sink
  }

  read(type: string, event: JsonObject): void {
    const content = String(asNumber(event.content_index) ?? 0)
    const delta = stringOf(event, 'delta')
    switch (type) {
      case 'response.output_item.added':
        return this.#open(asObject(event.item))
      case 'response.output_item.done':
        return this.finish(asObject(event.item))
      case 'response.content_part.added':
        return void this.#openContent(content, event.part)
      case 'response.content_part.done':
        return this.#closeContent(content, event.part)
      case 'response.output_text.delta':
        return this.#readText(content, delta, event.logprobs)
      case 'response.output_text.annotation.added':
        return this.#cite(content, event.annotation)
      case 'response.refusal.delta':
        return this.#grow(
          this.#openPart(content, () => ({ type: 'refusal', text: '' })),
          delta
        )
      case 'response.reasoning_text.delta':
        return this.#think('content', asNumber(event.content_index), delta)
      case 'response.reasoning_summary_text.delta':
        return this.#think('summary', asNumber(event.summary_index), delta)
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        return this.#grow(this.#parts.get(CALL), delta)
      case 'response.function_call_arguments.done':
        return this.#complete(this.#parts.get(CALL), stringOf(event, 'arguments'))
      case 'response.custom_tool_call_input.done':
        return this.#complete(this.#parts.get(CALL), stringOf(event, 'input'))
      default:
    }
  }

  /** The item is whole: what was not told of it yet is. `undefined` where nothing more is known. */
  finish(finished: JsonObject | undefined): void {
    if (this.#isFinished) return
    this.#isFinished = true
    const item = finished ?? this.#item
    if (item === undefined) return this.#closeAll()
    if (isMessage(item))
      asList(item.content).forEach((part, at) => this.#closeContent(`${at}`, part))
    else if (item.type === 'reasoning') this.#finishReasoning(item)
    else this.#finishSingle(item)
    this.#closeAll()
  }

  /** Calls of the client's tools are told of at once; what only this format knows, when it is whole. */
  #open(item: JsonObject | undefined): void {
    this.#item = item
    if (item?.type !== 'function_call' && item?.type !== 'custom_tool_call') return
    const [part] = parseOutputItem(item)
    if (part?.type === 'tool_call') this.#openPart(CALL, () => toStart(part), part.arguments)
  }

  #finishSingle(item: JsonObject): void {
    const [part] = parseOutputItem(item)
    const open = this.#parts.get(CALL)
    if (part?.type === 'tool_call') {
      const called = open ?? this.#openPart(CALL, () => toStart(part), part.arguments)
      this.#complete(called, part.arguments)
    } else if (part && open === undefined) this.#openPart(CALL, () => part)
  }

  #openContent(at: string, json: JsonValue | undefined): OpenPart | undefined {
    const known = this.#parts.get(at)
    if (known || json === undefined) return known
    const part = parseContent(json)
    if (part.type === 'text') return this.#openPart(at, () => ({ type: 'text', text: '' }))
    if (part.type === 'refusal') return this.#openPart(at, () => ({ type: 'refusal', text: '' }))
    return undefined
  }

  #closeContent(at: string, json: JsonValue | undefined): void {
    // Of a reasoning item, this is told at its end.
    if (json === undefined || asObject(json)?.type === 'reasoning_text') return
    const part = parseContent(json)
    if (part.type !== 'text' && part.type !== 'refusal') {
      const source = ownSource({ ...this.#item, content: [json] })
      this.#openPart(at, () => ({ ...part, source }))
      return
    }
    const open = this.#openContent(at, json)
    if (open === undefined) return
    this.#complete(open, part.text)
    if (part.type !== 'text' || open.isClosed) return
    for (const citation of (part.citations ?? []).slice(open.citations))
      this.#sink.cite(open.index, citation)
    if (!open.hasLogprobs) this.#sink.logprobs(parseLogprobs(asObject(json)?.logprobs))
    this.#close(open)
  }

  #readText(at: string, delta: string | undefined, logprobs: JsonValue | undefined): void {
    const open = this.#openPart(at, () => ({ type: 'text', text: '' }))
    this.#grow(open, delta)
    const tokens = parseLogprobs(logprobs)
    if (tokens.length > 0) open.hasLogprobs = true
    this.#sink.logprobs(tokens)
  }

  #cite(at: string, annotation: JsonValue | undefined): void {
    const open = this.#parts.get(at)
    if (open === undefined || open.isClosed || asObject(annotation) === undefined) return
    open.citations++
    this.#sink.cite(open.index, parseAnnotation(annotation ?? null))
  }

  /** A delta of reasoning; the texts of an item are paragraphs of one part. */
  #think(kind: 'summary' | 'content', place = 0, delta = ''): void {
    if (delta === '') return
    const isSummary = kind === 'summary' && { isSummary: true }
    const open = this.#openPart(kind, () => ({ type: 'reasoning', text: '', ...isSummary }))
    if (place !== open.place && open.text !== '') this.#grow(open, PARAGRAPH)
    open.place = place
    this.#grow(open, delta)
  }

  #finishReasoning(item: JsonObject): void {
    const parts = parseReasoning(item)
    parts.forEach((part, at) => {
      const kind = part.isSummary ? 'summary' : 'content'
      const { source: _, text, ...facts } = part
      // An item of one part is what was told of it, be it a summary of thoughts that are packed in it.
      const [told] = text === '' || parts.length === 1 ? this.#parts.values() : []
      const known = this.#parts.get(kind) ?? told
      this.#complete(known ?? this.#openPart(kind, () => ({ ...facts, text: '' })), text)
      // Told last: what an item says of its state when it is opened is not its last word.
      if (known && at === 0) this.#sink.facts(known.index, parseState(item).facts)
    })
  }

  #openPart(key: string, make: () => Part, text = ''): OpenPart {
    const known = this.#parts.get(key)
    if (known) return known
    const index = this.#sink.start(make())
    const open = { index, text, place: 0, citations: 0, hasLogprobs: false, isClosed: false }
    this.#parts.set(key, open)
    return open
  }

  #grow(open: OpenPart | undefined, delta: string | undefined): void {
    if (!open || open.isClosed || !delta) return
    open.text += delta
    this.#sink.delta(open.index, delta)
  }

  /** The deltas that never came: some hosts send the whole text alone. What was told can't be taken back. */
  #complete(open: OpenPart | undefined, text: string | undefined): void {
    if (open && text?.startsWith(open.text)) this.#grow(open, text.slice(open.text.length))
  }

  #close(open: OpenPart): void {
    if (open.isClosed) return
    open.isClosed = true
    this.#sink.end(open.index)
  }

  #closeAll(): void {
    for (const open of this.#parts.values()) this.#close(open)
  }
}

/** The key of an item's only part. */
const CALL = 'call'

/** A call as it begins: sources are of whole items alone. */
function toStart(part: ToolCallPart): Part {
  return { ...part, source: undefined }
}
