import type { Framer } from '../protocol'
import type { SseFrame } from '../../std/sse'

const LF = 0x0a
const EMPTY = new Uint8Array(0)

/** Cuts a stream into its lines, each of them one JSON value; blank lines mean nothing. https://github.com/ndjson/ndjson-spec */
export class NdjsonFramer implements Framer {
  readonly #decoder = new TextDecoder('utf-8')
  #held: Uint8Array[] = []
  #heldBytes = 0

  get pendingBytes(): number {
    return this.#heldBytes
  }

  push(chunk: Uint8Array): SseFrame[] {
    const frames: SseFrame[] = []
    let from = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
      frames.push(this.#toFrame(this.#take(chunk.subarray(from, end + 1))))
      from = end + 1
    }
    if (from < chunk.length) {
      // What is kept must outlive the chunk's own memory.
      this.#held.push(chunk.slice(from))
      this.#heldBytes += chunk.length - from
    }
    return frames
  }

  rest(): SseFrame | undefined {
    if (this.#heldBytes === 0) return undefined
    return this.#toFrame(this.#take(EMPTY))
  }

  #take(last: Uint8Array): Uint8Array {
    if (this.#heldBytes === 0) return last
    const line = Buffer.concat([...this.#held, last])
    this.#held = []
    this.#heldBytes = 0
    return line
  }

  #toFrame(bytes: Uint8Array): SseFrame {
    const line = this.#decoder.decode(bytes).trim()
    return { bytes, data: line === '' ? undefined : line, event: undefined }
  }
}
