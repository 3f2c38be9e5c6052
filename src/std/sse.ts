/**
 * Cuts a byte stream into whole Server-Sent Events, keeping their bytes.
 * Format: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 * (line ends LF, CRLF or CR; a leading BOM; comments; several `data` lines).
 */

export type SseFrame = {
  /** The frame as it came, with the blank line that ends it. Valid for as long as the caller likes. */
  bytes: Uint8Array
  /** `data` lines joined by LF; `undefined` for a frame without one, such as a comment. */
  data: string | undefined
  event: string | undefined
}

const LF = 0x0a
const CR = 0x0d
const EMPTY = new Uint8Array(0)

export class SseFramer {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  /** Bytes of the frame that is not whole yet; `#held` of them count. */
  #buffer: Uint8Array = EMPTY
  #held = 0
  /** Where the scan stands, so that a frame that comes a byte at a time is read once. */
  #scanned = 0
  #lineStart = 0
  #hasLine = false
  #endedInCr = false
  #atStart = true

  /** Bytes held back because their frame is not whole. */
  get pendingBytes(): number {
    return this.#held
  }

  /** Takes the next bytes of the stream and gives the frames that they complete. */
  push(chunk: Uint8Array): SseFrame[] {
    const joined = this.#held === 0
    const bytes = joined ? chunk : this.#append(chunk)
    const frames: SseFrame[] = []
    let frameStart = 0
    let at = this.#scanned
    const length = joined ? chunk.length : this.#held
    if (this.#endedInCr && at < length) {
      // The second half of a CRLF that was cut between two chunks: the line has ended already.
      this.#endedInCr = false
      if (bytes[at] === LF) this.#lineStart = ++at
    }
    while (at < length) {
      const byte = bytes[at++]
      if (byte !== LF && byte !== CR) continue
      const isBlank = at - 1 === this.#lineStart
      if (byte === CR) {
        if (at === length) this.#endedInCr = true
        else if (bytes[at] === LF) at++
      }
      this.#lineStart = at
      if (!isBlank) this.#hasLine = true
      else if (this.#hasLine) {
        frames.push(this.#toFrame(bytes.subarray(frameStart, at)))
        frameStart = at
        this.#hasLine = false
      }
    }
    this.#keep(bytes, frameStart, length)
    return frames
  }

  /** What is left when the stream has ended: bytes of a frame whose blank line never came. */
  rest(): SseFrame | undefined {
    if (this.#held === 0) return undefined
    const bytes = this.#buffer.slice(0, this.#held)
    this.#held = 0
    return this.#toFrame(bytes)
  }

  #append(chunk: Uint8Array): Uint8Array {
    const needed = this.#held + chunk.length
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2))
      grown.set(this.#buffer.subarray(0, this.#held))
      this.#buffer = grown
    }
    this.#buffer.set(chunk, this.#held)
    this.#held = needed
    return this.#buffer
  }

  #keep(bytes: Uint8Array, frameStart: number, length: number): void {
    const left = length - frameStart
    // Frames given out share the old buffer, so what is left moves to a buffer of its own.
    if (left === 0) this.#buffer = EMPTY
    else if (frameStart > 0 || bytes !== this.#buffer)
      this.#buffer = bytes.slice(frameStart, length)
    this.#held = left
    this.#scanned = left
    this.#lineStart -= frameStart
  }

  #toFrame(bytes: Uint8Array): SseFrame {
    let at = 0
    if (this.#atStart) {
      this.#atStart = false
      if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) at = 3
    }
    let data: string | undefined
    let event: string | undefined
    while (at < bytes.length) {
      const end = lineEnd(bytes, at)
      const valueAt = fieldValueAt(bytes, at, end, 'data')
      if (valueAt >= 0) {
        const line = this.#decoder.decode(bytes.subarray(valueAt, end))
        data = data === undefined ? line : `${data}\n${line}`
      } else {
        const nameAt = fieldValueAt(bytes, at, end, 'event')
        if (nameAt >= 0) event = this.#decoder.decode(bytes.subarray(nameAt, end))
      }
      at = bytes[end] === CR && bytes[end + 1] === LF ? end + 2 : end + 1
    }
    return { bytes, data, event }
  }
}

function lineEnd(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && bytes[at] !== LF && bytes[at] !== CR) at++
  return at
}

/** Where the value of `field` starts in the line `[from, end)`; -1 when the line is another field's. */
function fieldValueAt(bytes: Uint8Array, from: number, end: number, field: string): number {
  const colon = from + field.length
  for (let index = 0; index < field.length; index++)
    if (bytes[from + index] !== field.charCodeAt(index)) return -1
  if (colon === end) return end
  if (bytes[colon] !== 0x3a) return -1
  return bytes[colon + 1] === 0x20 ? colon + 2 : colon + 1
}
