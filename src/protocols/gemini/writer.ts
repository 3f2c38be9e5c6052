import type { AnswerContext, FrameWriter } from '../chat-protocol'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { mergeUsage, type Usage } from '../usage'
import { answerHead, reportHead } from './answer-render'
import { CandidateWriter } from './candidate-writer'
import type { Framing } from './framing'
import { renderUsage } from './usage'

const encoder = new TextEncoder()
const NOTHING = new Uint8Array(0)

/**
 * Writes neutral events as the chunks of streamGenerateContent, in either framing. The last chunk holds each candidate's
 * finish reason and the usage, as Google's does.
 * https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
export class GeminiFrameWriter implements FrameWriter {
  readonly #context: AnswerContext
  readonly #losses: Losses
  readonly #framing: Framing
  readonly #candidates = new Map<number, CandidateWriter>()
  #head: JsonObject
  #usage: Usage | undefined

  constructor(context: AnswerContext, losses: Losses, framing: Framing) {
    this.#context = context
    this.#losses = losses
    this.#framing = framing
    this.#head = answerHead({}, context)
  }

  write(events: readonly StreamEvent[]): Uint8Array {
    let frames = ''
    for (const event of events) {
      if (event.type === 'start') {
        this.#head = answerHead(event, this.#context)
        reportHead(event, this.#losses)
      } else if (event.type === 'usage') this.#usage = mergeUsage(this.#usage, event.usage)
      else if (event.type === 'end') frames += this.#end()
      else
        for (const candidate of this.#candidate(event.choice).write(event))
          frames += this.#chunk([candidate], undefined)
    }
    return frames === '' ? NOTHING : encoder.encode(frames)
  }

  #candidate(index: number): CandidateWriter {
    const known = this.#candidates.get(index)
    if (known) return known
    const opened = new CandidateWriter(index, this.#losses)
    this.#candidates.set(index, opened)
    return opened
  }

  #end(): string {
    const candidates = [...this.#candidates]
      .sort(([a], [b]) => a - b)
      .map(([, candidate]) => candidate.end())
    const usage = this.#usage && renderUsage(this.#usage, this.#losses)
    return this.#chunk(candidates, usage) + this.#framing.end()
  }

  #chunk(candidates: JsonObject[], usageMetadata: JsonObject | undefined): string {
    const chunk = { candidates, ...(usageMetadata && { usageMetadata }), ...this.#head }
    return this.#framing.chunk(JSON.stringify(chunk))
  }
}
