import { createServer, type Socket } from 'node:net'

/** A request as it reached an upstream. */
export type ReceivedRequest = { path: string; headers: Record<string, string>; body: string }

export type Upstream = {
  /** What a provider has as its `base_url`. */
  url: string
  received: ReceivedRequest[]
  stop(): Promise<void>
}

/** An upstream that answers what the test tells it to; GET /models has nothing to say. */
export function startUpstream(
  answer: (request: Request, body: string) => Response | Promise<Response>
): Upstream {
  const received: ReceivedRequest[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    development: false,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url)
      if (pathname.endsWith('/models')) return Response.json({ object: 'list', data: [] })
      const bytes = await request.bytes()
      const body = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
      received.push({
        path: pathname + search,
        headers: Object.fromEntries(request.headers),
        body,
      })
      return answer(request, body)
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    received,
    stop: () => server.stop(true),
  }
}

/** An upstream that is only a socket: what it says, or that it says nothing, is the test's. */
export async function startSocketUpstream(
  onConnection: (socket: Socket, number: number) => void
): Promise<{ port: number; connections(): number; stop(): void }> {
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket, ++connections)
  })
  const { promise, resolve } = Promise.withResolvers<number>()
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    resolve(typeof address === 'object' && address ? address.port : 0)
  })
  return {
    port: await promise,
    connections: () => connections,
    stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** A stream that leaves in the pieces given, each on its own. */
export function inPieces(pieces: readonly (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  let next = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = pieces[next++]
        if (piece === undefined) return controller.close()
        // A turn of the loop between two pieces, so that they are not written as one.
        await new Promise<void>((resolve) => setImmediate(resolve))
        controller.enqueue(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece)
      },
    },
    { highWaterMark: 0 }
  )
}

/** `text` cut into pieces of `sizeBytes`, characters cut too. */
export function cut(text: string, sizeBytes: number): Uint8Array[] {
  const bytes = new TextEncoder().encode(text)
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += sizeBytes)
    pieces.push(bytes.subarray(at, at + sizeBytes))
  return pieces
}

/** A server-sent stream of these pieces as an answer. */
export function eventStream(pieces: readonly (string | Uint8Array)[]): Response {
  return new Response(inPieces(pieces), { headers: { 'content-type': 'text/event-stream' } })
}
