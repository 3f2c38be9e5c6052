import type { Provider } from './provider'
import type { UpstreamResponse } from './upstream-response'

/**
 * In flight at once in one lane. Bun keeps 64 idle connections for each TLS configuration and closes the longest idle
 * one for every further; a few places are left for connections that are on their way back.
 */
const LANE_SIZE = 60

/** Bun keeps 60 TLS configurations beside the standard one, and with the oldest drops all of its connections. */
const MAX_LANES = 40
const MAX_LANES_OF_ORIGIN = 16

/** When Bun has closed what idles. */
const IDLE_MS = 5 * 60_000

/** Whether an origin still speaks HTTP/1.1 is looked at once in so many answers. */
const LOOK_EVERY = 64

/** A pool of connections to one origin, and how many requests are under way on them. */
export type Lane = {
  /** What makes the pool a pool of its own. */
  readonly tls: { readonly passphrase: string; readonly ca?: string }
  inFlight: number
  usedAtMs: number
}

export type LaneEvent = {
  readonly origin: string
  /** How many pools it has now. */
  readonly pools: number
}

/**
 * Pools for origins that speak HTTP/1.1 over TLS. Bun has one of 64 idle connections for each distinct TLS configuration,
 * with or without a `FetchSession` (oven-sh/bun#42608): so each lane has a configuration of its own, told apart by the
 * passphrase of a client key that is not there, which changes nothing else. Over HTTP/2 a connection carries hundreds of
 * requests, and over clear text there is nothing to tell pools apart by.
 */
export class ConnectionLanes {
  readonly #origins = new Map<string, OriginConnections>()
  readonly #onLane: (event: LaneEvent) => void
  #lanes = 0

  /** `onLane` is told of every lane that is added. */
  constructor(onLane: (event: LaneEvent) => void = () => {}) {
    this.#onLane = onLane
  }

  /** Those to a provider's origin, which it shares with all that are reached in the same way. */
  of(provider: Provider): OriginConnections {
    const known = this.#origins.get(provider.way)
    if (known) return known
    const { origin } = provider
    const connections = new OriginConnections(provider, (pools) => this.#grant({ origin, pools }))
    this.#origins.set(provider.way, connections)
    return connections
  }

  #grant(event: LaneEvent): boolean {
    if (this.#lanes >= MAX_LANES) this.#dropIdle()
    if (this.#lanes >= MAX_LANES) return false
    this.#lanes++
    this.#onLane(event)
    return true
  }

  #dropIdle(): void {
    const beforeMs = performance.now() - IDLE_MS
    for (const connections of this.#origins.values()) this.#lanes -= connections.dropIdle(beforeMs)
  }
}

/**
 * What is known of the connections to one origin: when it last answered, and where it speaks HTTP/1.1 over TLS its lanes.
 * The first lane with room is taken. So by Little's law (what is under way = arrivals × time) there are as many lanes as the
 * most that was under way needs, connections are not spread thin, and the last lanes fall idle when there is less to do.
 */
export class OriginConnections {
  /** Monotonic milliseconds; `undefined` before the first answer. */
  answeredAtMs: number | undefined
  readonly #origin: string
  readonly #tls: Provider['transport']['tls']
  readonly #mayHaveLanes: boolean
  readonly #grant: (pools: number) => boolean
  readonly #lanes: Lane[] = []
  #isHttp1 = false
  #untilLook = 0

  /** `grant` is asked for each further lane. */
  constructor({ origin, transport }: Provider, grant: (pools: number) => boolean) {
    this.#origin = origin
    this.#tls = transport.tls
    // The tunnels of a proxy are in one pool, whatever is spoken in them.
    this.#mayHaveLanes = origin.startsWith('https:') && transport.proxy === false
    this.#grant = grant
  }

  /** It was found to speak HTTP/1.1 over TLS. */
  get hasLanes(): boolean {
    return this.#isHttp1
  }

  /**
   * A place for one request, which counts until `leaveLane`; `undefined` where the pool that all share will do, or has to.
   * What is beyond all lanes goes to the last.
   */
  enter(): Lane | undefined {
    if (!this.#isHttp1) return undefined
    const lane = this.#choose()
    if (lane === undefined) return undefined
    lane.inFlight++
    lane.usedAtMs = performance.now()
    return lane
  }

  /** The head of an answer came. */
  answered(response: UpstreamResponse): void {
    this.answeredAtMs = performance.now()
    if (!this.#mayHaveLanes || this.#untilLook-- > 0) return
    this.#untilLook = LOOK_EVERY - 1
    this.#isHttp1 = speaksHttp1(response)
  }

  /** Gives how many of the last lanes were not used since, and are gone now. */
  dropIdle(sinceMs: number): number {
    let dropped = 0
    for (let lane = this.#lanes.at(-1); lane; lane = this.#lanes.at(-1)) {
      if (lane.inFlight > 0 || lane.usedAtMs >= sinceMs) break
      this.#lanes.pop()
      dropped++
    }
    return dropped
  }

  #choose(): Lane | undefined {
    for (const lane of this.#lanes) if (lane.inFlight < LANE_SIZE) return lane
    const pools = this.#lanes.length + 1
    if (pools > MAX_LANES_OF_ORIGIN || !this.#grant(pools)) return this.#lanes.at(-1)
    const tls = { ...this.#tls, passphrase: `lane ${pools} to ${this.#origin}` }
    const lane: Lane = { tls, inFlight: 0, usedAtMs: 0 }
    this.#lanes.push(lane)
    return lane
  }
}

/** The request's answer was read to its end, or its connection is gone. */
export function leaveLane(lane: Lane): void {
  lane.inFlight--
}

/**
 * Bun doesn't say which version an answer came in. HTTP/2 has no reason phrase
 * (https://www.rfc-editor.org/rfc/rfc9113#section-8.3.2) and none of these headers (section 8.2.2). An HTTP/1.1 host that sends
 * neither is taken for HTTP/2, and shares a pool with others.
 */
function speaksHttp1({ statusText, headers }: UpstreamResponse): boolean {
  return statusText !== '' || headers.has('connection') || headers.has('transfer-encoding')
}
