import { isRecord, recordOf, stringOf } from '../../std/record'
import type { Finish } from '../answer'
import type { Citation, Part, ReasoningPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { PartFacts, StreamEvent } from '../stream-event'
import { madeCallId, parseLogprobs } from './chat-answer-parse'
import { parseFinish } from './chat-finish'
import { asList, asObject, ownSource } from './chat-json'
import {
  argumentsOf,
  CALL,
  parseAnnotation,
  parsePart,
  shiftCitation,
  thoughtSignature,
} from './chat-parts'
import { DETAIL, flatReasoning, parseDetail, type ReasoningDetail } from './chat-reasoning'

/** A call as far as it came; it is no part before its name is known. */
type OpenCall = {
  id: string
  name: string
  isCustom: boolean
  /** Its part; `undefined` while that waits for the name, with the arguments in `held`. */
  part: number | undefined
  held: string
  signature: string | undefined
}

/** Reasoning that is open, and what was told of it. */
type OpenReasoning = { part: number; isSummary: boolean; id: string | undefined }

/** A text that is open, and where it begins in the whole content. */
type OpenText = { part: number; offset: number }

/**
 * Reads what the frames of a stream say of one choice. Texts and reasoning end where another kind of part
 * begins; calls stay open until the end, since their fragments may interleave.
 */
export class ChoiceReader {
  readonly #choice: number
  readonly #open = new Set<number>()
  #parts = 0
  #text: OpenText | undefined
  #refusal: number | undefined
  /** By the index of the detail, or by the member's name. */
  readonly #reasoning = new Map<number | string, OpenReasoning>()
  readonly #calls: OpenCall[] = []
  /** By the index that the host gives. */
  readonly #callAt = new Map<number, OpenCall>()
  #audio: { part: number; transcript: string; isComplete: boolean } | undefined
  #contentLength = 0
  #hasAnnotations = false
  #finish: Finish | undefined
  #events: StreamEvent[] = []

  constructor(choice: number) {
    this.#choice = choice
  }

  /** The choice of a frame, into events. Throws `upstream_refused` where it says that the provider failed. */
  read(choice: JsonObject, answerId: string | undefined): StreamEvent[] {
    this.#events = []
    // A host that has no streams may put the whole message into one frame.
    const delta =
      asObject(choice.delta) ?? (this.#parts === 0 ? asObject(choice.message) : undefined)
    if (delta) this.#readDelta(delta, answerId)
    const tokens = parseLogprobs(choice)
    if (tokens.length > 0) this.#events.push({ type: 'logprobs', choice: this.#choice, tokens })
    this.#finish = parseFinish(choice, this.#calls.length > 0) ?? this.#finish
    return this.#events
  }

  /** The stream has ended: closes the parts and tells the finish, where there is one. */
  end(sources: readonly Citation[]): StreamEvent[] {
    this.#events = []
    for (const call of this.#calls) this.#startCall(call)
    const finish = this.#finish ?? (this.#audio?.isComplete ? AUDIO_FINISH : undefined)
    if (this.#text && !this.#hasAnnotations)
      for (const citation of sources) this.#cite(this.#text.part, citation)
    if (this.#audio && this.#audio.transcript !== '')
      this.#tell(this.#audio.part, { transcript: this.#audio.transcript })
    for (const part of [...this.#open].sort((a, b) => a - b)) this.#close(part)
    if (finish) this.#events.push({ type: 'finish', choice: this.#choice, finish })
    return this.#events
  }

  #readDelta(delta: JsonObject, answerId: string | undefined): void {
    this.#readReasoning(delta)
    if (typeof delta.content === 'string') this.#addText(delta.content)
    else for (const part of asList(delta.content)) this.#addContent(part)
    const refusal = stringOf(delta, 'refusal')
    if (refusal) this.#addRefusal(refusal)
    for (const annotation of asList(delta.annotations)) this.#annotate(annotation)
    const audio = asObject(delta.audio)
    if (audio) this.#addAudio(audio)
    for (const image of asList(delta.images)) this.#whole(parsePart(image))
    for (const call of asList(delta.tool_calls)) this.#addCall(call, answerId)
    const legacy = asObject(delta.function_call)
    if (legacy) this.#addCall({ index: 0, function: legacy }, answerId)
  }

  #readReasoning(delta: JsonObject): void {
    const details = asList(delta.reasoning_details)
    for (const json of details) {
      const detail = parseDetail(json)
      if (detail) this.#addDetail(detail)
      else {
        const name = `${DETAIL}${stringOf(json, 'type') ?? 'unknown'}`
        this.#whole({ type: 'native', name, source: ownSource(json) })
      }
    }
    const flat = flatReasoning(delta)
    // The same text stands in both, where a host sends both.
    if (flat && flat.text !== '' && details.length === 0) this.#think(flat.text)
  }

  #addDetail(detail: ReasoningDetail): void {
    const { text, isSummary, id, signature, encrypted } = detail
    const last = [...this.#reasoning.keys()].at(-1)
    const isMark = text === '' && last === 'flat'
    const key = detail.index ?? last ?? 'detail'
    const open = this.#reasoningPart(isMark ? 'flat' : key, isSummary, id)
    const index = open.part
    if (text !== '') this.#delta(index, text)
    if (signature) this.#events.push({ type: 'signature', choice: this.#choice, index, signature })
    if (encrypted) this.#tell(index, { encrypted })
  }

  #think(text: string): void {
    this.#delta(this.#reasoningPart('flat', false, undefined).part, text)
  }

  #reasoningPart(key: number | string, isSummary: boolean, id: string | undefined): OpenReasoning {
    const open = this.#reasoning.get(key)
    if (open === undefined) return this.#startReasoning(key, isSummary, id)
    if (isSummary && !open.isSummary) this.#tell(open.part, { isSummary })
    if (id !== undefined && open.id === undefined) this.#tell(open.part, { id })
    open.isSummary ||= isSummary
    open.id ??= id
    return open
  }

  #startReasoning(key: number | string, isSummary: boolean, id: string | undefined): OpenReasoning {
    this.#closeContent()
    // One after the other: a detail of another index begins when the one before is whole.
    this.#closeReasoning()
    const part: ReasoningPart = { type: 'reasoning', text: '' }
    if (isSummary) part.isSummary = true
    if (id !== undefined) part.id = id
    const open = { part: this.#start(part), isSummary, id }
    this.#reasoning.set(key, open)
    return open
  }

  #closeReasoning(): void {
    for (const { part } of this.#reasoning.values()) this.#close(part)
    this.#reasoning.clear()
  }

  #closeContent(): void {
    if (this.#text) this.#close(this.#text.part)
    if (this.#refusal !== undefined) this.#close(this.#refusal)
    this.#text = undefined
    this.#refusal = undefined
  }

  #addContent(json: JsonValue): void {
    const part = parsePart(json)
    if (part.type === 'text') this.#addText(part.text)
    else if (part.type === 'refusal') this.#addRefusal(part.text)
    else if (part.type !== 'reasoning') this.#whole(part)
    else if (part.text !== '') this.#think(part.text)
  }

  #addText(text: string): void {
    if (text === '') return
    this.#delta(this.#textPart().part, text)
    this.#contentLength += text.length
  }

  #textPart(): OpenText {
    if (this.#text) return this.#text
    this.#closeReasoning()
    this.#closeContent()
    this.#text = { part: this.#start({ type: 'text', text: '' }), offset: this.#contentLength }
    return this.#text
  }

  #addRefusal(text: string): void {
    if (this.#refusal === undefined) {
      this.#closeReasoning()
      this.#closeContent()
      this.#refusal = this.#start({ type: 'refusal', text: '' })
    }
    this.#delta(this.#refusal, text)
  }

  #annotate(annotation: JsonValue): void {
    this.#hasAnnotations = true
    const { part, offset } = this.#textPart()
    this.#cite(part, shiftCitation(parseAnnotation(annotation), -offset))
  }

  #cite(index: number, citation: Citation): void {
    this.#events.push({ type: 'citation', choice: this.#choice, index, citation })
  }

  #addAudio(audio: JsonObject): void {
    if (this.#audio === undefined) {
      this.#closeReasoning()
      const data = { base64: '' }
      const part = this.#start({ type: 'media', media: 'audio', data })
      this.#audio = { part, transcript: '', isComplete: false }
    }
    const data = stringOf(audio, 'data')
    if (data) this.#delta(this.#audio.part, data)
    this.#audio.transcript += stringOf(audio, 'transcript') ?? ''
    if (typeof audio.expires_at === 'number') this.#audio.isComplete = true
  }

  #addCall(json: JsonValue, answerId: string | undefined): void {
    const fragment = asObject(json)
    const called = asObject(fragment?.function) ?? recordOf(fragment, 'custom')
    const isCall = called || fragment?.type === 'function' || fragment?.extra_content
    if (fragment === undefined || !isCall) {
      const name = `${CALL}${stringOf(fragment, 'type') ?? 'unknown'}`
      return this.#whole({ type: 'native', name, source: ownSource(json) })
    }
    const call = this.#callOf(fragment, answerId)
    const name = stringOf(called, 'name')
    if (name && call.name === '') call.name = name
    const signature = thoughtSignature(fragment)
    if (signature) this.#sign(call, signature)
    const text = call.isCustom
      ? (stringOf(called, 'input') ?? '')
      : argumentsOf(asObject(fragment.function) ?? {})
    if (call.part === undefined) {
      call.held += text
      if (call.name !== '') this.#startCall(call)
    } else if (text !== '') this.#delta(call.part, text)
  }

  /**
   * The call that a fragment belongs to. Hosts that send calls whole give no index (Mistral), or 0 to each;
   * some repeat an empty id.
   */
  #callOf(fragment: JsonObject, answerId: string | undefined): OpenCall {
    const index = typeof fragment.index === 'number' ? fragment.index : undefined
    const id = stringOf(fragment, 'id') || undefined
    const known = index === undefined ? this.#callById(id) : this.#callAt.get(index)
    if (known && (id === undefined || id === known.id || !namesTool(fragment))) return known
    const call: OpenCall = {
      id: id ?? madeCallId(answerId, this.#choice, this.#calls.length),
      name: '',
      isCustom: isRecord(fragment.custom),
      part: undefined,
      held: '',
      signature: undefined,
    }
    this.#calls.push(call)
    this.#callAt.set(index ?? this.#calls.length - 1, call)
    return call
  }

  /** Without an index and an id, a fragment goes on with the last call. */
  #callById(id: string | undefined): OpenCall | undefined {
    return id === undefined ? this.#calls.at(-1) : this.#calls.find((call) => call.id === id)
  }

  #startCall(call: OpenCall): void {
    if (call.part !== undefined) return
    this.#closeReasoning()
    this.#closeContent()
    const { id, name, held, isCustom, signature } = call
    call.part = this.#start({
      type: 'tool_call',
      id,
      name,
      arguments: held,
      ...(isCustom && { isCustom }),
      ...(signature !== undefined && { signature: { maker: 'google', value: signature } }),
    })
  }

  #sign(call: OpenCall, value: string): void {
    call.signature = value
    if (call.part === undefined) return
    const signature = { maker: 'google', value } as const
    this.#events.push({ type: 'signature', choice: this.#choice, index: call.part, signature })
  }

  /** A part that came whole. */
  #whole(part: Part): void {
    this.#closeReasoning()
    this.#closeContent()
    this.#close(this.#start(part))
  }

  #start(part: Part): number {
    const index = this.#parts++
    this.#open.add(index)
    this.#events.push({ type: 'part_start', choice: this.#choice, index, part })
    return index
  }

  #delta(index: number, text: string): void {
    this.#events.push({ type: 'delta', choice: this.#choice, index, text })
  }

  #tell(index: number, facts: PartFacts): void {
    this.#events.push({ type: 'part_facts', choice: this.#choice, index, facts })
  }

  #close(index: number): void {
    if (!this.#open.delete(index)) return
    this.#events.push({ type: 'part_end', choice: this.#choice, index })
  }
}

/** A sound can end with its expiry alone, as the official SDK knows (openai npm, ChatCompletionStream). */
const AUDIO_FINISH: Finish = { reason: 'stop', native: 'stop' }

function namesTool(fragment: JsonObject): boolean {
  return Boolean(stringOf(fragment.function, 'name') || stringOf(fragment.custom, 'name'))
}
