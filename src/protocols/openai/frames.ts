import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord, recordOf, stringOf } from '../../std/record'
import type { Envelope } from '../envelope'
import type { AnswerFacts, FrameMeaning, FrameReader, RequestChanges } from '../protocol'
import { SaidText } from '../said-text'
import { type Usage, withTier } from '../usage'
import { toErrorInAnswer } from './errors'
import { toUsage } from './usage'

/**
 * Reads the frames of a streamed chat completion or completion.
 * https://platform.openai.com/docs/api-reference/chat-streaming
 */
export class CompletionFrameReader implements FrameReader {
  readonly #choices: number
  readonly #withholdUsage: boolean
  readonly #finishReasons: string[] = []
  #finished = 0
  #seen = 0
  #done = false
  #usage: Usage | undefined
  #serviceTier: string | undefined
  readonly #said = new SaidText()

  constructor(envelope: Envelope, changes: RequestChanges) {
    this.#choices = envelope.choices
    this.#withholdUsage = changes.askForUsage
  }

  read(data: string | undefined): FrameMeaning {
    if (data === undefined) return 'comment'
    if (data === '[DONE]') {
      if (this.#seen === 0)
        throw new GatewayError(
          'upstream_malformed',
          'the provider ended its stream without an answer'
        )
      this.#done = true
      return 'done'
    }
    const chunk = parseChunk(data)
    if (chunk.error) throw toErrorInAnswer(chunk, data)
    const usage = toUsage(chunk.usage)
    if (usage) this.#usage = usage
    this.#serviceTier ??= stringOf(chunk, 'service_tier')
    const { choices } = chunk
    // vLLM sends `choices: null` in its usage frame.
    if (!Array.isArray(choices) || choices.length === 0)
      return usage && this.#withholdUsage ? 'withheld' : 'preamble'
    let meaning: FrameMeaning = 'preamble'
    for (const choice of choices) if (this.#readChoice(choice)) meaning = 'content'
    return meaning
  }

  isComplete(): boolean {
    return this.#done || (this.#seen >= this.#choices && this.#finished >= this.#seen)
  }

  facts(): AnswerFacts {
    // A choice that has not finished leaves a hole behind it.
    const finishReasons = Array.from(this.#finishReasons, (reason) => reason ?? 'unknown')
    return { usage: withTier(this.#usage, this.#serviceTier), finishReasons, said: this.#said }
  }

  #hear({ delta, text }: Record<string, unknown>): void {
    const said = this.#said
    said.add(text)
    if (!isRecord(delta)) return
    said.add(delta.content)
    said.add(delta.reasoning_content ?? delta.reasoning)
    said.add(delta.refusal)
    if (!Array.isArray(delta.tool_calls)) return
    for (const call of delta.tool_calls) {
      const called = recordOf(call, 'function')
      said.add(called?.name)
      said.add(called?.arguments)
    }
  }

  /** Notes what a choice says of itself; true when it holds content or a finish reason. */
  #readChoice(choice: unknown): boolean {
    if (!isRecord(choice)) return false
    this.#hear(choice)
    const index = typeof choice.index === 'number' ? choice.index : 0
    if (index >= this.#seen && index < MAX_CHOICES) this.#seen = index + 1
    // Some hosts say '' in place of null until there is a reason.
    const reason = stringOf(choice, 'finish_reason') || undefined
    if (reason !== undefined && index < MAX_CHOICES) {
      if (this.#finishReasons[index] === undefined) this.#finished++
      this.#finishReasons[index] = reason
    }
    return reason !== undefined || hasContent(choice.delta) || isSubstance(choice.text)
  }
}

/** More than any host gives; bounds what a broken upstream can make us hold. */
const MAX_CHOICES = 1024

function parseChunk(data: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    value = undefined
  }
  if (isRecord(value)) return value
  throw new GatewayError(
    'upstream_malformed',
    `the provider sent a frame that is not JSON: ${excerpt(data, 120)}`
  )
}

/** Everything in a delta but its role is content: text, refusals, tool calls, and what is yet to come. */
function hasContent(delta: unknown): boolean {
  if (!isRecord(delta)) return false
  for (const name in delta) if (name !== 'role' && isSubstance(delta[name])) return true
  return false
}

function isSubstance(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false
  return !Array.isArray(value) || value.length > 0
}
