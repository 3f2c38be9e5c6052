import type { AnswerFacts, FrameMeaning, FrameReader, Reframer } from '../protocols/protocol'

const encoder = new TextEncoder()

/** Follows the frames of an upstream and puts their data, as it came, into the client's framing. */
export class ReframingReader implements FrameReader {
  readonly #frames: FrameReader
  readonly #reframer: Reframer
  readonly #written: Uint8Array[] = []

  constructor(frames: FrameReader, reframer: Reframer) {
    this.#frames = frames
    this.#reframer = reframer
  }

  read(data: string | undefined, event: string | undefined): FrameMeaning {
    const meaning = this.#frames.read(data, event)
    if (data !== undefined && meaning !== 'withheld')
      this.#written.push(this.#reframer.frame({ bytes: encoder.encode(data), data, event }))
    return meaning
  }

  isComplete(): boolean {
    return this.#frames.isComplete()
  }

  facts(): AnswerFacts {
    return this.#frames.facts()
  }

  output(): Uint8Array {
    return Buffer.concat(this.#written.splice(0))
  }

  finish(): Uint8Array {
    return this.#frames.isComplete() ? this.#reframer.end() : new Uint8Array(0)
  }
}
