/** Bun keeps so many idle HTTP/1.1 connections in a pool (1.4.5), and no setting makes them more. */
const POOL_SIZE = 64
/** Two thousand requests at once; beyond, connections are opened and closed. */
const MOST_LANES = 32
/** An origin that could not be asked what it speaks is asked again. */
const ASK_AGAIN_MS = 30_000
const ASK_LIMIT_MS = 5_000

/** The options by which Bun tells pools of TLS connections apart. */
export type LaneTls = { readonly ca?: string; readonly passphrase?: string }

/** One pool of connections to an origin, and how many requests are under way on it. */
export class Lane {
  readonly #index: number
  inFlight = 0

  constructor(index: number) {
    this.#index = index
  }

  /**
   * The TLS options of its requests. All lanes but the first differ from it in a passphrase for a private key that none
   * has: Bun keeps a pool for each distinct value of `tls`.
   */
  toTls(tls: LaneTls | undefined): LaneTls | undefined {
    return this.#index === 0 ? tls : { ...tls, passphrase: `lane ${this.#index}` }
  }

  /** The request's connection is free again, or gone. */
  leave(): void {
    this.inFlight--
  }
}

/** Whether an origin speaks HTTP/1.1 where HTTP/2 is offered; `undefined` where it can't be told. */
export type AskHttp1 = () => Promise<boolean | undefined>

/**
 * The pools of one origin over TLS. By Little's law as many connections are wanted as requests are under way: requests
 * fill the first pool, and where the origin speaks HTTP/1.1 the next ones, each as large as what Bun keeps when they
 * rest. Over HTTP/2 one is enough.
 */
export class ConnectionLanes {
  readonly #ask: AskHttp1
  readonly #now: () => number
  readonly #first = new Lane(0)
  readonly #lanes = [this.#first]
  #isHttp1: boolean | undefined
  #askAtMs = -Infinity

  /** `now` gives monotonic milliseconds. */
  constructor(ask: AskHttp1, now: () => number) {
    this.#ask = ask
    this.#now = now
  }

  /** The lane for one more request, which has to leave it. */
  enter(): Lane {
    const lane = this.#first.inFlight < POOL_SIZE ? this.#first : this.#choose()
    lane.inFlight++
    return lane
  }

  #choose(): Lane {
    if (this.#isHttp1 === undefined) void this.#find()
    if (this.#isHttp1 !== true) return this.#first
    for (const lane of this.#lanes) if (lane.inFlight < POOL_SIZE) return lane
    if (this.#lanes.length >= MOST_LANES) return this.#first
    const lane = new Lane(this.#lanes.length)
    this.#lanes.push(lane)
    return lane
  }

  async #find(): Promise<void> {
    const nowMs = this.#now()
    if (nowMs < this.#askAtMs) return
    this.#askAtMs = nowMs + ASK_AGAIN_MS
    this.#isHttp1 = await this.#ask()
  }
}

/**
 * What an origin chooses by ALPN where it is offered HTTP/2 and HTTP/1.1, on a connection that is closed at once: a
 * response of `fetch` does not say it. Never rejects.
 */
export async function speaksHttp1(
  host: string,
  port: number,
  ca: string | undefined
): Promise<boolean | undefined> {
  const { connect } = await import('node:tls')
  const bare = host.replace(/^\[|\]$/g, '')
  return new Promise((resolve) => {
    const socket = connect({
      ...{ host: bare, port, servername: /^[\d.]+$|:/.test(bare) ? '' : bare },
      ALPNProtocols: ['h2', 'http/1.1'],
      ...(ca !== undefined && { ca }),
    })
    const end = (isHttp1: boolean | undefined) => {
      clearTimeout(limit)
      socket.destroy()
      resolve(isHttp1)
    }
    const limit = setTimeout(() => end(undefined), ASK_LIMIT_MS)
    socket.once('secureConnect', () => end(socket.alpnProtocol !== 'h2'))
    socket.once('error', () => end(undefined))
  })
}
