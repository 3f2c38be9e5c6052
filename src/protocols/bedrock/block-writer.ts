import type { Citation, NativePart, Part, ReasoningPart, Signature } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { asList, asObject, ownObject } from './converse-json'
import { renderAnsweredMedia, renderAnsweredReasoning, renderCitation } from './render-parts'

/** An event of one part. */
export type ChoiceEvent = Extract<StreamEvent, { choice: number; index: number }>

/**
 * Writes one part after another as the events of their blocks, numbered as they come. A block begins with the first
 * thing to say in it, so that a part without anything leaves none.
 */
export class BlockWriter {
  readonly #emit: (type: string, json: JsonObject) => void
  readonly #losses: Losses
  /** The part that is written, as far as it has come. */
  #part: Part | undefined
  #path = ''
  #isOpen = false
  #block = 0

  /** `emit` takes the type and the members of each event. */
  constructor(emit: (type: string, json: JsonObject) => void, losses: Losses) {
    this.#emit = emit
    this.#losses = losses
  }

  /** Takes the events of one part, from its start to its end, before those of the next. */
  write(event: ChoiceEvent): void {
    if (event.type === 'part_start') this.#start(event.index, event.part)
    else if (event.type === 'delta') this.#append(event.text)
    else if (event.type === 'signature') this.#sign(event.signature)
    else if (event.type === 'citation') this.#cite(event.citation)
    else if (event.type === 'part_facts') this.#part = grown(this.#part, event.facts)
    else this.#finish()
  }

  #start(index: number, part: Part): void {
    this.#part = withoutText(part)
    this.#path = `content.${index}`
    if (part.type === 'text') {
      for (const citation of part.citations ?? []) this.#cite(citation)
      if (part.signature) this.#sign(part.signature)
    }
    if (part.type === 'tool_call') this.#append(part.arguments)
    else if (part.type === 'media' && 'base64' in part.data) this.#append(part.data.base64)
    else if ('text' in part) this.#append(part.text)
    if (part.type === 'reasoning' && part.signature) this.#sign(part.signature)
    if (part.type === 'tool_call' && part.signature) this.#sign(part.signature)
  }

  #append(text: string): void {
    const part = this.#part
    if (part === undefined || text === '') return
    if (part.type === 'text' || part.type === 'refusal') this.#delta({ text })
    else if (part.type === 'reasoning') {
      part.text += text
      this.#delta({ reasoningContent: { text } })
    } else if (part.type === 'tool_call') {
      part.arguments += text
      // Text of a custom tool becomes a member of an object, which is known when all of it is.
      if (!part.isCustom) this.#callDelta(text)
    } else if (part.type === 'media' && 'base64' in part.data)
      part.data = { base64: part.data.base64 + text }
  }

  #callDelta(input: string): void {
    const part = this.#part
    if (part?.type !== 'tool_call') return
    if (!this.#isOpen) this.#open({ toolUse: { toolUseId: part.id, name: part.name } })
    this.#delta({ toolUse: { input } })
  }

  #sign(signature: Signature): void {
    const part = this.#part
    if (part?.type !== 'reasoning') return this.#losses.drop(`${this.#path}.signature`)
    part.signature = signature
    if (signature.maker === 'anthropic')
      this.#delta({ reasoningContent: { signature: signature.value } })
  }

  #cite(citation: Citation): void {
    if (this.#part?.type === 'text')
      this.#delta({ citation: renderCitation(citation, this.#path, this.#losses) })
  }

  /** What could only be said when all of the part was known. */
  #finish(): void {
    const part = this.#part
    this.#part = undefined
    if (part === undefined) return
    if (part.type === 'tool_call') this.#finishCall(part)
    else if (part.type === 'reasoning') this.#finishReasoning(part)
    else if (part.type === 'refusal') this.#losses.rewrite(this.#path)
    else if (part.type === 'native') this.#writeNative(part)
    else if (part.type === 'tool_result') this.#losses.drop(this.#path)
    else if (part.type === 'media')
      for (const block of renderAnsweredMedia(part, this.#path, this.#losses)) {
        const image = asObject(block.image)
        this.#open({ image: { format: image?.format } })
        this.#delta({ image: { source: image?.source } })
      }
    this.#close()
  }

  #finishCall(part: Extract<Part, { type: 'tool_call' }>): void {
    this.#part = part
    if (part.isCustom) {
      this.#losses.rewrite(this.#path)
      this.#callDelta(JSON.stringify({ input: part.arguments }))
    } else if (part.arguments === '') this.#callDelta('{}')
    this.#part = undefined
  }

  #finishReasoning(part: ReasoningPart): void {
    const blocks = renderAnsweredReasoning(part, this.#path, this.#losses)
    const redacted = asObject(blocks.at(-1)?.reasoningContent)?.redactedContent
    if (redacted === undefined) return
    this.#close()
    this.#delta({ reasoningContent: { redactedContent: redacted } })
  }

  /** What a tool of Bedrock's own was asked or said; nothing else of its own can stand in a stream. */
  #writeNative(part: NativePart): void {
    const own = ownObject(part.source)
    const call = asObject(own?.toolUse)
    const result = asObject(own?.toolResult)
    if (call) {
      const { input, ...start } = call
      this.#open({ toolUse: start })
      this.#delta({ toolUse: { input: JSON.stringify(input ?? {}) } })
    } else if (result) {
      const { content, ...start } = result
      this.#open({ toolResult: start })
      this.#delta({ toolResult: asList(content) })
    } else this.#losses.drop(this.#path)
  }

  #open(start: JsonObject): void {
    this.#isOpen = true
    this.#emit('contentBlockStart', { start, contentBlockIndex: this.#block })
  }

  #delta(delta: { [name: string]: JsonValue }): void {
    this.#isOpen = true
    this.#emit('contentBlockDelta', { delta, contentBlockIndex: this.#block })
  }

  #close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#emit('contentBlockStop', { contentBlockIndex: this.#block })
    this.#block++
  }
}

/** The part as it is before anything of it was written. */
function withoutText(part: Part): Part {
  if (part.type === 'tool_call') return { ...part, arguments: '' }
  if (part.type === 'media' && 'base64' in part.data) return { ...part, data: { base64: '' } }
  if (part.type === 'text' || part.type === 'reasoning' || part.type === 'refusal')
    return { ...part, text: '' }
  return { ...part }
}

function grown<P extends Part>(part: P | undefined, facts: object): P | undefined {
  return part && Object.assign(part, facts)
}
