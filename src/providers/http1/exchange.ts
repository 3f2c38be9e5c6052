import type { AnswerHeaders, BodyReader, UpstreamResponse } from '../upstream-response'
import type { AnswerHead } from './answer-head'
import type { Batch, Batched } from './batch'
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

type Waiting = { resolve(piece: Piece): void; reject(cause: unknown): void }

const NOTHING = new Uint8Array(0)
const END: Piece = { done: true, value: undefined }

/**
 * A request's way and the answer to it, which it is itself once the head is here: its pieces wait for their reader. What
 * failed is told to whoever waits, and to whoever reads next.
 */
export class Exchange implements UpstreamResponse, BodyReader, Batched {
  readonly answer: Promise<UpstreamResponse>
  readonly #batch: Batch
  readonly #resolve: (response: UpstreamResponse) => void
  readonly #reject: (cause: unknown) => void
  #line: Line | undefined
  #head: AnswerHead | undefined
  #pieces: Uint8Array[] = []
  #heldBytes = 0
  #waiting: Waiting | undefined
  #failure: { cause: unknown } | undefined
  /** Nothing more comes: the answer is whole, or has failed. */
  #isOver = false
  /** Its whole body is wanted at once: its reader is never slower. */
  #isGathered = false

  /** `batch`: pieces that are awaited are handed on by it. */
  constructor(batch: Batch) {
    this.#batch = batch
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
    this.#pieces.push(piece)
    if (this.#isGathered) return
    this.#heldBytes += piece.length
    if (this.#heldBytes > HELD_BYTES) this.#line?.pause()
    if (this.#waiting && this.#pieces.length === 1) this.#batch.add(this)
  }

  /** Hands on what came for whoever waits. */
  flush(): void {
    const value = this.#waiting && this.#takeHeld()
    if (value) this.#settle()?.resolve({ done: false, value })
  }

  /** The body is whole. */
  finish(): void {
    this.#isOver = true
    this.#line = undefined
    if (this.#isGathered) this.#settle()?.resolve({ done: true, value: this.#takeHeld() })
    else if (this.#pieces.length === 0) this.#settle()?.resolve(END)
  }

  /** Nothing more will come, for that reason. What came before is still read. */
  fail(cause: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failure = { cause }
    this.#line = undefined
    if (this.#head === undefined) this.#reject(cause)
    if (this.#isGathered || this.#pieces.length === 0) this.#settle()?.reject(cause)
  }

  /** Ends it early: whoever waits is told the reason, and the upstream sees its connection closed. */
  abort(reason: unknown): void {
    const line = this.#line
    this.#pieces = []
    this.fail(reason)
    line?.drop(reason)
  }

  read(): Promise<Piece> {
    const value = this.#takeHeld()
    return value === undefined ? this.#wait() : Promise.resolve({ done: false, value })
  }

  bytes(): Promise<Uint8Array> {
    if (this.#isOver && !this.#failure) return Promise.resolve(this.#takeHeld() ?? NOTHING)
    this.#isGathered = true
    this.#line?.resume()
    return this.#wait().then(({ value }) => value ?? NOTHING)
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

  /** Whoever waits, who waits no more then. */
  #settle(): Waiting | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }

  /** All that is held, as one. */
  #takeHeld(): Uint8Array | undefined {
    const pieces = this.#pieces
    if (pieces.length === 0) return undefined
    this.#pieces = []
    this.#heldBytes = 0
    this.#line?.resume()
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)
  }

  get #known(): AnswerHead {
    if (this.#head) return this.#head
    throw new Error('an answer was looked at before its head came')
  }
}
