import { GatewayError } from '../errors/gateway-error'
import type { ClientHalf } from '../protocols/protocol'
import type { Ticker, Watch } from '../std/ticker'
import type { StreamedAnswer } from './answer'
import { clientClosed } from './client-call'

export type RelayOptions = {
  ticker: Ticker
  client: ClientHalf
  heartbeatMs: number
  /** A client that takes nothing for so long is cut. */
  clientStallMs: number
  /** Each piece of the answer, before it leaves. */
  onBytes(bytes: Uint8Array): void
  /** Called once, before the last bytes leave: what is written down then survives the process. */
  onEnd(error: GatewayError | undefined): void
}

/** The answer's stream for the client: whole frames as they come, pulled by the client's own pace. */
export function relay(
  answer: StreamedAnswer,
  options: RelayOptions
): ReadableStream<Uint8Array<ArrayBufferLike>> {
  const source = new RelaySource(answer, options)
  return new ReadableStream<Uint8Array>(source, { highWaterMark: 0 })
}

class RelaySource implements Watch {
  readonly #answer: StreamedAnswer
  readonly #options: RelayOptions
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #held: Uint8Array[]
  #pending: Promise<Uint8Array | undefined> | undefined
  /** A frame is awaited from the upstream; otherwise the client has yet to take what it was given. */
  #isReading = false
  #changedAtMs = performance.now()
  #isEnded = false

  constructor(answer: StreamedAnswer, options: RelayOptions) {
    this.#answer = answer
    this.#options = options
    this.#held = answer.held
    this.#pending = answer.pending
    options.ticker.add(this)
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#controller = controller
    // Bun may pull again while a pull is waiting (seen with 1.4.5); the first one serves both.
    if (this.#isReading) return
    // Bun completes a head with its first byte: a head that leaves before any frame takes a comment along.
    if (this.#pending && this.#held.length === 0) this.#beat(performance.now())
    const bytes = await this.#next()
    if (this.#isEnded) return
    this.#setReading(false)
    if (bytes instanceof GatewayError) return this.#endWith(bytes)
    const isLast = bytes === undefined || (this.#held.length === 0 && this.#answer.stream.isDone)
    if (bytes) this.#options.onBytes(bytes)
    if (isLast) this.#end(undefined)
    if (bytes) controller.enqueue(bytes)
    if (isLast) controller.close()
  }

  /** The client has left. */
  cancel(): void {
    const reason = clientClosed()
    this.#answer.attempt.abort(reason)
    this.#answer.stream.cancel()
    this.#end(reason)
  }

  tick(nowMs: number): void {
    const silentMs = nowMs - this.#changedAtMs
    if (this.#isReading) {
      this.#answer.attempt.tick(nowMs)
      if (silentMs >= this.#options.heartbeatMs && !this.#isEnded) this.#beat(nowMs)
    } else if (silentMs >= this.#options.clientStallMs) this.#cut()
  }

  async #next(): Promise<Uint8Array | undefined | GatewayError> {
    if (this.#held.length > 0) {
      const [first, ...others] = this.#held
      this.#held = []
      return others.length === 0 ? first : Buffer.concat([first ?? new Uint8Array(0), ...others])
    }
    this.#setReading(true)
    try {
      const next = this.#pending ?? this.#answer.stream.next()
      this.#pending = undefined
      return await next
    } catch (error) {
      return GatewayError.from(error)
    }
  }

  #setReading(isReading: boolean): void {
    this.#isReading = isReading
    this.#changedAtMs = performance.now()
  }

  #beat(nowMs: number): void {
    this.#changedAtMs = nowMs
    this.#controller?.enqueue(this.#options.client.heartbeatFrame)
  }

  /** After the head a failure is an event, and no end mark follows it. */
  #endWith(error: GatewayError): void {
    const frame = this.#options.client.renderErrorFrame(error)
    this.#options.onBytes(frame)
    this.#end(error)
    this.#controller?.enqueue(frame)
    this.#controller?.close()
  }

  /** A client that reads nothing holds a connection and our memory for nothing. */
  #cut(): void {
    const reason = new GatewayError('client_closed', 'the client stopped reading its answer')
    this.#answer.attempt.abort(reason)
    this.#answer.stream.cancel()
    this.#end(reason)
    this.#controller?.error(reason)
  }

  #end(error: GatewayError | undefined): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#options.ticker.remove(this)
    this.#answer.attempt.close(error)
    this.#options.onEnd(error)
  }
}
