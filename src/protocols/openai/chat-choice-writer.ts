import type { AnswerContext } from '../chat-protocol'
import type {
  Citation,
  MediaPart,
  Part,
  ReasoningPart,
  Signature,
  ToolCallPart,
} from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import type { StreamEvent } from '../stream-event'
import type { Finish } from '../answer'
import {
  type AnswerHead,
  audioEnd,
  isLegacyRequest,
  isShuffled,
  renderAnnotation,
  renderImage,
  renderLogprobs,
  reportShownMedia,
} from './chat-answer-render'
import { isFinishBlurred, refusalOf, renderFinish } from './chat-finish'
import { renderCall, renderThoughtSignature } from './chat-messages-render'
import { renderEncrypted, renderText } from './chat-reasoning'

export type ChoiceEvent = Extract<StreamEvent, { choice: number }>

/** A part that is being written, and what its fragments need to say. */
type OpenPart =
  | { kind: 'text'; offset: number; length: number; citations: Citation[] }
  | { kind: 'refusal' }
  | { kind: 'reasoning'; detail: number; part: ReasoningPart; isTold: boolean; isRead: boolean }
  | { kind: 'call'; call: number; part: ToolCallPart; isTold: boolean }
  | { kind: 'audio'; part: MediaPart }
  | { kind: 'image'; part: MediaPart }
  | { kind: 'lost' }

/** Parts whose fragments are put one behind the other: of these, one is written at a time. */
type Lane = 'text' | 'refusal' | 'reasoning'

/**
 * Writes the events of one choice as the `choices` entries of frames. What the official SDK's stream helper
 * replaces in place of growing it (annotations, images) is written whole, and once unless more of it comes
 * after a call.
 */
export class ChoiceWriter {
  readonly #index: number
  readonly #losses: Losses
  readonly #parts = new Map<number, OpenPart>()
  /** The parts' types in the order of their starts. */
  readonly #order: Pick<Part, 'type'>[] = []
  readonly #lanes = new Map<Lane, { current: number; waiting: ChoiceEvent[] }>()
  readonly #annotations: JsonObject[] = []
  readonly #images: JsonObject[] = []
  readonly #isLegacy: boolean
  #hasRole = false
  #hasContent = false
  #hasRefusal = false
  #hasAudio = false
  #contentLength = 0
  #extrasTold = 0
  #details = 0
  #calls = 0
  #entries: JsonObject[] = []

  constructor(index: number, context: AnswerContext, losses: Losses) {
    this.#index = index
    this.#losses = losses
    this.#isLegacy = isLegacyRequest(context)
  }

  /** The entries that say what the event does; often none or one. */
  write(event: ChoiceEvent, head: AnswerHead): JsonObject[] {
    this.#entries = []
    if (event.type === 'part_start') this.#order.push({ type: event.part.type })
    if (event.type === 'finish') this.#finish(event.finish)
    else if (event.type === 'logprobs') this.#emit({}, { logprobs: renderLogprobs(event.tokens) })
    else this.#take(event, head)
    return this.#entries
  }

