import type { SocketHandler } from 'bun'

import type { Deadlines } from '../deadlines'
import type { UpstreamResponse } from '../upstream-response'
import { Batch } from './batch'
import { Connection, type ConnectionOwner, createScratch, type SentRequest } from './connection'
import { Exchange } from './exchange'
import { type PlainRequest, RequestHeads } from './render-request'

/** Idle connections to one origin; the longest idle one goes for every further. */
const MAX_IDLE = 1_024
const SWEEP_EVERY_MS = 5_000

export type PlainCall = PlainRequest & {
  deadlines: Deadlines
  /** Open a connection of its own: a pooled one was just found dead. */
  fresh: boolean
}

/**
 * HTTP/1.1 over clear text, as it is spoken to model servers at hand and to a mesh's sidecars. Bun's own fetch keeps 64
 * connections there, however many requests are under way, has no way to tell pools apart, and does its work on a thread
 * of its own that the answer has to be handed over from. TLS, HTTP/2, proxies and bodies without an end are left to it.
 */
export class Http1Client {
  readonly #origins = new Map<string, OriginPool>()
  readonly #shared = { batch: new Batch(), scratch: createScratch() }

  /** Gives the answer when its head is here. Rejects with what failed, its `code` as of fetch, or the deadlines' reason. */
  send(origin: string, call: PlainCall): Promise<UpstreamResponse> {
    let pool = this.#origins.get(origin)
    if (pool === undefined) this.#origins.set(origin, (pool = new OriginPool(origin, this.#shared)))
    return pool.send(call)
  }
}

/** The connections to one origin. The one that was used last is taken first, so that those beyond need fall idle. */
class OriginPool implements ConnectionOwner {
  readonly batch: Batch
  readonly scratch: Buffer
  readonly #address: { readonly hostname: string; readonly port: number }
  readonly #heads: RequestHeads
  readonly #idle: Connection[] = []
  #sweeping: ReturnType<typeof setInterval> | undefined

  constructor(origin: string, { batch, scratch }: Pick<ConnectionOwner, 'batch' | 'scratch'>) {
    this.batch = batch
    this.scratch = scratch
    const { hostname, port } = new URL(origin)
    const address = hostname.replace(/^\[|\]$/g, '')
    this.#address = { hostname: address, port: port === '' ? 80 : Number(port) }
    this.#heads = new RequestHeads(origin)
  }

  send(call: PlainCall): Promise<UpstreamResponse> {
    const { deadlines, body } = call
    const exchange = new Exchange(this.batch)
    const request: SentRequest = {
      head: this.#heads.render(call),
      body,
      // What may take long is awaited from its last piece on.
      onProgress: () => exchange.hasHead || deadlines.sending(),
    }
    deadlines.attach(exchange)
    if (exchange.isOver) return exchange.answer
    const connection = call.fresh ? undefined : this.#takeIdle()
    if (connection) connection.send(exchange, request)
    else void this.#connect(exchange, request, deadlines)
    return exchange.answer
  }

  idle(connection: Connection): void {
    this.#idle.push(connection)
    if (this.#idle.length > MAX_IDLE) this.#idle.shift()?.drop()
    this.#sweeping ??= setInterval(() => this.#sweep(), SWEEP_EVERY_MS).unref()
  }

  closed(connection: Connection): void {
    const at = this.#idle.lastIndexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  suspect(): void {
    for (const connection of this.#idle.splice(0)) connection.drop()
  }

  #takeIdle(): Connection | undefined {
    const nowMs = performance.now()
    for (let last = this.#idle.pop(); last; last = this.#idle.pop()) {
      if (nowMs < last.usableUntilMs) return last
      last.drop()
    }
    return undefined
  }

  async #connect(exchange: Exchange, request: SentRequest, deadlines: Deadlines): Promise<void> {
    const { hostname, port } = this.#address
    const connection = new Connection(this)
    try {
      await Bun.connect({ hostname, port, data: connection, socket: HANDLERS })
    } catch (cause) {
      exchange.fail(cause)
      return
    }
    if (exchange.isOver) {
      connection.drop()
      return
    }
    deadlines.connected()
    connection.send(exchange, request)
  }

  #sweep(): void {
    const nowMs = performance.now()
    // Each that is dropped leaves the list by itself.
    for (const connection of this.#idle.filter(({ usableUntilMs }) => usableUntilMs <= nowMs))
      connection.drop()
    if (this.#idle.length > 0) return
    clearInterval(this.#sweeping)
    this.#sweeping = undefined
  }
}

/** The same for all connections: each is what its socket carries along. */
const HANDLERS: SocketHandler<Connection> = {
  binaryType: 'uint8array',
  open: (socket) => socket.data.opened(socket),
  data: ({ data: connection }, bytes) => connection.received(bytes),
  drain: ({ data: connection }) => connection.drained(),
  close: ({ data: connection }, cause) => connection.closed(cause),
  error: ({ data: connection }, cause) => connection.broke(cause),
  // Told by the promise of `Bun.connect` too.
  connectError() {},
}
