import type { Socket } from 'bun'

import { GatewayError } from '../../errors/gateway-error'
import { AnswerParser } from './answer-parser'
import type { Batch, Batched } from './batch'
import type { Exchange, Line } from './exchange'

/** A request no larger is put together in memory that all connections share. */
const SCRATCH_BYTES = 64 * 1024

const NOTHING = new Uint8Array(0)

/** How long an idle connection is kept, unless its host says that it keeps it for less. */
const IDLE_MS = 50_000

/** What the connections to one origin have in common. */
export type ConnectionOwner = {
  readonly batch: Batch
  readonly scratch: Buffer
  /** It may carry another request. */
  idle(connection: Connection): void
  closed(connection: Connection): void
  /** No answer came in time: others may lead nowhere too. */
  suspect(): void
}

/** A request as it goes over the wire. */
export type SentRequest = {
  /** Each character a byte. */
  readonly head: string
  readonly body: Uint8Array | undefined
  /** Another part of a body that didn't go at once was taken. */
  readonly onProgress: () => void
}

export const createScratch = () => Buffer.alloc(SCRATCH_BYTES)

/** One connection over clear text, and the exchange that is on it: one at a time. */
export class Connection implements Line, Batched {
  /** While it idles: monotonic milliseconds from which on it is not used any more. */
  usableUntilMs = 0
  readonly #owner: ConnectionOwner
  #socket: Socket<Connection> | undefined
  #exchange: Exchange | undefined
  #request: SentRequest | undefined
  #parser = new AnswerParser()
  /** What the socket did not take yet of the request. */
  #unsent: Uint8Array = NOTHING
  #isPaused = false
  #isClosed = false

  constructor(owner: ConnectionOwner) {
    this.#owner = owner
  }

  opened(socket: Socket<Connection>): void {
    this.#socket = socket
    socket.setNoDelay(true)
    // A process stays for whoever waits for an answer; an idle connection is no reason to.
    socket.unref()
  }

  send(exchange: Exchange, request: SentRequest): void {
    if (this.#isClosed) return exchange.fail(new ConnectionClosed())
    this.#exchange = exchange
    this.#request = request
    this.#parser = new AnswerParser()
    exchange.goBy(this)
    this.#owner.batch.add(this)
  }

  /** Sends its request. */
  flush(): void {
    if (this.#isClosed || this.#request === undefined) return
    const { head, body } = this.#request
    const length = head.length + (body?.length ?? 0)
    const isSmall = length <= SCRATCH_BYTES
    const bytes = isSmall ? this.#owner.scratch : Buffer.allocUnsafeSlow(length)
    bytes.write(head, 'latin1')
    if (body) bytes.set(body, head.length)
    const sent = this.#write(bytes, length)
    if (sent < length)
      this.#unsent = isSmall ? Buffer.from(bytes.subarray(sent, length)) : bytes.subarray(sent)
  }

  /** The socket takes more again. */
  drained(): void {
    if (this.#unsent.length === 0) return
    const sent = this.#write(this.#unsent, this.#unsent.length)
    if (sent === 0) return
    this.#unsent = this.#unsent.subarray(sent)
    this.#request?.onProgress()
  }

  /** Bytes came, which are its own from now on. */
  received(bytes: Uint8Array): void {
    const exchange = this.#exchange
    // Nothing was asked: it would be taken for the answer to the next request.
    if (exchange === undefined) return this.drop()
    try {
      const piece = this.#parser.push(bytes)
      const { head, isDone } = this.#parser
      if (head && !exchange.hasHead) exchange.begin(head)
      if (piece.length > 0) exchange.take(piece)
      if (isDone) this.#finish(exchange)
    } catch (cause) {
      exchange.abort(cause)
    }
  }

  /** It was closed: in order where there is no `cause`. */
  closed(cause: unknown): void {
    this.#isClosed = true
    const exchange = this.#exchange
    this.#release()
    if (exchange && !exchange.isOver) {
      if (cause === undefined && this.#parser.end()) exchange.finish()
      else exchange.fail(cause ?? new ConnectionClosed())
    }
    this.#owner.closed(this)
  }

  /** It failed by itself. */
  broke(cause: unknown): void {
    if (this.#exchange) this.#exchange.abort(cause)
    else this.drop()
  }

  pause(): void {
    if (this.#isPaused || this.#isClosed) return
    this.#isPaused = true
    this.#socket?.pause()
  }

  resume(): void {
    if (!this.#isPaused || this.#isClosed) return
    this.#isPaused = false
    this.#socket?.resume()
  }

  /** Closes it at once. `reason` is what its exchange was ended for. */
  drop(reason?: unknown): void {
    if (!this.#isClosed) this.#socket?.terminate()
    const isLate = reason instanceof GatewayError && reason.code === 'upstream_timeout'
    if (isLate && this.#parser.head === undefined) this.#owner.suspect()
  }

  #finish(exchange: Exchange): void {
    const isSent = this.#unsent.length === 0
    this.#release()
    exchange.finish()
    // A host that answers before it has all of a request may take the rest for another one.
    if (!this.#parser.keepsAlive || !isSent) return this.drop()
    const seconds = this.#parser.head?.keepAliveSeconds ?? Infinity
    this.usableUntilMs = performance.now() + Math.min(IDLE_MS, seconds * 1_000 - 500)
    this.resume()
    this.#owner.idle(this)
  }

  #release(): void {
    this.#exchange = undefined
    this.#request = undefined
    this.#unsent = NOTHING
  }

  /** Gives how many bytes were taken. One that is closed takes none, and says so by itself. */
  #write(bytes: Uint8Array, length: number): number {
    return Math.max(0, this.#socket?.write(bytes, 0, length) ?? 0)
  }
}

/** Its `code` is what Bun's fetch calls the same. */
class ConnectionClosed extends Error {
  readonly code = 'ConnectionClosed'

  constructor() {
    super('the connection was closed in the middle of an exchange')
  }
}