  /** Holds back what belongs behind a part of the same lane that is still open. */
  #take(event: Exclude<ChoiceEvent, { type: 'finish' | 'logprobs' }>, head: AnswerHead): void {
    const lane = event.type === 'part_start' ? laneOf(event.part.type) : this.#laneAt(event.index)
    if (lane === undefined) return this.#apply(event, head)
    const state = this.#lanes.get(lane)
    if (state && state.current !== event.index) {
      state.waiting.push(event)
      return
    }
    if (!state) this.#lanes.set(lane, { current: event.index, waiting: [] })
    this.#apply(event, head)
    if (event.type !== 'part_end') return
    this.#lanes.delete(lane)
    for (const held of state?.waiting ?? [])
      if (held.type !== 'finish' && held.type !== 'logprobs') this.#take(held, head)
  }

  #laneAt(index: number): Lane | undefined {
    for (const [lane, { current, waiting }] of this.#lanes)
      if (current === index || waiting.some((held) => 'index' in held && held.index === index))
        return lane
    return undefined
  }

  #apply(event: ChoiceEvent, head: AnswerHead): void {
    if (event.type === 'part_start') return this.#start(event.index, event.part, head)
    const open = 'index' in event ? this.#parts.get(event.index) : undefined
    if (open === undefined || !('index' in event)) return
    const path = this.#path(event.index)
    if (event.type === 'delta') this.#grow(open, event.text, head)
    else if (event.type === 'signature') this.#sign(open, event.signature, path)
    else if (event.type === 'citation' && open.kind === 'text') open.citations.push(event.citation)
    else if (event.type === 'part_facts') this.#learn(open, event.facts)
    else if (event.type === 'part_end') this.#close(open, path, head)
  }

  #path(index: number): string {
    return `choices.${this.#index}.message.content.${index}`
  }

  #start(index: number, part: Part, head: AnswerHead): void {
    const path = this.#path(index)
    const open = this.#open(part, path)
    this.#parts.set(index, open)
    if (open.kind === 'refusal' || open.kind === 'call') this.#tellExtras()
    if (open.kind === 'text' && part.type === 'text') this.#startText(open, part.text)
    else if (open.kind === 'refusal' && part.type === 'refusal') this.#refuse(part.text)
    else if (open.kind === 'reasoning') this.#startReasoning(open)
    else if (open.kind === 'call') this.#startCall(open, path)
    else if (open.kind === 'audio' && 'base64' in open.part.data)
      this.#grow(open, open.part.data.base64, head)
  }

  #open(part: Part, path: string): OpenPart {
    if (part.type === 'text') {
      if (part.signature) this.#losses.drop(`${path}.signature`)
      const citations = [...(part.citations ?? [])]
      return { kind: 'text', offset: this.#contentLength, length: 0, citations }
    }
    if (part.type === 'refusal') return { kind: 'refusal' }
    if (part.type === 'reasoning')
      return {
        kind: 'reasoning',
        detail: this.#details++,
        part: { ...part },
        isTold: false,
        isRead: false,
      }
    if (part.type === 'tool_call') return this.#openCall(part)
    if (part.type === 'media' && part.media === 'image') return { kind: 'image', part: { ...part } }
    const isAudio = part.type === 'media' && part.media === 'audio' && 'base64' in part.data
    if (!isAudio || this.#hasAudio) {
      this.#losses.drop(path)
      return { kind: 'lost' }
    }
    this.#hasAudio = true
    return { kind: 'audio', part: { ...part } }
  }

  #openCall(part: ToolCallPart): OpenPart {
    // The older spelling has room for one.
    if (this.#isLegacy && this.#calls > 0) {
      this.#losses.drop(`choices.${this.#index}.message.tool_calls`)
      return { kind: 'lost' }
    }
    return { kind: 'call', call: this.#calls++, part: { ...part }, isTold: part.arguments !== '' }
  }

  #startText(open: Extract<OpenPart, { kind: 'text' }>, text: string): void {
    // An empty one tells that there is content, which else is null.
    if (text !== '' || !this.#hasContent) this.#say(open, text)
  }

  #say(open: Extract<OpenPart, { kind: 'text' }>, text: string): void {
    this.#hasContent = true
    this.#contentLength += text.length
    open.length += text.length
    this.#emit({ content: text })
  }

  #refuse(text: string): void {
    this.#hasRefusal = true
    this.#emit({ refusal: text })
  }

  #startReasoning(open: Extract<OpenPart, { kind: 'reasoning' }>): void {
    const { part, detail } = open
    const { text, signature, id, encrypted } = part
    if (text !== '' || signature || (id !== undefined && !encrypted)) this.#think(open, part)
    if (encrypted) this.#tell(open, renderEncrypted(encrypted, id, detail))
  }

  /** A fragment, both as the one text of most hosts and as OpenRouter's detail, like the whole message. */
  #think(
    open: Extract<OpenPart, { kind: 'reasoning' }>,
    fragment: Pick<ReasoningPart, 'text' | 'isSummary' | 'signature' | 'id'>
  ): void {
    open.isTold = true
    open.isRead = true
    this.#emit({
      ...(fragment.text !== '' && { reasoning_content: fragment.text }),
      reasoning_details: [renderText(fragment, open.detail)],
    })
  }

  #tell(open: Extract<OpenPart, { kind: 'reasoning' }>, detail: JsonObject): void {
    open.isTold = true
    this.#emit({ reasoning_details: [detail] })
  }

  #startCall(open: Extract<OpenPart, { kind: 'call' }>, path: string): void {
    const { id, ...call } = renderCall(open.part, path, this.#losses)
    const given = open.part.arguments
    const { name, isCustom } = open.part
    if (this.#isLegacy) return this.#emit({ function_call: { name, arguments: given } })
    const named = isCustom
      ? { custom: { name, input: given } }
      : { function: { name, arguments: given } }
    this.#emit({ tool_calls: [{ index: open.call, id, type: 'function', ...call, ...named }] })
  }

  #grow(open: OpenPart, text: string, head: AnswerHead): void {
    if (text === '') return
    if (open.kind === 'text') this.#say(open, text)
    else if (open.kind === 'refusal') this.#refuse(text)
    else if (open.kind === 'reasoning') this.#think(open, { text, isSummary: open.part.isSummary })
    else if (open.kind === 'call') this.#growCall(open, text)
    else if (open.kind === 'audio')
      this.#emit({ audio: { id: audioEnd(undefined, head).id, data: text } })
    else if (open.kind === 'image' && 'base64' in open.part.data)
      open.part.data = { base64: open.part.data.base64 + text }
  }

  #growCall(open: Extract<OpenPart, { kind: 'call' }>, text: string): void {
    open.isTold = true
    if (this.#isLegacy) return this.#emit({ function_call: { arguments: text } })
    const grown = open.part.isCustom
      ? { custom: { input: text } }
      : { function: { arguments: text } }
    this.#emit({ tool_calls: [{ index: open.call, ...grown }] })
  }

  #sign(open: OpenPart, signature: Signature, path: string): void {
    if (open.kind === 'reasoning') {
      const { isSummary } = open.part
      this.#think(open, { text: '', isSummary, signature })
    } else if (open.kind === 'call' && signature.maker === 'google' && !this.#isLegacy)
      this.#emit({ tool_calls: [{ index: open.call, ...renderThoughtSignature(signature.value) }] })
    else if (open.kind === 'audio' || open.kind === 'image') open.part.signature = signature
    else if (open.kind !== 'lost') this.#losses.drop(`${path}.signature`)
  }

  #learn(open: OpenPart, facts: Extract<StreamEvent, { type: 'part_facts' }>['facts']): void {
    if (open.kind === 'audio' || open.kind === 'image') {
      const { transcript, mimeType } = facts
      if (transcript !== undefined) open.part.transcript = transcript
      if (mimeType !== undefined) open.part.mimeType = mimeType
    }
    if (open.kind !== 'reasoning') return
    const { id, encrypted, isSummary } = facts
    if (isSummary !== undefined) open.part.isSummary = isSummary
    if (id !== undefined) open.part.id = id
    if (encrypted) this.#tell(open, renderEncrypted(encrypted, open.part.id, open.detail))
    else if (id !== undefined) this.#think(open, { text: '', isSummary: open.part.isSummary, id })
  }

  #close(open: OpenPart, path: string, head: AnswerHead): void {
    if (open.kind === 'text') {
      for (const citation of open.citations) {
        const { offset, length } = open
        const annotation = renderAnnotation(citation, offset, length, path, this.#losses)
        if (annotation) this.#annotations.push(annotation)
      }
    } else if (open.kind === 'reasoning') {
      // Even empty it stands there: a provider may want it back.
      if (!open.isTold || (open.part.isSummary && !open.isRead))
        this.#think(open, { text: '', isSummary: open.part.isSummary })
    } else if (open.kind === 'call') {
      if (!open.isTold && !open.part.isCustom) this.#growCall(open, '{}')
    } else if (open.kind === 'audio') {
      this.#emit({ audio: audioEnd(open.part.transcript, head) })
      reportShownMedia(open.part, path, this.#losses)
    } else if (open.kind === 'image') {
      const image = renderImage(open.part)
      if (!image) return this.#losses.drop(path)
      this.#images.push(image)
      reportShownMedia(open.part, path, this.#losses)
    }
  }

  #finish(finish: Finish): void {
    const path = `choices.${this.#index}`
    this.#tellExtras()
    const refusal = this.#hasRefusal ? undefined : refusalOf(finish)
    if (refusal !== undefined) this.#refuse(refusal)
    if (isShuffled(this.#order)) this.#losses.rewrite(`${path}.message.content`)
    if (isFinishBlurred(finish) || finish.detail !== undefined)
      this.#losses.rewrite(`${path}.finish_reason`)
    if (!this.#hasRole) this.#emit({ content: '' })
    const isLegacy = this.#isLegacy && this.#calls > 0
    this.#emit({}, renderFinish(finish, isLegacy))
  }

  /** Annotations and images so far, where some are new: before what a reader takes for the content's end. */
  #tellExtras(): void {
    const count = this.#annotations.length + this.#images.length
    if (count === this.#extrasTold) return
    this.#extrasTold = count
    this.#emit({
      ...(this.#annotations.length > 0 && { annotations: this.#annotations }),
      ...(this.#images.length > 0 && { images: this.#images }),
    })
  }

  #emit(delta: JsonObject, members: JsonObject = {}): void {
    // The first fragment tells the role; without content, that there is none.
    const role = this.#hasRole ? {} : { role: 'assistant', content: null, refusal: null }
    this.#hasRole = true
    this.#entries.push({
      index: this.#index,
      delta: { ...role, ...delta },
      logprobs: null,
      finish_reason: null,
      ...members,
    })
  }
}

function laneOf(type: Part['type']): Lane | undefined {
  return type === 'text' || type === 'refusal' || type === 'reasoning' ? type : undefined
}
