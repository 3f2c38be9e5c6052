import type { AnswerContext, FrameWriter } from '../chat-protocol'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { mergeUsage, type Usage } from '../usage'
import { answerHead, renderUsage } from './chat-answer-render'
import { ChoiceWriter } from './chat-choice-writer'

const encoder = new TextEncoder()
const NOTHING = new Uint8Array(0)

/**
 * Writes neutral events as the frames of a streamed chat completion, such that the official SDK's stream
 * helper comes to what `renderChatAnswer` writes of the same answer. Usage is told only where the client
 * asked for it, and where it is known. https://platform.openai.com/docs/api-reference/chat-streaming
 */
export class ChatFrameWriter implements FrameWriter {
  readonly #context: AnswerContext
  readonly #losses: Losses
  readonly #choices = new Map<number, ChoiceWriter>()
  #head
  #usage: Usage | undefined

  constructor(context: AnswerContext, losses: Losses) {
    this.#context = context
    this.#losses = losses
    this.#head = answerHead({}, context)
  }

  write(events: readonly StreamEvent[]): Uint8Array {
    let frames = ''
    for (const event of events) {
      if (event.type === 'start') this.#head = answerHead(event, this.#context)
      else if (event.type === 'usage') this.#usage = mergeUsage(this.#usage, event.usage)
      else if (event.type === 'end') frames += this.#end()
      else
        for (const entry of this.#choice(event.choice).write(event, this.#head))
          frames += this.#frame([entry], null)
    }
    return frames === '' ? NOTHING : encoder.encode(frames)
  }

  #choice(index: number): ChoiceWriter {
    const known = this.#choices.get(index)
    if (known) return known
    const opened = new ChoiceWriter(index, this.#context, this.#losses)
    this.#choices.set(index, opened)
    return opened
  }

  #end(): string {
    const asked = this.#context.request.includesUsage && this.#usage
    const usage = asked ? this.#frame([], renderUsage(asked, this.#losses)) : ''
    return `${usage}data: [DONE]\n\n`
  }

  #frame(choices: JsonObject[], usage: JsonObject | null): string {
    const { id, created, model, serviceTier } = this.#head
    const chunk = {
      id,
      object: 'chat.completion.chunk',
      created,
      model,
      ...(serviceTier !== undefined && { service_tier: serviceTier }),
      choices,
      ...(this.#context.request.includesUsage && { usage }),
    }
    return `data: ${JSON.stringify(chunk)}\n\n`
  }
}
