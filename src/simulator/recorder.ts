/** How many requests are kept, and how many bytes of bodies in all. */
const KEPT_REQUESTS = 64
const KEPT_BODY_BYTES = 64 * 1024 * 1024
const MOST_CONNECTIONS = 100_000

/** One request as it arrived. */
export type RecordedRequest = {
  number: number
  method: string
  /** With its query. */
  path: string
  headers: Record<string, string>
  model: string
  bodyBytes: number
  body: string
}

export type SimulatorStats = {
  requests: number
  /** Requests under way: answers being waited for, or not yet sent whole. */
  open: number
  /** Requests whose client left before the answer's end. */
  cancelled: number
  /** Distinct client addresses and ports seen; an early port used again counts once. */
  connections: number
  redirectReached: boolean
  lastRequest: RecordedRequest | undefined
}

/** One request under way. It ends once, whichever of the two is called first. */
export type Exchange = {
  number: number
  finish(): void
  /** The client left. */
  cancel(): void
}

export type RequestFilter = { model?: string; header?: { name: string; value: string } }

export type Recorder = {
  begin(connection: string): Exchange
  keep(number: number, request: Request, path: string, body: Uint8Array, model: string): void
  reachRedirect(): void
  stats(): SimulatorStats
  /** The requests kept, oldest first, as they arrived. */
  requests(filter?: RequestFilter): RecordedRequest[]
  /** Forgets what ended; requests under way stay counted as open. */
  reset(): void
}

type Kept = Omit<RecordedRequest, 'body' | 'headers'> & { bytes: Uint8Array; headers: Headers }

/** Counts requests and keeps the last ones, so that a test can see what reached the provider. */
export function createRecorder(): Recorder {
  let kept: Kept[] = []
  let keptBytes = 0
  let connections = new Set<string>()
  let counts = { requests: 0, cancelled: 0, redirectReached: false }
  let open = 0

  function end(count: () => void): () => void {
    let ended = false
    return () => {
      if (ended) return
      ended = true
      open--
      count()
    }
  }

  return {
    begin(connection) {
      open++
      const count = counts
      count.requests++
      if (connections.size < MOST_CONNECTIONS) connections.add(connection)
      let cancelled = false
      const finish = end(() => {
        if (cancelled) count.cancelled++
      })
      const cancel = () => {
        cancelled = true
        finish()
      }
      return { number: count.requests, finish, cancel }
    },

    keep(number, { method, headers }, path, bytes, model) {
      kept.push({ number, method, path, headers, model, bodyBytes: bytes.length, bytes })
      keptBytes += bytes.length
      while (kept.length > KEPT_REQUESTS || (keptBytes > KEPT_BODY_BYTES && kept.length > 1))
        keptBytes -= kept.shift()?.bodyBytes ?? 0
    },

    reachRedirect() {
      counts.redirectReached = true
    },

    stats() {
      const last = kept.at(-1)
      const lastRequest = last && readable(last)
      return { ...counts, open, connections: connections.size, lastRequest }
    },

    requests({ model, header } = {}) {
      const matching = kept.filter(
        (request) =>
          (model === undefined || request.model === model) &&
          (header === undefined || request.headers.get(header.name) === header.value)
      )
      return matching.map(readable)
    },

    reset() {
      kept = []
      keptBytes = 0
      connections = new Set()
      counts = { requests: 0, cancelled: 0, redirectReached: false }
    },
  }
}

function readable({ bytes, headers, ...facts }: Kept): RecordedRequest {
  return {
    ...facts,
    headers: Object.fromEntries(headers),
    body: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
  }
}
