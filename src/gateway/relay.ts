import { GatewayError } from '../errors/gateway-error'
import type { AnswerFacts, ClientHalf } from '../protocols/protocol'
import type { Ticker, Watch } from '../std/ticker'
import type { StreamedAnswer } from './answer'
import { clientClosed } from './client-call'

export type RelayOptions = {
  ticker: Ticker
  /** How its frames are told; `undefined` for what has none: then a failure breaks the connection. */
  client: ClientHalf | undefined
  requestId: string
  heartbeatMs: number
  /** A client that takes nothing for so long is cut. */
  clientStallMs: number
  /** Each piece of the answer, before it leaves. */
  onBytes(bytes: Uint8Array): void
  /** The answer's first content has come. */
  onContent(): void
  /**
   * Called once, before the last bytes leave: what is written down then survives the process. They wait for its
   * promise, where it gives one; that must not reject.
   */
  onEnd(error: GatewayError | undefined, facts: AnswerFacts | undefined): Promise<void> | undefined
}

/**
 * The answer's stream for the client: whole frames as they come, pulled by the client's own pace. An answer
 * whose head left before its first frame is still to come.
 */
export function relay(
  answer: StreamedAnswer | Promise<StreamedAnswer>,
  options: RelayOptions
): ReadableStream<Uint8Array<ArrayBufferLike>> {
  const source = new RelaySource(answer, options)
  return new ReadableStream<Uint8Array>(source, { highWaterMark: 0 })
}

class RelaySource implements Watch {
  #answer: StreamedAnswer | undefined
  #arriving: Promise<StreamedAnswer> | undefined
  readonly #options: RelayOptions
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #held: Uint8Array[] = []
  /** A frame is awaited from the upstream; otherwise the client has yet to take what it was given. */
  #isReading = false
  #changedAtMs = performance.now()
  #hasContent = false
  /** Nothing more goes to the client. */
  #isClosed = false
  #isEnded = false
  /** The client is gone: its stream takes nothing more. */
  #hasLeft = false

  constructor(answer: StreamedAnswer | Promise<StreamedAnswer>, options: RelayOptions) {
    this.#options = options
    if (answer instanceof Promise) this.#arriving = answer
    else this.#take(answer)
    options.ticker.add(this)
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#controller = controller
    // Bun may pull again while a pull is waiting (seen with 1.4.5); the first one serves both.
    if (this.#isReading) return
    // Bun completes a head with its first byte: one that leaves before any frame takes a comment along.
    if (this.#arriving) this.#beat(performance.now())
    this.#setReading(true)
    let bytes: Uint8Array | undefined
    try {
      if (this.#arriving) this.#take(await this.#arriving)
      bytes = this.#held.length > 0 ? this.#takeHeld() : await this.#answer?.stream.next()
    } catch (error) {
      if (!this.#isClosed) await this.#endWith(GatewayError.from(error))
      return
    }
    if (this.#isClosed) return
    this.#setReading(false)
    const isLast = bytes === undefined || this.#answer?.stream.isDone === true
    this.#noteContent()
    if (bytes) this.#options.onBytes(bytes)
    if (isLast) {
      const ending = this.#end(undefined)
      if (ending) await ending
    }
    if (this.#hasLeft) return
    if (bytes) controller.enqueue(bytes)
    if (isLast) controller.close()
  }

  /** The client has left. */
  cancel(): void {
    this.#leave(clientClosed())
  }

  tick(nowMs: number): void {
    const silentMs = nowMs - this.#changedAtMs
    if (this.#isReading) {
      this.#answer?.attempt.tick(nowMs)
      if (silentMs >= this.#options.heartbeatMs && !this.#isClosed) this.#beat(nowMs)
    } else if (silentMs >= this.#options.clientStallMs) this.#cut()
  }

  #take(answer: StreamedAnswer): void {
    this.#arriving = undefined
    this.#answer = answer
    this.#held = answer.held
    this.#noteContent()
  }

  #takeHeld(): Uint8Array | undefined {
    const [first, ...others] = this.#held
    this.#held = []
    return others.length === 0 ? first : Buffer.concat([first ?? new Uint8Array(0), ...others])
  }

  #noteContent(): void {
    if (this.#hasContent || this.#answer?.stream.hasContent !== true) return
    this.#hasContent = true
    this.#options.onContent()
  }

  #setReading(isReading: boolean): void {
    this.#isReading = isReading
    this.#changedAtMs = performance.now()
  }

  #beat(nowMs: number): void {
    this.#changedAtMs = nowMs
    const heartbeat = this.#options.client?.heartbeatFrame
    if (heartbeat && heartbeat.length > 0) this.#controller?.enqueue(heartbeat)
  }

  /** After the head a failure is an event, and no end mark follows it. */
  async #endWith(error: GatewayError): Promise<void> {
    const { client, requestId } = this.#options
    const frame = client?.renderErrorFrame(error, requestId)
    if (frame) this.#options.onBytes(frame)
    const ending = this.#end(error)
    if (ending) await ending
    if (this.#hasLeft) return
    if (frame === undefined) {
      this.#answer?.stream.cancel()
      // Without a reason Bun resets the connection (1.4.5): nobody takes what came for all.
      this.#controller?.error(undefined)
      return
    }
    this.#controller?.enqueue(frame)
    this.#controller?.close()
  }

  /** A client that reads nothing holds a connection and our memory for nothing. */
  #cut(): void {
    const reason = new GatewayError('client_closed', 'the client stopped reading its answer')
    this.#leave(reason)
    this.#controller?.error(reason)
  }

  #leave(reason: GatewayError): void {
    this.#isClosed = true
    this.#hasLeft = true
    this.#answer?.attempt.abort(reason)
    this.#answer?.stream.cancel()
    const pending = this.#answer?.attempt.pending
    if (this.#arriving) void this.#endOnArrival(this.#arriving, reason)
    else if (pending) void pending.then(() => this.#end(reason))
    else void this.#end(reason)
  }

  /** The attempt hears of it from the client's own signal, and is written down before the request is. */
  async #endOnArrival(arriving: Promise<StreamedAnswer>, reason: GatewayError): Promise<void> {
    try {
      const answer = await arriving
      this.#take(answer)
      answer.attempt.abort(reason)
      answer.stream.cancel()
    } catch {
      // Whatever it failed of, the client had left before.
    }
    await this.#end(reason)
  }

  #end(error: GatewayError | undefined): Promise<void> | undefined {
    this.#isClosed = true
    if (this.#isEnded) return undefined
    this.#isEnded = true
    this.#options.ticker.remove(this)
    const facts = this.#answer?.stream.facts
    this.#answer?.attempt.close(error, facts)
    return this.#options.onEnd(error, facts)
  }
}
