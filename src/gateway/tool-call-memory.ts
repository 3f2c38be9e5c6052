import type { Answer } from '../protocols/answer'
import type { Generation, Message, Part, Signature } from '../protocols/generation'
import type { StreamEvent } from '../protocols/stream-event'

/** What a provider wants back with a tool call, and the client's format has no place for. */
export type ToolCallState = { signature: Signature | undefined; reasoning: string | undefined }

const MAX_BYTES = 32 * 1024 * 1024
/** What an entry costs beside its text. */
const ENTRY_BYTES = 200

/**
 * Remembers, by the id of a tool call, the state that its provider demands in the next request: Gemini's
 * thought signatures, DeepSeek's reasoning. Clients that know nothing of it send back the id alone. Bounded:
 * the calls that were not heard of for longest go first.
 * https://ai.google.dev/gemini-api/docs/thought-signatures, https://api-docs.deepseek.com/guides/thinking_mode
 */
export class ToolCallMemory {
  readonly #states = new Map<string, ToolCallState>()
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number = MAX_BYTES) {
    this.#maxBytes = maxBytes
  }

  /** `undefined` for a call that was never seen, or long ago. */
  recall(id: string): ToolCallState | undefined {
    const state = this.#states.get(id)
    if (state === undefined) return undefined
    this.#states.delete(id)
    this.#states.set(id, state)
    return state
  }

  keep(id: string, state: ToolCallState): void {
    if (state.signature === undefined && !state.reasoning) return
    this.#forget(id)
    this.#states.set(id, state)
    this.#bytes += sizeOf(id, state)
    for (const oldest of this.#states.keys()) {
      if (this.#bytes <= this.#maxBytes) break
      this.#forget(oldest)
    }
  }

  /** Keeps what a whole answer says of its calls. */
  keepAnswer(answer: Answer): void {
    for (const { parts } of answer.choices) this.#keepParts(parts)
  }

  /** Gives back to the calls of a conversation what was kept of them. */
  restore(generation: Generation): Generation {
    return { ...generation, messages: generation.messages.map((turn) => this.#restoreTurn(turn)) }
  }

  #restoreTurn(message: Message): Message {
    if (message.role !== 'assistant') return message
    return { ...message, parts: message.parts.map((part) => this.#restorePart(part)) }
  }

  #restorePart(part: Part): Part {
    if (part.type !== 'tool_call' || part.signature !== undefined) return part
    const signature = this.recall(part.id)?.signature
    return signature === undefined ? part : { ...part, signature }
  }

  #keepParts(parts: readonly Part[]): void {
    let reasoning = ''
    for (const part of parts) if (part.type === 'reasoning') reasoning += part.text
    for (const part of parts)
      if (part.type === 'tool_call')
        this.keep(part.id, { signature: part.signature, reasoning: reasoning || undefined })
  }

  #forget(id: string): void {
    const state = this.#states.get(id)
    if (state === undefined) return
    this.#bytes -= sizeOf(id, state)
    this.#states.delete(id)
  }
}

/** Follows one streamed answer for the memory. */
export class ToolCallWatch {
  readonly #memory: ToolCallMemory
  readonly #calls = new Map<string, { id: string; choice: number; signature?: Signature }>()
  readonly #reasoning = new Map<number, string>()
  readonly #thinking = new Set<string>()

  constructor(memory: ToolCallMemory) {
    this.#memory = memory
  }

  see(events: readonly StreamEvent[]): void {
    for (const event of events) {
      if (event.type === 'part_start') this.#start(event)
      else if (event.type === 'delta') this.#grow(event.choice, event.index, event.text)
      else if (event.type === 'signature') {
        const call = this.#calls.get(`${event.choice} ${event.index}`)
        if (call) call.signature = event.signature
      } else if (event.type === 'finish') this.#keep(event.choice)
    }
  }

  #start({ choice, index, part }: Extract<StreamEvent, { type: 'part_start' }>): void {
    const at = `${choice} ${index}`
    if (part.type === 'tool_call')
      this.#calls.set(at, {
        id: part.id,
        choice,
        ...(part.signature && { signature: part.signature }),
      })
    if (part.type !== 'reasoning') return
    this.#thinking.add(at)
    this.#grow(choice, index, part.text)
  }

  #grow(choice: number, index: number, text: string): void {
    if (!this.#thinking.has(`${choice} ${index}`)) return
    this.#reasoning.set(choice, (this.#reasoning.get(choice) ?? '') + text)
  }

  #keep(choice: number): void {
    for (const call of this.#calls.values())
      if (call.choice === choice)
        this.#memory.keep(call.id, {
          signature: call.signature,
          reasoning: this.#reasoning.get(choice),
        })
  }
}

function sizeOf(id: string, { signature, reasoning }: ToolCallState): number {
  return ENTRY_BYTES + 2 * (id.length + (signature?.value.length ?? 0) + (reasoning?.length ?? 0))
}
