import { stringOf } from '../../std/record'
import type { Finish } from '../answer'
import type { Part } from '../generation'
import type { JsonObject } from '../json'
import type { StreamEvent } from '../stream-event'
import { madeCallId, saysNothing } from './answer-parse'
import { parseGroundings, placeCitation } from './citations'
import { parseFinish } from './finish'
import { parseLogprobs } from './logprobs'
import { asList, asObject, parseSignature } from './members'
import { ArgumentAssembler } from './partial-args'
import { parsePart } from './parts'

/** The part that is being read; texts and calls come in pieces. */
type OpenPart =
  | { kind: 'text' | 'reasoning'; index: number; text: string; isSigned: boolean }
  | { kind: 'call'; index: number; name: string; args: ArgumentAssembler }

/**
 * Reads one candidate of a stream into the events of one choice: neighbouring texts of one kind are one part, a
 * signature ends it, and the pieces of a call are put together.
 */
export class CandidateReader {
  readonly #choice: number
  readonly #cited = new Set<string>()
  #events: StreamEvent[] = []
  #parts = 0
  #open: OpenPart | undefined
  #hasCalls = false
  #finish: { reason: string; message: string | undefined } | undefined

  constructor(choice: number) {
    this.#choice = choice
  }

  /** The events of a frame's candidate. Throws `upstream_refused` for one that failed. */
  read(candidate: JsonObject, answerId: string | undefined): StreamEvent[] {
    this.#events = []
    for (const json of asList(asObject(candidate.content)?.parts)) {
      const part = asObject(json)
      if (part && !saysNothing(part)) this.#readPart(part, answerId)
    }
    const tokens = parseLogprobs(candidate)
    if (tokens.length > 0) this.#events.push({ type: 'logprobs', choice: this.#choice, tokens })
    this.#cite(candidate)
    const reason = stringOf(candidate, 'finishReason')
    if (reason) {
      this.#finish = { reason, message: stringOf(candidate, 'finishMessage') }
      this.#toFinish(this.#finish)
    }
    return this.#events
  }

  /** The last events; without a finish, when none came. */
  end(): StreamEvent[] {
    this.#events = []
    this.#close()
    if (this.#finish) {
      const finish = this.#toFinish(this.#finish)
      this.#events.push({ type: 'finish', choice: this.#choice, finish })
    }
    return this.#events
  }

  #toFinish({ reason, message }: { reason: string; message: string | undefined }): Finish {
    return parseFinish(reason, message, this.#hasCalls)
  }

  #readPart(part: JsonObject, answerId: string | undefined): void {
    const call = asObject(part.functionCall)
    if (call) return this.#readCall(part, call, answerId)
    if (typeof part.text === 'string') return this.#readText(part, part.text)
    this.#close()
    this.#emitWhole(parsePart(part, () => ''))
  }

  #readText(part: JsonObject, text: string): void {
    const kind = part.thought === true ? 'reasoning' : 'text'
    const signature = parseSignature(part)
    const open = this.#open
    if (open?.kind !== kind || open.isSigned) {
      this.#close()
      const index = this.#start({ type: kind, text, ...(signature && { signature }) })
      this.#open = { kind, index, text, isSigned: signature !== undefined }
      return
    }
    open.text += text
    const at = { choice: this.#choice, index: open.index }
    if (text !== '') this.#events.push({ type: 'delta', ...at, text })
    if (signature) this.#events.push({ type: 'signature', ...at, signature })
    open.isSigned = signature !== undefined
  }

  #readCall(part: JsonObject, call: JsonObject, answerId: string | undefined): void {
    const name = stringOf(call, 'name')
    const open = this.#open?.kind === 'call' ? this.#open : undefined
    const isMore = open && (!name || (name === open.name && call.partialArgs !== undefined))
    if (isMore) return this.#growCall(open, part, call)
    // The end of a call that was ended already.
    if (!name) return
    this.#close()
    this.#hasCalls = true
    const makeId = () => madeCallId(answerId, this.#choice, this.#parts, part)
    const parsed = parsePart(part, makeId)
    if (call.willContinue !== true && call.partialArgs === undefined) return this.#emitWhole(parsed)
    const { source: _, ...started } = parsed
    const index = this.#start(started.type === 'tool_call' ? { ...started, arguments: '' } : parsed)
    const args = new ArgumentAssembler(asObject(call.args))
    this.#open = { kind: 'call', index, name, args }
    args.add(call.partialArgs)
    if (call.willContinue !== true) this.#close()
  }

  #growCall(open: Extract<OpenPart, { kind: 'call' }>, part: JsonObject, call: JsonObject): void {
    open.args.add(call.partialArgs)
    const signature = parseSignature(part)
    if (signature)
      this.#events.push({ type: 'signature', choice: this.#choice, index: open.index, signature })
    if (call.willContinue !== true) this.#close()
  }

  #start(part: Part): number {
    const index = this.#parts++
    this.#events.push({ type: 'part_start', choice: this.#choice, index, part })
    return index
  }

  #emitWhole(part: Part): void {
    const index = this.#start(part)
    this.#events.push({ type: 'part_end', choice: this.#choice, index })
  }

  #close(): void {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    const at = { choice: this.#choice, index: open.index }
    if (open.kind === 'call') this.#events.push({ type: 'delta', ...at, text: open.args.toJson() })
    this.#events.push({ type: 'part_end', ...at })
  }

  /** Sources come with the text or behind it, and some of them again and again. */
  #cite(candidate: JsonObject): void {
    const fresh: string[] = []
    for (const grounding of parseGroundings(candidate)) {
      const { citation, startByte, endByte } = grounding
      const key = JSON.stringify([citation.url, citation.title, startByte, endByte])
      const known = citation.citedText === undefined ? key : key + citation.citedText
      if (this.#cited.has(known)) continue
      fresh.push(known)
      if (this.#open?.kind !== 'text') {
        this.#close()
        const index = this.#start({ type: 'text', text: '' })
        this.#open = { kind: 'text', index, text: '', isSigned: false }
      }
      const { index, text } = this.#open
      const placed = placeCitation(grounding, text)
      this.#events.push({ type: 'citation', choice: this.#choice, index, citation: placed })
    }
    for (const known of fresh) this.#cited.add(known)
  }
}
