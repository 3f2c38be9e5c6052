import { Losses } from '../protocols/losses'
import type { AnswerFacts, Conversion, FrameReader } from '../protocols/protocol'
import type { Continuity } from './continuity'

/** One call that is told to its upstream in another format than the client's. `Translation` is that of a chat. */
export type ToldCall = {
  /** What could not be said, on either way. */
  readonly losses: Losses
  renderRequest(): Uint8Array
  /** A whole answer in the client's format. Throws `upstream_malformed`. */
  renderAnswer(body: Uint8Array): { body: Uint8Array; facts: AnswerFacts }
  createFrameReader(continuity?: Continuity | undefined): FrameReader
}

/** A call of what is no chat. */
export class ConvertedCall implements ToldCall {
  readonly losses = new Losses()
  readonly #conversion: Conversion
  readonly #model: string

  constructor(conversion: Conversion, model: string) {
    this.#conversion = conversion
    this.#model = model
  }

  renderRequest(): Uint8Array {
    return this.#conversion.renderRequest(this.#model, this.losses)
  }

  renderAnswer(body: Uint8Array): { body: Uint8Array; facts: AnswerFacts } {
    return this.#conversion.renderAnswer(body, this.losses)
  }

  /** `chooseWire` sees to it that no stream is converted. */
  createFrameReader(): FrameReader {
    throw new Error('what is no chat is not streamed in another format')
  }
}
