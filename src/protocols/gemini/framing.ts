import type { SseFrame } from '../../std/sse'
import type { Reframer } from '../protocol'

/** Puts the chunks of a stream, as JSON, one behind the other. */
export type Framing = {
  chunk(json: string): string
  /** What stands behind the last one. */
  end(): string
}

/** Server-sent events (`alt=sse`). There is no end mark. */
export class SseFraming implements Framing {
  chunk(json: string): string {
    return `data: ${json}\n\n`
  }

  end(): string {
    return ''
  }
}

/** One JSON list, as streamGenerateContent answers without `alt=sse`. */
export class ArrayFraming implements Framing {
  #hasChunk = false

  chunk(json: string): string {
    const lead = this.#hasChunk ? ',\n' : '['
    this.#hasChunk = true
    return lead + json
  }

  end(): string {
    return this.#hasChunk ? '\n]\n' : '[]\n'
  }
}

const encoder = new TextEncoder()

/** Puts the frames of an event stream into one JSON list, their data as it is. */
export class ArrayReframer implements Reframer {
  readonly #framing = new ArrayFraming()

  frame(frame: SseFrame): Uint8Array {
    return encoder.encode(frame.data === undefined ? '' : this.#framing.chunk(frame.data))
  }

  end(): Uint8Array {
    return encoder.encode(this.#framing.end())
  }
}
