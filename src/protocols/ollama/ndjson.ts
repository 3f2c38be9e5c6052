import type { Framer } from '../protocol'
import type { SseFrame } from '../../std/sse'

const LF = 0x0a
const EMPTY = new Uint8Array(0)

/** Cuts a stream into its lines, each of them one JSON value; blank lines mean nothing. https://github.com/ndjson/ndjson-spec */
export class NdjsonFramer implements Framer {
  readonly #decoder = new TextDecoder('utf-8')
  /** Bytes of the line that is not whole yet; the first `#held` count. It doubles, so that a slow drip is cheap. */
  #buffer: Uint8Array = EMPTY
  #held = 0

  get pendingBytes(): number {
    return this.#held
  }

  push(chunk: Uint8Array): SseFrame[] {
    const frames: SseFrame[] = []
    let from = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
      frames.push(this.#toFrame(this.#take(chunk.subarray(from, end + 1))))
      from = end + 1
    }
    if (from < chunk.length) this.#hold(chunk.subarray(from))
    return frames
  }

  rest(): SseFrame | undefined {
    if (this.#held === 0) return undefined
    return this.#toFrame(this.#take(EMPTY))
  }

  /** Copies, since what is kept must outlive the chunk's own memory. */
  #hold(bytes: Uint8Array): void {
    const needed = this.#held + bytes.length
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2))
      grown.set(this.#buffer.subarray(0, this.#held))
      this.#buffer = grown
    }
    this.#buffer.set(bytes, this.#held)
    this.#held = needed
  }

  /** The line that `last` ends. Its bytes are given away, so the buffer goes with them. */
  #take(last: Uint8Array): Uint8Array {
    if (this.#held === 0) return last
    this.#hold(last)
    const line = this.#buffer.subarray(0, this.#held)
    this.#buffer = EMPTY
    this.#held = 0
    return line
  }

  #toFrame(bytes: Uint8Array): SseFrame {
    const line = this.#decoder.decode(bytes).trim()
    return { bytes, data: line === '' ? undefined : line, event: undefined }
  }
}
