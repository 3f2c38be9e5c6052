import type { AnswerHeaders, BodyReader, UpstreamResponse } from '../upstream-response'
import type { AnswerHead } from './answer-head'
import { decodeAnswer } from './decode-answer'

/** Held for a reader that is slower than its upstream; beyond it the connection is read no more for a while. */
const HELD_BYTES = 256 * 1024

/** What an exchange may ask of the connection that it is on. */
export type Line = {
  pause(): void
  resume(): void
  /** Closes it, since nobody wants what would still come, for that reason. */
  drop(reason: unknown): void
}

type Piece = { done: boolean; value?: Uint8Array | undefined }

const END: Piece = { done: true, value: undefined }

/**
 * A request's way and the answer to it, which it is itself once the head is here: its pieces wait for their reader. What
 * failed is told to whoever waits, and to whoever reads next.
 */
export class Exchange implements UpstreamResponse, BodyReader {
  readonly answer: Promise<UpstreamResponse>
  readonly #resolve: (response: UpstreamResponse) => void
  readonly #reject: (cause: unknown) => void
  #line: Line | undefined
  #head: AnswerHead | undefined
  #pieces: Uint8Array[] = []
  #heldBytes = 0
  #waiting: { resolve(piece: Piece): void; reject(cause: unknown): void } | undefined
  #failure: { cause: unknown } | undefined
  /** Nothing more comes: the answer is whole, or has failed. */
  #isOver = false
  /** Its whole body is wanted at once: its reader is never slower. */
  #isGathered = false

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<UpstreamResponse>()
    this.answer = promise
    this.#resolve = resolve
    this.#reject = reject
  }

  get status(): number {
    return this.#known.status
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300
  }

  get statusText(): string {
    return this.#known.statusText
  }

  get headers(): AnswerHeaders {
    return this.#known.headers
  }

  get body(): this {
    return this
  }

  getReader(): this {
    return this
  }

  get hasHead(): boolean {
    return this.#head !== undefined
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Its request goes by this connection. */
  goBy(line: Line): void {
    this.#line = line
  }

  begin(head: AnswerHead): void {
    this.#head = head
    this.#resolve(decodeAnswer(this))
  }

  /** A piece of the body came. */
  take(piece: Uint8Array): void {
    if (this.#waiting && !this.#isGathered) {
      const { resolve } = this.#waiting
      this.#waiting = undefined
      resolve({ done: false, value: piece })
      return
    }
    this.#pieces.push(piece)
    this.#heldBytes += piece.length
    if (this.#heldBytes > HELD_BYTES && !this.#isGathered) this.#line?.pause()
  }

  /** The body is whole. */
  finish(): void {
    this.#isOver = true
    this.#line = undefined
    this.#waiting?.resolve(this.#isGathered ? { done: true, value: this.#gather() } : END)
    this.#waiting = undefined
  }

  /** Nothing more will come, for that reason. */
  fail(cause: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failure = { cause }
    this.#line = undefined
    if (this.#head === undefined) this.#reject(cause)
    this.#waiting?.reject(cause)
    this.#waiting = undefined
  }

  /** Ends it early: whoever waits is told the reason, and the upstream sees its connection closed. */
  abort(reason: unknown): void {
    const line = this.#line
    this.fail(reason)
    line?.drop(reason)
  }

  read(): Promise<Piece> {
    const piece = this.#pieces.shift()
    if (piece) {
      this.#heldBytes -= piece.length
      if (this.#pieces.length === 0) this.#line?.resume()
      return Promise.resolve({ done: false, value: piece })
    }
    return this.#wait()
  }

  bytes(): Promise<Uint8Array> {
    if (this.#isOver && !this.#failure) return Promise.resolve(this.#gather())
    this.#isGathered = true
    this.#line?.resume()
    return this.#wait().then(({ value }) => value ?? new Uint8Array(0))
  }

  cancel(): Promise<void> {
    if (!this.#isOver) this.abort(new Error('the body was given up'))
    return Promise.resolve()
  }

  #wait(): Promise<Piece> {
    if (this.#failure) return Promise.reject(this.#failure.cause)
    if (this.#isOver) return Promise.resolve(END)
    const { promise, resolve, reject } = Promise.withResolvers<Piece>()
    this.#waiting = { resolve, reject }
    return promise
  }

  #gather(): Uint8Array {
    const [first, ...others] = this.#pieces
    this.#pieces = []
    if (first === undefined) return new Uint8Array(0)
    return others.length === 0 ? first : Buffer.concat([first, ...others])
  }

  get #known(): AnswerHead {
    if (this.#head) return this.#head
    throw new Error('an answer was looked at before its head came')
  }
}
