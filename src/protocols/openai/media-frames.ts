import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord, stringOf } from '../../std/record'
import type { AnswerFacts, FrameMeaning, FrameReader } from '../protocol'
import type { Usage } from '../usage'
import { toErrorInAnswer } from './errors'

/** What tells the last event of a stream: its type ends so. */
const ENDS = ['.done', '.completed']

/**
 * Reads the events of images, speech and transcripts that are streamed: each says its type, the last ones say what was
 * used. https://platform.openai.com/docs/api-reference/images-streaming,
 * https://platform.openai.com/docs/api-reference/audio/speech-audio-delta-event,
 * https://platform.openai.com/docs/api-reference/audio/transcript-text-delta-event
 */
export class MediaFrameReader implements FrameReader {
  readonly #toUsage: (
    event: Record<string, unknown>,
    before: Usage | undefined
  ) => Usage | undefined
  #usage: Usage | undefined
  #isComplete = false

  /** `toUsage` reads an event that ends something, and adds to what ended `before`. */
  constructor(
    toUsage: (event: Record<string, unknown>, before: Usage | undefined) => Usage | undefined
  ) {
    this.#toUsage = toUsage
  }

  read(data: string | undefined): FrameMeaning {
    if (data === undefined) return 'comment'
    if (data === '[DONE]') return 'done'
    const event = parseEvent(data)
    const type = stringOf(event, 'type') ?? ''
    if (event.error || type === 'error') throw toErrorInAnswer(event, data)
    if (ENDS.some((end) => type.endsWith(end))) {
      this.#isComplete = true
      this.#usage = this.#toUsage(event, this.#usage)
    }
    return 'content'
  }

  isComplete(): boolean {
    return this.#isComplete
  }

  facts(): AnswerFacts {
    return { usage: this.#usage, finishReasons: [] }
  }
}

function parseEvent(data: string): Record<string, unknown> {
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
